//! Speaks to the example `memcached`: with the crate `memcache`, and by hand what that cannot say.

use std::thread;
use std::time::SystemTime;

use memcache::{Client, MemcacheError};
use socketserver::Address;
use support::{Noise, Program, peak_memory, send_and_end, send_and_wait, wait_until};

struct Server {
    program: Program,
    address: Address,
}

impl Server {
    fn start(limits: &[&str]) -> Self {
        let mut program = Program::start("memcached", &[&["--address", "127.0.0.1:0"], limits].concat());
        let address = program.address();
        Self { program, address }
    }

    fn client(&self) -> Client {
        Client::connect(format!("memcache://{}?protocol=ascii", self.address)).unwrap()
    }

    /// All that is replied to these bytes, behind which nothing comes.
    #[track_caller]
    fn replies(&self, bytes: impl AsRef<[u8]>) -> String {
        String::from_utf8(send_and_end(&self.address, bytes.as_ref())).unwrap()
    }

    /// Sends lines, each of which has one reply.
    #[track_caller]
    fn converse(&self, dialogue: &[(&str, &str)]) {
        for (lines, reply) in dialogue {
            assert_eq!(self.replies(format!("{lines}\r\n")), format!("{reply}\r\n"), "{lines}");
        }
    }
}

#[test]
fn the_crate_memcache_is_served() -> Result<(), MemcacheError> {
    let server = Server::start(&[]);
    let client = server.client();
    assert_eq!(client.version()?[0].1, env!("CARGO_PKG_VERSION"));

    client.set("text", "hello", 0)?;
    assert_eq!(client.get::<String>("text")?, Some("hello".to_owned()));
    assert_eq!(client.get::<String>("none")?, None);
    client.append("text", " all")?;
    client.prepend("text", "oh, ")?;
    assert_eq!(client.get::<String>("text")?, Some("oh, hello all".to_owned()));

    let bytes: Vec<u8> = (0..=255).chain(*b"\r\nEND\r\n").collect();
    client.set("bytes", &bytes[..], 0)?;
    assert_eq!(client.get::<Vec<u8>>("bytes")?, Some(bytes));

    client.add("new", 7, 0)?;
    client.add("new", 8, 0)?;
    assert_eq!(client.get::<u64>("new")?, Some(7));
    client.replace("new", 9, 0)?;
    client.replace("none", 9, 0)?;
    assert_eq!((client.get::<u64>("new")?, client.get::<u64>("none")?), (Some(9), None));
    assert_eq!((client.increment("new", 5)?, client.decrement("new", 4)?, client.decrement("new", 40)?), (14, 10, 0));

    let found = client.gets::<(Vec<u8>, u32, Option<u64>)>(&["text", "none", "new"])?;
    assert_eq!((found.len(), &*found["text"].0), (2, &b"oh, hello all"[..]));
    let unique = found["new"].2.unwrap();
    assert!(client.cas("new", "changed", 0, unique)?);
    assert!(!client.cas("new", "changed again", 0, unique)?);
    assert!(!client.cas("none", "changed", 0, unique)?);
    assert_eq!(client.get::<String>("new")?, Some("changed".to_owned()));

    assert_eq!((client.touch("new", 100)?, client.touch("none", 100)?), (true, false));
    assert_eq!((client.delete("new")?, client.delete("new")?), (true, false));
    client.flush()?;
    assert_eq!(client.get::<String>("text")?, None);
    drop(client);
    server.program.stop();
    Ok(())
}

