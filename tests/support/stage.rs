//! A handler that does to its only connection what the test says, step by step.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use socketserver::{Builder, Connection, Running, handler, socket_server};

use crate::Place;

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing for the handler to do.
type Step = Box<dyn FnOnce(&mut Connection) + Send>;

/// Takes the steps that it is sent, until nobody can send it one any more.
#[socket_server(unix_stream, threading)]
#[derive(Debug)]
pub struct Puppet(Mutex<Receiver<Step>>);

#[handler]
impl Puppet {
    fn handle(&self, connection: &mut Connection) {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(step) = steps.recv() {
            step(connection);
        }
    }
}

impl Puppet {
    /// One, and what it hangs on.
    pub fn new() -> (Self, Strings) {
        let (strings, steps) = channel();
        (Self(Mutex::new(steps)), Strings(strings))
    }
}

/// The test's hold on the handler; when it is dropped, the handler returns.
#[derive(Debug)]
pub struct Strings(Sender<Step>);

impl Strings {
    /// Has the handler take a step that lasts; what it gives, [`end_of`] tells.
    pub fn begin<R: Send + 'static>(&self, step: impl FnOnce(&mut Connection) -> R + Send + 'static) -> Receiver<R> {
        let (done, result) = channel();
        let step = move |connection: &mut Connection| {
            // The test may have failed meanwhile.
            let _ = done.send(step(connection));
        };
        self.0.send(Box::new(step)).expect("the handler runs");
        result
    }

    /// Has the handler take a step, and waits for its end.
    #[track_caller]
    pub fn run<R: Send + 'static>(&self, step: impl FnOnce(&mut Connection) -> R + Send + 'static) -> R {
        end_of(&self.begin(step))
    }
}

/// Waits for the end of a step; what it gives.
#[track_caller]
pub fn end_of<R>(step: &Receiver<R>) -> R {
    step.recv_timeout(PATIENCE).expect("the step is done")
}

/// A server, a client and the strings; in this order they are dropped.
#[derive(Debug)]
pub struct Stage {
    /// The one who speaks with the handler.
    pub client: UnixStream,
    /// What the handler hangs on.
    pub strings: Strings,
    /// Serves.
    pub server: Running<Puppet>,
    _place: Place,
}

impl Default for Stage {
    fn default() -> Self {
        Self::with(|builder| builder)
    }
}

impl Stage {
    /// With these options.
    pub fn with(options: impl FnOnce(Builder<Puppet>) -> Builder<Puppet>) -> Self {
        let place = Place::new();
        let (puppet, strings) = Puppet::new();
        let server = options(puppet.builder()).bind(place.path("server")).expect("a server");
        let server = server.start().expect("a thread for it");
        let client = UnixStream::connect(place.path("server")).expect("a connection");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { client, strings, server, _place: place }
    }

    /// Sends, and waits until the server has received every byte of it.
    pub fn send_alone(&self, bytes: &[u8]) {
        (&self.client).write_all(bytes).expect("room for them");
        while unread(&self.client) > 0 {
            thread::yield_now();
        }
    }

    /// What has arrived just now.
    pub fn arrived(&self) -> Vec<u8> {
        let mut buffer = [0; 4_096];
        self.client.set_nonblocking(true).expect("a socket");
        let result = (&self.client).read(&mut buffer);
        self.client.set_nonblocking(false).expect("a socket");
        match result {
            Ok(length) => buffer[..length].to_vec(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                Vec::new()
            }
        }
    }
}

/// What was sent on a Unix-domain socket and not yet read by the other side.
fn unread(client: &UnixStream) -> libc::c_int {
    let mut bytes = 0;
    // SAFETY: TIOCOUTQ writes an `int`; see unix(7).
    #[allow(unsafe_code, reason = "std does not know the question")]
    let result = unsafe { libc::ioctl(client.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    assert_eq!(result, 0);
    bytes
}
