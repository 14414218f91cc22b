//! Sends the example `redis` what no client sends.

use socketserver::Address;
use support::{Noise, Program, peak_memory, send_and_end, send_and_wait};

struct Server {
    program: Program,
    address: Address,
}

impl Server {
    fn start(limits: &[&str]) -> Self {
        let mut program = Program::start("redis", &[&["--address", "127.0.0.1:0"], limits].concat());
        let address = program.address();
        Self { program, address }
    }

    /// All that is replied to these bytes, behind which nothing comes.
    #[track_caller]
    fn replies(&self, bytes: impl AsRef<[u8]>) -> String {
        String::from_utf8(send_and_end(&self.address, bytes.as_ref())).unwrap()
    }
}

#[test]
fn a_request_that_is_too_long_is_refused() {
    let server = Server::start(&["--max-request", "1000"]);
    assert_eq!(server.replies(b"*2\r\n$4\r\nPING\r\n$1001\r\n"), "-ERR Protocol error: invalid bulk length\r\n");
    let long = format!("*2\r\n$4\r\nPING\r\n$980\r\n{}\r\n", "x".repeat(980));
    assert_eq!(server.replies(long.as_bytes()), "-ERR Protocol error: a message is longer than 1000 bytes\r\n");
    let fits = format!("*2\r\n$4\r\nECHO\r\n$970\r\n{0}\r\n", "x".repeat(970));
    assert_eq!(server.replies(fits.as_bytes()).len(), "$970\r\n\r\n".len() + 970);
    server.program.stop();
}

#[test]
fn what_is_no_request_is_refused_and_the_server_goes_on() {
    let server = Server::start(&[]);
    let before = peak_memory(server.program.pid());
    for (bytes, error) in [
        ("*1000000000\r\n", "invalid multibulk length"),
        ("*99999999999999999999999\r\n", "invalid multibulk length"),
        ("*1\r\n$999999999999\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$99999999999999999999999999", "invalid bulk length"),
        ("*x\r\n", "invalid multibulk length"),
        ("*1\n", "invalid multibulk length"),
        ("*1\r\nPING\r\n", "expected '$', got 'P'"),
        ("*1\r\n\x1b", "expected '$', got '\\x1b'"),
        ("*2\r\n$3\r\nGET\r\n$5\r\nab", "the input ends within a message"),
    ] {
        let ping = "PING\r\n";
        let replies = server.replies(format!("{ping}{bytes}").as_bytes());
        assert_eq!(replies, format!("+PONG\r\n-ERR Protocol error: {error}\r\n"), "{bytes}");
    }
    // A million strings that do not come; and many that do, each empty.
    assert_eq!(server.replies(b"*1000000\r\n$0\r\n\r\n"), "-ERR Protocol error: the input ends within a message\r\n");
    let empty = format!("*1000000\r\n{}", "$0\r\n\r\n".repeat(200_000));
    assert!(server.replies(empty.as_bytes()).starts_with("-ERR Protocol error: a message is longer than"));

    let endless = server.replies(vec![b'x'; 64 << 20]);
    assert_eq!(endless, "-ERR Protocol error: too big inline request\r\n");

    let mut noise = Noise::new(6);
    let request = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n";
    for _ in 0..300 {
        let length = 1 + noise.below(5_000);
        let bytes = if noise.below(2) == 0 { noise.bytes(length) } else { noise.damaged(&request.repeat(20)) };
        send_and_end(&server.address, &bytes);
    }
    assert_eq!(server.replies("PING\r\n"), "+PONG\r\n");
    let grown = peak_memory(server.program.pid()) - before;
    assert!(grown < 16 << 20, "{grown} bytes for requests of 1 MiB at the most");
    server.program.stop();
}

#[test]
fn half_a_request_and_then_silence_ends() {
    let mut server = Server::start(&["--idle-timeout", "1"]);
    let replies = send_and_wait(&server.address, b"PING\r\n*2\r\n$3\r\nGE");
    assert_eq!(replies, b"+PONG\r\n");
    server.program.logged("`read_timeout`");
    assert_eq!(server.replies("PING\r\n"), "+PONG\r\n");
    server.program.stop();
}