#[test]
fn every_command_replies_as_the_protocol_says() {
    let server = Server::start(&[]);
    server.converse(&[
        ("set k 7 0 5\r\nhello", "STORED"),
        ("get k", "VALUE k 7 5\r\nhello\r\nEND"),
        ("gets k", "VALUE k 7 5 1\r\nhello\r\nEND"),
        ("get none", "END"),
        ("set l 4294967295 0 0\r\n", "STORED"),
        ("get k none l", "VALUE k 7 5\r\nhello\r\nVALUE l 4294967295 0\r\n\r\nEND"),
        ("add k 0 0 1\r\nx", "NOT_STORED"),
        ("add n 0 0 1\r\n1", "STORED"),
        ("replace none 0 0 1\r\nx", "NOT_STORED"),
        ("append none 0 0 1\r\nx", "NOT_STORED"),
        ("prepend none 0 0 1\r\nx", "NOT_STORED"),
        ("append k 0 0 1\r\n!", "STORED"),
        ("gets k", "VALUE k 7 6 4\r\nhello!\r\nEND"),
        ("cas k 0 0 1 99\r\nx", "EXISTS"),
        ("cas none 0 0 1 99\r\nx", "NOT_FOUND"),
        ("cas k 1 0 2 4\r\nhi", "STORED"),
        ("get k", "VALUE k 1 2\r\nhi\r\nEND"),
        ("incr n 41", "42"),
        ("decr n 2", "40"),
        ("decr n 41", "0"),
        ("incr n 18446744073709551615", "18446744073709551615"),
        ("incr n 2", "1"),
        ("get n", "VALUE n 0 1\r\n1\r\nEND"),
        ("set blank 0 0 4\r\n 41 ", "STORED"),
        ("incr blank 1", "42"),
        ("incr none 1", "NOT_FOUND"),
        ("touch k 100", "TOUCHED"),
        ("touch none 100", "NOT_FOUND"),
        ("delete k", "DELETED"),
        ("delete k", "NOT_FOUND"),
        ("delete l 0", "DELETED"),
        ("verbosity 1", "OK"),
        ("flush_all", "OK"),
        ("flush_all 100", "OK"),
        ("flush_all -1", "OK"),
        ("get n", "END"),
        ("version", concat!("VERSION ", env!("CARGO_PKG_VERSION"))),
        ("version 1", concat!("VERSION ", env!("CARGO_PKG_VERSION"))),
    ]);
    // So many keys that it takes more than a usual line.
    let keys = (0..10_000).map(|number| format!(" key-{number}")).collect::<Vec<_>>().concat();
    assert_eq!(server.replies(format!("get{keys}\r\n")), "END\r\n");
    assert_eq!(server.replies("quit\r\nversion\r\n"), "");
    assert_eq!(server.replies("quit now\r\nversion\r\n"), "");
    let stats = server.replies("stats\r\n");
    for line in [
        "STAT curr_items 0",
        "STAT bytes 0",
        "STAT get_hits 7",
        "STAT get_misses 10003",
        "STAT limit_maxbytes 67108864",
    ] {
        assert!(stats.lines().any(|other| other == line), "{line} is not in {stats}");
    }
    assert!(stats.ends_with("END\r\n"));
    server.program.stop();
}

#[test]
fn a_client_may_want_no_reply() {
    let server = Server::start(&["--max-value", "9"]);
    let quiet = "set k 0 0 1 noreply\r\n1\r\nadd k 0 0 1 noreply\r\n2\r\nincr k 4 noreply\r\ntouch k 100 noreply\r\n\
        cas k 0 0 1 99 noreply\r\n3\r\nappend k 0 0 1 noreply\r\n4\r\nset k 0 0 10 noreply\r\n0123456789\r\n\
        verbosity 1 noreply\r\ndelete none noreply\r\ndelete none 0 noreply\r\nflush_all 100 noreply\r\n";
    assert_eq!(server.replies(format!("{quiet}get k\r\n")), "VALUE k 0 2\r\n54\r\nEND\r\n");
    assert_eq!(server.replies("flush_all noreply\r\nget k\r\n"), "END\r\n");
    server.program.stop();
}

