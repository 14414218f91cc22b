//! Bytes that a frame skips: what keeps a connection alive, or stands between messages.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use socketserver::{CommandFrame, Decoded, Frame, FrameError, Line, MessageOptions, handler, socket_server};
use support::wait_until;

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
