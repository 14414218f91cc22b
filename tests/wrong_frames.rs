//! Frames whose answers cannot be: the connection ends with an error that names the frame, and no other one is harmed.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use socketserver::{
    Address, CommandError, Decoded, Frame, FrameError, HandlerError, Hooks, MessageOptions, handler, socket_server,
};

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
struct Server {
    failures: Mutex<Sender<String>>,
}

impl Hooks for Server {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[handler(frame = Wrong)]
impl Server {
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
    let server = Server { failures: Mutex::new(failures) }.bind("127.0.0.1:0").unwrap().start().unwrap();
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
        let expected = format!("`handle` failed: the frame `wrong_frames::Wrong` is wrong: {wrong}");
        assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), expected, "{question}");
    }
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"right\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(io::read_to_string(client).unwrap(), "RIGHT");
    server.shutdown().unwrap();
}