#[test]
fn errors_are_those_of_the_protocol() {
    const FORMAT: &str = "CLIENT_ERROR bad command line format";

    let server = Server::start(&[]);
    let (fits, long) = ("k".repeat(250), "k".repeat(251));
    server.converse(&[
        ("nope", "ERROR"),
        ("get", "ERROR"),
        ("set k", "ERROR"),
        ("touch k", "ERROR"),
        ("cas k 0 0 1", "ERROR"),
        ("stats items", "ERROR"),
        ("set k 0 0 1 noreply more", "ERROR"),
        // Another word in that place is passed over, as memcached does.
        ("set k 0 0 1 norepl\r\n1", "STORED"),
        ("set k -1 0 1", FORMAT),
        ("set k 0 soon 1", FORMAT),
        ("set k 0 0 -1", FORMAT),
        ("set k 0 0 99999999999", FORMAT),
        ("cas k 0 0 1 x\r\n1", &format!("{FORMAT}\r\nERROR")),
        ("flush_all soon", FORMAT),
        ("incr k many", "CLIENT_ERROR invalid numeric delta argument"),
        ("touch k soon", "CLIENT_ERROR invalid exptime argument"),
        ("delete k 5", FORMAT),
        ("delete k 0 5", FORMAT),
        ("delete k noreply 0", FORMAT),
        ("set k 0 0 4\r\ntext", "STORED"),
        ("incr k 1", "CLIENT_ERROR cannot increment or decrement non-numeric value"),
        // Two bytes more are taken for its end; what is behind them is a command.
        ("set k 0 0 4\r\nversion", "CLIENT_ERROR bad data chunk\r\nERROR"),
        ("set k 0 0 4\r\ntoo", "CLIENT_ERROR bad data chunk"),
        (&format!("set {fits} 0 0 1\r\n1"), "STORED"),
        (&format!("set {long} 0 0 1\r\n1"), FORMAT),
        (&format!("get {long}"), FORMAT),
        (&format!("get {fits}"), &format!("VALUE {fits} 0 1\r\n1\r\nEND")),
        (&format!("delete {long}"), FORMAT),
        (&format!("incr {long} 1"), FORMAT),
    ]);
    let value = "x".repeat(1 << 20);
    server.converse(&[
        (&format!("set k 0 0 1048576\r\n{value}"), "STORED"),
        (&format!("set k 0 0 1048577\r\n{value}x\r\nget none"), "SERVER_ERROR object too large for cache\r\nEND"),
        ("append k 0 0 1\r\nx", "SERVER_ERROR object too large for cache"),
        ("get k", &format!("VALUE k 0 1048576\r\n{value}\r\nEND")),
    ]);
    server.program.stop();
}

#[test]
fn an_item_is_gone_after_its_time() {
    let server = Server::start(&[]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (past, soon) = (now - 10, now + 2);
    let is_gone = |key: &str| server.replies(format!("get {key}\r\n")) == "END\r\n";
    server.converse(&[
        ("set never 0 0 1\r\nx", "STORED"),
        ("set second 0 1 1\r\nx", "STORED"),
        ("set negative 0 -1 1\r\nx", "STORED"),
        (&format!("set past 0 {past} 1\r\nx"), "STORED"),
        (&format!("set soon 0 {soon} 1\r\nx"), "STORED"),
        ("set touched 0 0 1\r\nx", "STORED"),
        ("touch touched 1", "TOUCHED"),
        ("set month 0 2592000 1\r\nx", "STORED"),
    ]);
    assert!(is_gone("negative") && is_gone("past"));
    assert!(!is_gone("month") && !is_gone("never"));
    for key in ["second", "touched", "soon"] {
        wait_until("the item is gone", || is_gone(key));
    }
    server.converse(&[("add second 0 0 1\r\nx", "STORED"), ("flush_all 1", "OK")]);
    wait_until("all items are gone", || is_gone("never"));
    server.converse(&[
        ("get second month", "END"),
        ("set after 0 0 1\r\nx", "STORED"),
        ("get after", "VALUE after 0 1\r\nx\r\nEND"),
        (&format!("flush_all {past}"), "OK"),
        ("get after", "END"),
    ]);
    server.program.stop();
}

#[test]
fn what_was_used_least_recently_is_evicted() {
    let server = Server::start(&["--max-memory", "100000", "--max-value", "200000"]);
    let value = "x".repeat(9_900);
    let store = |key: &str| server.replies(format!("set {key} 0 0 9900\r\n{value}\r\n"));
    let is_there = |key: &str| server.replies(format!("get {key}\r\n")).starts_with("VALUE");
    // Each takes 9 965 bytes, so ten fit.
    for key in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        assert_eq!(store(key), "STORED\r\n");
    }
    assert!(is_there("0"));
    assert_eq!(store("a"), "STORED\r\n");
    assert_eq!(["0", "1", "2", "a"].map(is_there), [true, false, true, true]);
    assert!(server.replies("stats\r\n").contains("STAT evictions 1\r\n"));

    let large = format!("set large 0 0 100000\r\n{}\r\n", "x".repeat(100_000));
    assert_eq!(server.replies(large), "SERVER_ERROR object too large for cache\r\n");
    assert!(is_there("0"));
    server.program.stop();
}

