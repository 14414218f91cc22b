//! Talks to the examples that need no more than `std`: each is started as a user would, and ended by a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::iter;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, SystemTime};

use socket2::SockRef;
use socketserver::Address;
use support::{Ended, Place, Program, ask, ask_packet, executable, wait_until};

/// Its own tests are run here, which those of an example are not.
#[allow(dead_code, reason = "all but what is tested")]
#[path = "../time.rs"]
mod time;

#[test]
fn upper_answers_in_upper_case() {
    let mut upper = Program::start("upper", &["127.0.0.1:0"]);
    let address = upper.address();
    assert_eq!(ask(&address, "hello").unwrap(), "HELLO");
    assert_eq!(ask(&address, "straße").unwrap(), "STRASSE");
    assert!(upper.stop().output.ends_with("drained; connections: 2\n"));
}

#[test]
fn upper_all_answers_on_all_twelve_and_leaves_no_path() {
    for transport in ["tcp", "udp", "unix_stream", "unix_datagram"] {
        for mixin in ["iterative", "threading", "forking"] {
            let place = Place::new();
            let path = place.path("upper");
            let address = if transport.starts_with("unix") { path.to_str().unwrap() } else { "127.0.0.1:0" };
            let arguments = ["--transport", transport, "--mixin", mixin, "--address", address];
            let mut upper = Program::start("upper_all", &arguments);
            let address = upper.address();
            let reply = match transport {
                "tcp" | "unix_stream" => ask(&address, "hello").unwrap() + "\n",
                _ => String::from_utf8(ask_packet(&address, b"hello\n").unwrap()).unwrap(),
            };
            assert_eq!(reply, "HELLO\n", "{transport}, {mixin}");
            assert_eq!(path.exists(), transport.starts_with("unix"), "{transport}, {mixin}");
            let rest = upper.stop().output;
            assert!(rest.ends_with("drained; requests: 1\n"), "{transport}, {mixin}: {rest}");
            assert!(!path.exists(), "{transport}, {mixin}");
        }
    }
}

#[test]
fn upper_all_says_which_words_there_are() {
    for (arguments, answer) in [
        (&["--transport", "tpc"][..], "unknown `--transport tpc`: there is tcp, udp, unix_stream, unix_datagram"),
        (&["--mixin", "threads"], "unknown `--mixin threads`: there is iterative, threading, forking"),
        (&["--port", "7"], "unknown `--port`: there is --transport, --mixin, --address"),
        (&["--mixin"], "`--mixin` needs a value"),
    ] {
        let output = Command::new(executable("upper_all")).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("upper_all: {answer}\n"));
    }
}

#[test]
fn threads_and_processes_shows_who_served_each_request() {
    let Ended { status, output, .. } = Program::start("threads_and_processes", &["3"]).wait();
    assert!(status.success(), "{status}: {output}");
    let of = |mixin: &str| -> Vec<Row> {
        let lines = output.lines().filter(|line| line.starts_with(mixin) && line.contains("ThreadId"));
        lines.map(Row::parse).collect()
    };
    let (iterative, threading, forking) = (of("iterative"), of("threading"), of("forking"));
    assert_eq!([iterative.len(), threading.len(), forking.len()], [3; 3], "{output}");
    assert_eq!(distinct(&iterative, |row| (&row.thread, &row.process)), 1, "{output}");
    assert_eq!(distinct(&threading, |row| (&row.thread, &row.process)), 3, "{output}");
    assert_eq!(distinct(&threading, |row| &row.process), 1, "{output}");
    assert_eq!(distinct(&forking, |row| &row.process), 3, "{output}");
    // One begins before the one before it has ended: never, or side by side.
    let overlaps = |rows: &[Row]| rows.windows(2).any(|pair| pair[1].from < pair[0].to);
    assert_eq!([&iterative, &threading, &forking].map(|rows| overlaps(rows)), [false, true, true], "{output}");
}

#[test]
fn three_members_chat() {
    let mut chat = Program::start("chat", &["127.0.0.1:0"]);
    let address = chat.address();

    let mut ann = Member::join(&address, "ann");
    assert_eq!(ann.line(), "* welcome, ann; here are ann; there is /who and /quit");
    let mut bob = Member::join(&address, "bob");
    assert_eq!(bob.line(), "* welcome, bob; here are ann, bob; there is /who and /quit");
    assert_eq!(ann.line(), "* bob joins");

    let mut cay = Member::join(&address, "ann");
    assert_eq!(cay.line(), "* ann is taken");
    cay.prompt();
    cay.say("");
    assert_eq!(cay.line(), "* a nick has 1 to 20 letters and digits");
    cay.prompt();
    cay.say("cay");
    assert_eq!(cay.line(), "* welcome, cay; here are ann, bob, cay; there is /who and /quit");
    assert_eq!([ann.line(), bob.line()], ["* cay joins"; 2]);

    ann.say("hello \x1b[2J \u{202e}\u{2028}all");
    assert_eq!([bob.line(), cay.line()], ["<ann> hello [2J all"; 2]);
    cay.say("/who");
    assert_eq!(cay.line(), "* ann, bob, cay");
    cay.say("/what");
    assert_eq!(cay.line(), "* there is /who and /quit");

    bob.say("/quit");
    assert_eq!(bob.line(), "");
    assert_eq!([ann.line(), cay.line()], ["* bob leaves"; 2]);
    drop(cay);
    assert_eq!(ann.line(), "* cay leaves");
    assert!(chat.stop().output.ends_with("drained; connections: 3\n"));
    assert_eq!(ann.line(), "");
}

