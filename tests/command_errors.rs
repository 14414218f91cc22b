//! The errors of commands: what `#[on_error]` is told and may say, and what fails the handler.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketserver::{
    Address, CommandError, CommandErrorKind, HandlerError, Hooks, Reader, Running, Writer, handler, socket_server,
};
use support::talk;

/// Tells the test of its failures, and sorts errors for the peer.
#[socket_server(tcp, threading, hooks)]
struct Sorting {
    failures: Mutex<Sender<String>>,
    finished: AtomicUsize,
}

impl Hooks for Sorting {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[derive(Default)]
struct Sorted {
    commands: usize,
}

#[handler(Sorting)]
impl Sorted {
    fn setup(&mut self, output: &mut Writer) -> io::Result<()> {
        output.write_all(b"ready\n")
    }

    #[command]
    fn count(&mut self) -> usize {
        self.commands += 1;
        self.commands
    }

    #[command("fail", "break")]
    fn fail(&mut self, number: i32) -> Result<(), String> {
        Err(format!("failed {number}"))
    }

    #[command]
    fn body(&mut self, size: usize, input: &mut Reader) -> io::Result<usize> {
        input.read_exact(&mut vec![0; size])?;
        Ok(size)
    }

    #[command]
    fn panic(&mut self) {
        panic!("as asked");
    }

    #[on_error]
    fn refused(&mut self, error: &CommandError, peer: &Address) -> Result<String, String> {
        assert!(peer.port().is_some());
        let (kind, command, argument, sent) = (error.kind(), error.command(), error.argument(), error.sent());
        if (kind, command) == (CommandErrorKind::Failed, "fail") && error.to_string() == "failed 13" {
            return Err("thirteen".to_owned());
        }
        Ok(format!("{kind:?} {command}/{argument}/{sent}: {error}"))
    }

    fn finish(&mut self, server: &Sorting) {
        server.finished.fetch_add(1, SeqCst);
    }
}

fn sorting() -> (Running<Sorting>, Receiver<String>) {
    let (failures, told) = channel();
    let server = Sorting { failures: Mutex::new(failures), finished: AtomicUsize::new(0) };
    let server = server.builder().max_line(80).read_timeout(Duration::from_millis(200)).bind("127.0.0.1:0");
    (server.unwrap().start().unwrap(), told)
}

#[test]
fn on_error_is_told_what_was_wrong() {
    let (server, told) = sorting();
    let input = format!("count\nnone\nfail\nfail x\nfail 1 2\nBREAK 3\n{}\ncount\n", "x".repeat(100));
    let replies = exchange(&server, input.as_bytes());
    let expected = "ready\n1\nUnknown //none: no such command: `none`\n\
        Missing fail/number/: fail: `number` is missing\n\
        Invalid fail/number/x: fail: `number` cannot be `x`: invalid digit found in string\n\
        Surplus fail//2: fail: `2` is one argument too many\n\
        Failed break//: failed 3\n\
        Frame //: the line is longer than 80 bytes (`max_line`)\n2\n";
    assert_eq!(replies, expected);
    assert_eq!(server.service().finished.load(SeqCst), 1);
    assert!(told.try_recv().is_err());
}

#[test]
fn an_error_of_on_error_fails_the_handler() {
    let (server, told) = sorting();
    assert_eq!(exchange(&server, b"fail 13\ncount\n"), "ready\n");
    assert_eq!(told.recv().unwrap(), "`handle` failed: thirteen");
}

#[test]
fn a_panic_in_a_command_fails_the_handler() {
    let (server, told) = sorting();
    assert_eq!(exchange(&server, b"count\npanic\ncount\n"), "ready\n1\n");
    assert_eq!(told.recv().unwrap(), "`handle` panicked: as asked");
    assert_eq!(exchange(&server, b"count\n"), "ready\n1\n");
}

/// What the peer would send next is in the middle of a body: it must not be taken for commands.
#[test]
fn a_command_whose_input_fails_ends_the_connection() {
    let (server, told) = sorting();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"count\nbody 20\ncount\n").unwrap();
    let mut replies = String::new();
    client.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, "ready\n1\n");
    assert_eq!(told.recv().unwrap(), "`handle` failed: nothing was received for 200ms (`read_timeout`)");
}

/// The replies to `input`.
fn exchange(server: &Running<Sorting>, input: &[u8]) -> String {
    String::from_utf8(talk(server.local_address(), input).unwrap()).unwrap()
}