#[test]
fn clients_work_side_by_side() {
    let server = Server::start(&[]);
    server.converse(&[("set all 0 0 1\r\n0", "STORED")]);
    thread::scope(|scope| {
        for number in 0..8 {
            let client = server.client();
            scope.spawn(move || {
                let own = format!("own-{number}");
                for value in 0..100 {
                    client.increment("all", 1).unwrap();
                    client.set(&own, value, 0).unwrap();
                    assert_eq!(client.get::<u32>(&own).unwrap(), Some(value));
                }
            });
        }
    });
    server.converse(&[("get all", "VALUE all 0 3\r\n800\r\nEND")]);
    server.program.stop();
}

#[test]
fn what_is_no_command_is_refused_and_the_server_goes_on() {
    let server = Server::start(&[]);
    let before = peak_memory(server.program.pid());
    // As long as a value may not be, and does not come; and one that is as long as it says.
    assert_eq!(server.replies("set k 0 0 4294967295\r\nx"), "SERVER_ERROR object too large for cache\r\n");
    let long = [b"set k 0 0 67108864\r\n".to_vec(), vec![b'x'; 64 << 20], b"\r\nget k\r\n".to_vec()].concat();
    assert_eq!(server.replies(long), "SERVER_ERROR object too large for cache\r\nEND\r\n");
    // It is passed over, and behind it is the next one.
    let endless = [vec![b'x'; 64 << 20], b"\r\nget k\r\n".to_vec()].concat();
    let too_long = "CLIENT_ERROR the line is longer than 262144 bytes (`max_line`)\r\nEND\r\n";
    assert_eq!(server.replies(endless), too_long);

    let mut noise = Noise::new(11);
    let request = b"set k 0 0 5\r\nhello\r\nget k\r\ncas k 0 0 1 1\r\nx\r\n";
    for _ in 0..300 {
        let length = 1 + noise.below(5_000);
        let bytes = if noise.below(2) == 0 { noise.bytes(length) } else { noise.damaged(&request.repeat(20)) };
        send_and_end(&server.address, &bytes);
    }
    assert!(server.replies("version\r\n").starts_with("VERSION"));
    let grown = peak_memory(server.program.pid()) - before;
    assert!(grown < 16 << 20, "{grown} bytes for values of 1 MiB at the most");
    server.program.stop();
}

#[test]
fn half_a_command_and_then_silence_ends() {
    let mut server = Server::start(&["--idle-timeout", "1"]);
    for half in ["get k", "set k 0 0 5\r\nhel"] {
        let replies = send_and_wait(&server.address, format!("get none\r\n{half}").as_bytes());
        assert_eq!(replies, b"END\r\n");
        server.program.logged("`read_timeout`");
    }
    assert!(server.replies("version\r\n").starts_with("VERSION"));
    server.program.stop();
}
