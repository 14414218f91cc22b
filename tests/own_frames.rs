//! Frames of one's own: they have commands and packets as the others do, may skip bytes, are held to their own bounds, and
//! may be wrong, which ends the connection with an error that names the frame and harms no other.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use socketserver::{
    Address, CommandError, CommandErrorKind, CommandFrame, Decoded, Frame, FrameError, HandlerError, Hooks, Line,
    MessageOptions, SpacedWords, Words, handler, socket_server,
};
use support::{ask_packet, talk, wait_until};

/// Netstrings, whose words are commands.
struct Netstring;

impl Frame for Netstring {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        "99:,".len() + 99
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let digits = received.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if received.get(digits).is_some_and(|byte| *byte != b':') || digits > 2 {
            // To the comma, or as far as there is anything.
            let comma = received.iter().position(|byte| *byte == b',');
            return Err(FrameError::new("no netstring").passing_over(comma.map_or(received.len(), |comma| comma + 1)));
        }
        let Some(length) =
            std::str::from_utf8(&received[..digits]).ok().and_then(|digits| digits.parse::<usize>().ok())
        else {
            return Ok(Decoded::Incomplete);
        };
        let body = digits + 1..digits + 1 + length;
        match received.get(body.end) {
            None => Ok(Decoded::Incomplete),
            Some(b',') => Ok(Decoded::Message { length: body.end + 1, body }),
            Some(_) => Err(FrameError::new("a netstring ends with a comma")),
        }
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        write!(output, "{}:", message.len())?;
        output.extend_from_slice(message);
        output.push(b',');
        Ok(())
    }
}

impl CommandFrame for Netstring {
    fn words(message: &[u8]) -> impl Words<'_> {
        SpacedWords::new(message)
    }
}

macro_rules! netstrings {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, threading)]
        struct $name;

        #[handler(frame = Netstring)]
        impl $name {
            #[command]
            fn join(&self, left: &str, right: &str) -> String {
                format!("{left}{right}")
            }

            #[on_error]
            fn refused(&self, error: &CommandError) -> Vec<String> {
                vec![String::from(if error.kind() == CommandErrorKind::Frame { "frame" } else { "command" }), error.to_string()]
            }
        }
    )*};
}

netstrings! {
    NetstringStream: tcp;
    NetstringPacket: udp;
}

#[test]
fn a_frame_of_ones_own_has_commands() {
    let server = NetstringStream.bind("127.0.0.1:0").unwrap().start().unwrap();
    let replies = talk(server.local_address(), b"8:join a b,6:join a,x,8:JOIN c d,2:abc");
    let expected = "2:ab,7:command,24:join: `right` is missing,5:frame,12:no netstring,2:cd,5:frame,\
                    29:a netstring ends with a comma,";
    assert_eq!(String::from_utf8(replies.unwrap()).unwrap(), expected);
}

#[test]
fn on_packets_a_frame_has_no_bounds_of_its_own() {
    let server = NetstringPacket.bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(server.local_address(), b"join a b").unwrap(), b"ab");
}

/// A message ends with a semicolon, and has at most four bytes with it.
struct Short;

impl Frame for Short {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        4
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let end = received.iter().position(|byte| *byte == b';');
        Ok(end.map_or(Decoded::Incomplete, |end| Decoded::Message { body: 0..end, length: end + 1 }))
    }
}

#[socket_server(tcp)]
struct Shorts;

#[handler(frame = Short)]
impl Shorts {
    #[message]
    fn message(&self, message: &str) -> String {
        format!("{message} ")
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        error.to_string()
    }
}

#[test]
fn a_message_that_came_at_once_is_no_longer_than_one_that_came_in_pieces() {
    let server = Shorts.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"one;two;three;end;").unwrap();
    assert_eq!(io::read_to_string(client).unwrap(), "one two a message is longer than 4 bytes");
    server.shutdown().unwrap();
}

/// Lines, where an empty one is no message.
struct Lines(Line);

