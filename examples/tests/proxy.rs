//! Forwards real traffic through the example `proxy`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;
use socketserver::Address;
use support::{Noise, Program, ask, executable, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A proxy and the server that it forwards to, which is this test.
struct Forwarding {
    proxy: Program,
    address: Address,
    upstream: TcpListener,
}

impl Forwarding {
    fn start(limits: &[&str]) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let (proxy, address) = start(upstream.local_addr().unwrap(), limits);
        Self { proxy, address, upstream }
    }

    /// Both ends of a new connection through it.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let client = connect(&self.address);
        let (upstream, _) = self.upstream.accept().unwrap();
        upstream.set_read_timeout(Some(PATIENCE)).unwrap();
        (client, upstream)
    }
}

fn start(to: SocketAddr, limits: &[&str]) -> (Program, Address) {
    let to = to.to_string();
    let mut proxy = Program::start("proxy", &[&["--address", "127.0.0.1:0", "--to", &to], limits].concat());
    let address = proxy.address();
    (proxy, address)
}

fn connect(address: &Address) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

fn assert_ended(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

/// Sends `text` from the one end, and sees it at the other.
fn assert_passes(mut from: &TcpStream, mut to: &TcpStream, text: &str) {
    from.write_all(text.as_bytes()).unwrap();
    let mut received = vec![0; text.len()];
    to.read_exact(&mut received).unwrap();
    assert_eq!(received, text.as_bytes());
}

fn send_all(mut to: &TcpStream, bytes: &[u8]) {
    to.write_all(bytes).unwrap();
    to.shutdown(Shutdown::Write).unwrap();
}

fn receive_all(mut from: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The client of another protocol, who knows nothing of a proxy.
#[test]
fn a_redis_client_is_served_through_it() {
    let mut server = Program::start("redis", &["--address", "127.0.0.1:0"]);
    let upstream = server.address().socket_addr().unwrap();
    let (proxy, address) = start(upstream, &[]);
    let mut client = redis::Client::open(format!("redis://{address}")).unwrap().get_connection().unwrap();
    let long = "x".repeat(500_000);
    let replies: (String, i64, String) = redis::pipe()
        .set("long", &long)
        .ignore()
        .get("long")
        .incr("n", 7)
        .cmd("ECHO")
        .arg("end")
        .query(&mut client)
        .unwrap();
    assert!(replies == (long, 7, "end".to_owned()));
    drop(client);
    proxy.stop();
    server.stop();
}

#[test]
fn the_client_ends_its_side_first() {
    let forwarding = Forwarding::start(&[]);
    let (client, upstream) = forwarding.connect();
    assert_passes(&client, &upstream, "request");
    client.shutdown(Shutdown::Write).unwrap();
    assert_ended(&upstream);
    assert_passes(&upstream, &client, "reply");
    assert_passes(&upstream, &client, "and more");
    drop(upstream);
    assert_ended(&client);
    forwarding.proxy.stop();
}

#[test]
fn the_upstream_ends_its_side_first() {
    let mut forwarding = Forwarding::start(&[]);
    let (client, upstream) = forwarding.connect();
    assert_passes(&upstream, &client, "greeting");
    upstream.shutdown(Shutdown::Write).unwrap();
    assert_ended(&client);
    assert_passes(&client, &upstream, "one");
    assert_passes(&client, &upstream, "two");
    drop(client);
    assert_ended(&upstream);
    forwarding.proxy.logged("ended after 6 bytes up and 8 down");
    forwarding.proxy.stop();
}

#[test]
fn both_directions_carry_much_at_once() {
    const LENGTH: usize = 16 << 20;

    let forwarding = Forwarding::start(&[]);
    let (client, upstream) = forwarding.connect();
    let (up, down) = (Noise::new(1).bytes(LENGTH), Noise::new(2).bytes(LENGTH));
    let (client_got, upstream_got) = thread::scope(|scope| {
        scope.spawn(|| send_all(&client, &up));
        scope.spawn(|| send_all(&upstream, &down));
        let client_got = scope.spawn(|| receive_all(&client));
        let upstream_got = receive_all(&upstream);
        (client_got.join().unwrap(), upstream_got)
    });
    assert!(client_got == down, "{} bytes of {LENGTH}, or others", client_got.len());
    assert!(upstream_got == up, "{} bytes of {LENGTH}, or others", upstream_got.len());
    forwarding.proxy.stop();
}

#[test]
fn a_client_that_does_not_read_is_still_forwarded_and_holds_the_upstream_back() {
    let forwarding = Forwarding::start(&[]);
    let (client, upstream) = forwarding.connect();
    // As much as all buffers on the way take.
    upstream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let chunk = Noise::new(3).bytes(65_536);
    let mut taken = 0;
    let full = loop {
        match (&upstream).write(&chunk) {
            Ok(length) => taken += length,
            Err(error) => break error,
        }
        assert!(taken < 1 << 30, "the proxy keeps what the client does not take");
    };
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    assert_passes(&client, &upstream, "the other direction");
    assert_passes(&client, &upstream, "goes on");

    // And nothing was lost meanwhile.
    upstream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(io::copy(&mut &client, &mut io::sink()).unwrap(), taken as u64);
    drop(client);
    assert_ended(&upstream);
    forwarding.proxy.stop();
}

#[test]
fn twenty_connections_are_forwarded_at_once() {
    let forwarding = Forwarding::start(&["--max-connections", "20"]);
    // The twenty-first waits for the end of one of them.
    let pairs: Vec<_> = (0..20).map(|_| forwarding.connect()).collect();
    let waiting = connect(&forwarding.address);
    for round in 0..3 {
        for (number, (client, upstream)) in pairs.iter().enumerate() {
            assert_passes(client, upstream, &format!("{number} in round {round}"));
            assert_passes(upstream, client, &format!("{round} of {number}"));
        }
    }
    forwarding.upstream.set_nonblocking(true).unwrap();
    assert_eq!(forwarding.upstream.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    forwarding.upstream.set_nonblocking(false).unwrap();
    drop(pairs);
    let (upstream, _) = forwarding.upstream.accept().unwrap();
    assert_passes(&waiting, &upstream, "at last");
    drop((waiting, upstream));
    assert!(forwarding.proxy.stop().output.ends_with("drained; connections: 21\n"));
}

#[test]
fn an_upstream_that_refuses_is_told_of_and_tried_again() {
    // A port that is free, now that nobody listens on it.
    let to = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut proxy, address) = start(to, &[]);
    for _ in 0..2 {
        assert_ended(&connect(&address));
        let line = proxy.logged("ERROR");
        let expected = format!("`handle` failed: cannot connect to {to}: Connection refused (os error 111)");
        assert!(line.ends_with(&expected), "{line}");
    }
    let upstream = TcpListener::bind(to).unwrap();
    let client = connect(&address);
    assert_passes(&client, &upstream.accept().unwrap().0, "here it is");
    drop(client);
    proxy.stop();
}

#[test]
fn a_name_that_cannot_be_found_is_told_of() {
    // RFC 6761 has it never exist.
    let mut proxy = Program::start("proxy", &["--address", "127.0.0.1:0", "--to", "nowhere.invalid:80"]);
    assert_ended(&connect(&proxy.address()));
    proxy.logged("cannot connect to nowhere.invalid:80: failed to lookup address information");
    proxy.stop();
}

#[test]
fn resets_end_both_sides_and_nothing_else() {
    let mut forwarding = Forwarding::start(&[]);
    let (other_client, other_upstream) = forwarding.connect();

    let (client, upstream) = forwarding.connect();
    assert_passes(&client, &upstream, "request");
    reset(client);
    assert_ended(&upstream);

    let (client, upstream) = forwarding.connect();
    assert_passes(&client, &upstream, "request");
    reset(upstream);
    assert_ended(&client);
    forwarding.proxy.logged("the connection to the upstream is broken: Connection reset by peer");

    assert_passes(&other_client, &other_upstream, "we go on");
    assert_passes(&other_upstream, &other_client, "so we do");
    drop((other_client, other_upstream));
    forwarding.proxy.stop();
}

#[test]
fn silence_on_both_sides_ends_a_connection_and_on_one_side_does_not() {
    let mut forwarding = Forwarding::start(&["--idle-timeout", "1"]);
    let (client, upstream) = forwarding.connect();
    thread::scope(|scope| {
        scope.spawn(|| assert_ended(&client));
        // Longer than the timeout, and nothing comes back.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1_500) {
            assert_passes(&client, &upstream, "x");
        }
        assert_ended(&upstream);
    });
    forwarding.proxy.logged("for 1s");
    forwarding.proxy.stop();
}

#[test]
fn a_side_that_takes_nothing_is_named() {
    // A receiver without room is asked for some less and less often (RFC 1122, 4.2.2.17), so what the proxy still has
    // room for may stand still for a second or two.
    let mut forwarding = Forwarding::start(&["--idle-timeout", "4"]);
    let much = vec![b'x'; 65_536];
    let (client, upstream) = forwarding.connect();
    // Its system notices the end later, since nobody has room for what it sends.
    client.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    while (&client).write_all(&much).is_ok() {}
    forwarding.proxy.logged("`handle` failed: the upstream neither sends nor takes anything for 4s");
    drop((client, upstream));

    let (client, upstream) = forwarding.connect();
    while (&upstream).write_all(&much).is_ok() {}
    forwarding.proxy.logged("`handle` failed: the peer takes nothing for 4s (`write_timeout`)");
    drop((client, upstream));
    let log = forwarding.proxy.stop().log;
    assert_eq!(log.matches("ERROR").count(), 2, "{log}");
}

#[test]
fn a_drain_ends_what_is_idle_and_waits_for_answers() {
    let mut upper = Program::start("upper", &["127.0.0.1:0"]);
    let to = upper.address().socket_addr().unwrap();
    // A drain that waits for an idle one would not end in this test's time.
    let (proxy, address) = start(to, &["--drain-timeout", "3600"]);
    let idle: Vec<_> = (0..3).map(|_| connect(&address)).collect();
    for mut client in &idle {
        client.write_all(b"hello\n").unwrap();
        let mut reply = [0; 6];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"HELLO\n");
    }
    let never_said_a_word = connect(&address);
    assert_eq!(ask(&address, "one that has ended").unwrap(), "ONE THAT HAS ENDED");
    proxy.stop();
    idle.iter().chain([&never_said_a_word]).for_each(assert_ended);
    upper.stop();

    let forwarding = Forwarding::start(&["--drain-timeout", "3600"]);
    let (client, upstream) = forwarding.connect();
    let Forwarding { proxy, address, upstream: listener } = forwarding;
    // It would keep what connects to find out whether the proxy still listens.
    drop(listener);
    assert_passes(&client, &upstream, "a long question");
    proxy.signal(libc::SIGTERM);
    wait_until("no connection is taken any more", || TcpStream::connect(&address).is_err());
    assert_passes(&upstream, &client, "the answer");
    // The proxy says that no more questions come.
    assert_ended(&upstream);
    drop(upstream);
    assert_ended(&client);
    let ended = proxy.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
}

#[test]
fn a_drain_cuts_what_takes_too_long() {
    let forwarding = Forwarding::start(&["--drain-timeout", "1"]);
    let (client, upstream) = forwarding.connect();
    assert_passes(&client, &upstream, "a question without an answer");
    forwarding.proxy.stop();
    assert_ended(&client);
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, code, answer) in [
        (&["--to", "nonsense"][..], 2, "invalid value 'nonsense' for '--to <HOST:PORT>': not HOST:PORT"),
        (&["--to", "localhost:70000"], 2, "invalid value 'localhost:70000'"),
        (&["--to", "localhost:80", "--max-connections", "0"], 2, "invalid value '0' for '--max-connections <NUMBER>'"),
        (&["--to", "localhost:80", "--idle-timeout", "soon"], 2, "invalid value 'soon' for '--idle-timeout <SECONDS>'"),
        (&[], 2, "--to <HOST:PORT>"),
        (&["--to", "localhost:80", "--address", &taken], 1, &taken),
    ] {
        let output = Command::new(executable("proxy")).args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(answer), "{arguments:?}: {error}");
    }
}
