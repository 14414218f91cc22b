//! Servers of messages: what `#[message]` is given, its errors, and the loop that a handler may have instead.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use socketserver::{
    Address, Delimited, Frame, HandlerError, Hooks, LengthPrefixed, MessageOptions, Reader, Running, Writer, handler,
    socket_server,
};
use support::talk;

/// Messages with their length first, answered in kind; what fails it tells the test.
#[socket_server(tcp, threading, hooks, read_buffer = 16)]
struct Prefixed {
    failures: Mutex<Sender<String>>,
}

impl Hooks for Prefixed {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[derive(Default)]
struct Session {
    messages: usize,
}

#[handler(Prefixed, frame = LengthPrefixed<u32, 100_000>)]
impl Session {
    #[message]
    fn message(&mut self, body: &[u8], server: &Prefixed) -> Result<Vec<u8>, io::Error> {
        assert!(server.failures.lock().is_ok());
        self.messages += 1;
        if body == b"fail" { Err(io::Error::other("as asked")) } else { Ok(body.iter().rev().copied().collect()) }
    }
}

fn prefixed() -> (Running<Prefixed>, Receiver<String>) {
    let (failures, told) = channel();
    let server = Prefixed { failures: Mutex::new(failures) };
    (server.bind("127.0.0.1:0").unwrap().start().unwrap(), told)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    framed
}

#[test]
fn messages_longer_than_the_buffer_come_whole() {
    let (server, told) = prefixed();
    let long: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let reversed: Vec<u8> = long.iter().rev().copied().collect();
    let replies = exchange(&server, &[framed(b"abc"), framed(b""), framed(&long), framed(b"x")].concat());
    assert!(replies == [framed(b"cba"), framed(b""), framed(&reversed), framed(b"x")].concat());
    assert!(told.try_recv().is_err());
}

#[test]
fn an_error_of_a_message_fails_the_handler() {
    let (server, told) = prefixed();
    assert_eq!(exchange(&server, &[framed(b"ab"), framed(b"fail"), framed(b"ab")].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: as asked");
}

#[test]
fn a_length_that_is_too_great_ends_the_connection() {
    let (server, told) = prefixed();
    assert_eq!(exchange(&server, &[framed(b"ab"), vec![255; 4], framed(b"ab")].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: a message of 4294967295 bytes: 100000 are allowed");
}

#[test]
fn an_input_that_ends_within_a_message_fails_the_handler() {
    let (server, told) = prefixed();
    assert_eq!(exchange(&server, &[framed(b"ab"), framed(b"abcdef")[..7].to_vec()].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: the input ends within a message");
}

/// A loop by hand over a frame's messages.
#[socket_server(tcp, threading)]
struct ByHand;

#[handler]
impl ByHand {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let mut options = MessageOptions::default();
        options.max_line = 4;
        let mut frame = Delimited::<b';'>::new(&options);
        loop {
            match input.next_message(&mut frame) {
                Ok(None) => return Ok(()),
                Ok(Some(message)) => writeln!(output, "{}", message.len())?,
                Err(error) => writeln!(output, "{:?}: {error}", error.kind())?,
            }
        }
    }
}

#[test]
fn a_handler_may_have_a_loop_of_its_own() {
    let server = ByHand.bind("127.0.0.1:0").unwrap().start().unwrap();
    let replies = String::from_utf8(exchange(&server, b"abc;;123456789;12")).unwrap();
    assert_eq!(replies, "3\n0\nInvalidData: the line is longer than 4 bytes (`max_line`)\n2\n");
}

fn exchange<S, T, M>(server: &Running<S, T, M>, input: &[u8]) -> Vec<u8> {
    talk(server.local_address(), input).unwrap()
}