static HAS_SKIPPED: AtomicBool = AtomicBool::new(false);

impl Frame for Lines {
    fn new(options: &MessageOptions) -> Self {
        Self(Line::new(options))
    }

    fn max_length(&self) -> usize {
        self.0.max_length()
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        match self.0.decode(received)? {
            Decoded::Message { body, length } if body.is_empty() => {
                HAS_SKIPPED.store(true, SeqCst);
                Ok(Decoded::Skip(length))
            }
            decoded => Ok(decoded),
        }
    }
}

impl CommandFrame for Lines {}

/// A shutdown of it would wait for ever for a connection that is not idle.
#[socket_server(tcp, threading, drain_timeout = None)]
struct Patient;

#[handler(frame = Lines)]
impl Patient {
    #[command]
    fn hello(&self) -> &'static str {
        "hi"
    }
}

#[test]
fn a_connection_that_has_sent_only_what_is_skipped_is_idle() {
    let server = Patient.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut idle = TcpStream::connect(server.local_address()).unwrap();
    idle.write_all(b"\r\n").unwrap();
    wait_until("the empty line is skipped", || HAS_SKIPPED.load(SeqCst));
    server.shutdown().unwrap();
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
}

/// Says what it is asked to say; without a question it is incomplete.
struct Wrong;

impl Frame for Wrong {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        100
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        match received {
            b"takes none." => Ok(Decoded::Message { body: 0..0, length: 0 }),
            b"takes more." => Ok(Decoded::Message { body: 0..5, length: 12 }),
            b"body behind." => Ok(Decoded::Message { body: 0..6, length: 5 }),
            b"body inverted." => Ok(Decoded::Message { body: std::ops::Range { start: 4, end: 2 }, length: 5 }),
            b"skips none." => Ok(Decoded::Skip(0)),
            b"skips more." => Ok(Decoded::Skip(12)),
            b"passes none." => Err(FrameError::new("wrong").passing_over(0)),
            b"passes more." => Err(FrameError::new("wrong").passing_over(13)),
            [right @ .., b'\n'] => Ok(Decoded::Message { body: 0..right.len(), length: received.len() }),
            _ => Ok(Decoded::Incomplete),
        }
    }
}

#[socket_server(tcp, hooks)]
struct Wrongs {
    failures: Mutex<Sender<String>>,
}

impl Hooks for Wrongs {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[handler(frame = Wrong)]
impl Wrongs {
    #[message]
    fn message(&self, message: &str) -> String {
        message.to_uppercase()
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        error.to_string()
    }
}

#[test]
fn a_wrong_frame_ends_its_connection_with_an_error_that_names_it() {
    let (failures, told) = channel();
    let server = Wrongs { failures: Mutex::new(failures) }.bind("127.0.0.1:0").unwrap().start().unwrap();
    for (question, wrong) in [
        ("takes none.", "it takes 0 of 11 bytes"),
        ("takes more.", "it takes 12 of 11 bytes"),
        ("body behind.", "its message is at 0..6 of 5 bytes"),
        ("body inverted.", "its message is at 4..2 of 5 bytes"),
        ("skips none.", "it takes 0 of 11 bytes"),
        ("skips more.", "it takes 12 of 11 bytes"),
        ("passes none.", "it takes 0 of 12 bytes"),
        ("passes more.", "it takes 13 of 12 bytes"),
    ] {
        let mut client = TcpStream::connect(server.local_address()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client.write_all(question.as_bytes()).unwrap();
        // What is wrong with the server is no concern of its peer.
        assert_eq!(io::read_to_string(client).unwrap(), "", "{question}");
        let expected = format!("`handle` failed: the frame `own_frames::Wrong` is wrong: {wrong}");
        assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), expected, "{question}");
    }
    assert_eq!(talk(server.local_address(), b"right\n").unwrap(), b"RIGHT");
    server.shutdown().unwrap();
}