#[test]
fn a_member_that_does_not_read_is_put_out_and_the_others_go_on() {
    let mut chat = Program::start("chat", &["127.0.0.1:0"]);
    let address = chat.address();
    let mut slow = Member::join(&address, "slow");
    slow.line();
    let mut fast = Member::join(&address, "fast");
    fast.line();

    let said = "x".repeat(1_000);
    let mut talker = Member::join(&address, "talker");
    talker.line();
    // Each line is read by one before the next is said, and by the other never.
    assert_eq!(fast.line(), "* talker joins");
    let mut lines = 0;
    loop {
        talker.say(&said);
        match fast.line().as_str() {
            "* slow leaves" => break,
            line => assert_eq!(line, format!("<talker> {said}")),
        }
        lines += 1;
        assert!(lines < 100_000, "the kernel keeps no 100 MB for one connection");
    }
    assert_eq!(talker.line(), "* slow leaves");
    chat.stop();
}

#[test]
fn one_that_is_gone_before_its_welcome_is_off_the_list() {
    let mut chat = Program::start("chat", &["127.0.0.1:0"]);
    let address = chat.address();
    // So many that the welcome, which names them all, is more than is gathered before it is sent.
    let nicks: Vec<_> = (0..420).map(|number| format!("{number:0>20}")).collect();
    let mut members: Vec<_> = nicks.iter().map(|nick| Member::join(&address, nick)).collect();
    // Before its own welcome one may hear of others that join.
    for member in &mut members {
        while !member.line().starts_with("* welcome, ") {}
    }
    let mut last = Member::join(&address, "last");
    let welcome = iter::repeat_with(|| last.line()).find(|line| line.starts_with("* welcome, ")).unwrap();
    assert!(welcome.contains(&nicks.join(", ")));
    for _ in 0..20 {
        let gone = Member::join(&address, "gone");
        // An end with what is unread behind it is a reset.
        SockRef::from(gone.input.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
        drop(gone);
        wait_until("the nick is free", || {
            last.say("/who");
            loop {
                let line = last.line();
                if line.starts_with("* 0") {
                    return !line.contains("gone");
                }
            }
        });
    }
    drop((members, last));
    chat.stop();
}

#[test]
fn time_is_that_of_the_clock() {
    let mut program = Program::start("time", &["0", "0"]);
    let (seconds, text) = (program.address(), program.address());

    let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let before = now();
    let seconds = ask_packet(&seconds, b"").unwrap();
    let text = String::from_utf8(ask_packet(&text, b"\n").unwrap()).unwrap();
    let possible = before..=now();

    let seconds = u32::from_be_bytes(seconds.try_into().expect("four bytes"));
    // The same as a signed number, which is right from 1968 to 2104.
    let unix = u64::from(seconds.wrapping_sub(2_208_988_800));
    assert!(possible.contains(&unix), "{unix} is not in {possible:?}");
    let date = |seconds: u64| {
        let format = "+%A, %B %-d, %Y %H:%M:%S-UTC";
        let output =
            Command::new("date").env("LC_ALL", "C").args(["-u", "-d", &format!("@{seconds}"), format]).output();
        String::from_utf8(output.expect("date(1)").stdout).expect("text")
    };
    assert!(possible.clone().any(|second| date(second).trim_end() == text.trim_end()), "{text}");
    assert!(program.stop().output.ends_with("drained; packets: 2\n"));
}

#[test]
fn time_says_what_is_not_a_port() {
    let output = Command::new(executable("time")).arg("noon").output().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "Error: \"`noon` is not a port\"\n");
}

/// A client of the chat room.
struct Member {
    input: BufReader<TcpStream>,
}

impl Member {
    fn join(address: &Address, nick: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let mut member = Self { input: BufReader::new(stream) };
        member.prompt();
        member.say(nick);
        member
    }

    fn prompt(&mut self) {
        let mut prompt = [0; "your nick? ".len()];
        self.input.read_exact(&mut prompt).expect("the prompt");
        assert_eq!(&prompt, b"your nick? ");
    }

    fn say(&mut self, text: &str) {
        self.input.get_mut().write_all(format!("{text}\n").as_bytes()).expect("the server takes it");
    }

    /// The next line; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.input.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}

/// What a reply of `threads_and_processes` says.
#[derive(Debug)]
struct Row {
    thread: String,
    process: String,
    from: u64,
    to: u64,
}

impl Row {
    fn parse(line: &str) -> Self {
        let [_, _, thread, process, from, _, to, _] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("not a row of the table: {line}");
        };
        let number = |text: &str| text.parse().expect("a number");
        Self { thread: thread.to_owned(), process: process.to_owned(), from: number(from), to: number(to) }
    }
}

fn distinct<'a, T: Ord>(rows: &'a [Row], of: impl Fn(&'a Row) -> T) -> usize {
    rows.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
}
