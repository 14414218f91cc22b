//! Servers that write down every step of a request, and a client that adds what it sees.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{abort, exit};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use socketserver::socket2::{Domain, SockAddr, Socket, Type};
use socketserver::{Address, Endpoint, HandlerError, Hooks, Server, SocketServer, Transport};
use support::{Place, Stream, connect, wait_until};

use crate::flaky::{self, At, Flaky};

/// What goes wrong in the first request of a server: hooks, each with `fails` or `panics`. A `verify_request` that
/// fails says no; a `get_request` that does is the transport's, and comes before the request.
pub(crate) const FAULTS: [&str; 13] = [
    "none",
    "get_request fails",
    "setup fails",
    "setup panics",
    "handle fails",
    "handle panics",
    "finish fails",
    "finish panics",
    "handle fails, finish fails",
    "handle fails, handle_error panics",
    "verify_request fails",
    "verify_request panics",
    "service_actions panics",
];

/// A server that takes its steps on record: a line is read and sent back, and `setup`, `finish` and the server's own
/// hooks do nothing else.
macro_rules! traced {
    ($($server:ident: $transport:ident, $mixin:ident;)*) => {$(
        #[socket_server($transport, $mixin, hooks)]
        struct $server(Steps);

        #[handler]
        impl $server {
            fn setup(&self) -> Result<(), String> {
                self.0.take("setup")
            }

            fn handle(&self, input: &mut Reader, output: &mut Writer) -> Result<(), BoxError> {
                let line = input.next_line()?.ok_or("there is no line")?;
                writeln!(output, "{line}")?;
                Ok(self.0.take("handle")?)
            }

            fn finish(&self) -> Result<(), String> {
                self.0.take("finish")
            }
        }

        impl Hooks for $server {
            fn verify_request(&self, _: &Self::Request) -> bool {
                self.0.begin();
                self.0.take("verify_request").is_ok()
            }

            fn handle_error(&self, error: &HandlerError, _: &Address) {
                self.0.take_error(error);
            }

            fn service_actions(&self) {
                let _ = self.0.take("service_actions");
            }

            fn handle_timeout(&self) {
                let _ = self.0.take("handle_timeout");
            }

            fn accept_error(&self, error: &io::Error) {
                self.0.trace.note(&format!("accept_error({:?})", error.kind()));
            }

            fn child_exited(&self, _: u32, status: ExitStatus) {
                self.0.trace.note(&match status.signal() {
                    Some(signal) => format!("child_exited(signal {signal})"),
                    None => format!("child_exited({})", status.code().unwrap_or(-1)),
                });
            }
        }
    )*};
}

pub(crate) use traced;

/// The steps of one server, and its fault.
pub(crate) struct Steps {
    pub(crate) trace: Trace,
    fault: String,
    requests: AtomicUsize,
}

impl Steps {
    pub(crate) fn new(trace: Trace, fault: &str) -> Self {
        Self { trace, fault: fault.into(), requests: AtomicUsize::new(0) }
    }

    /// Begins with another request.
    pub(crate) fn begin(&self) {
        self.requests.fetch_add(1, SeqCst);
    }

    pub(crate) fn take(&self, hook: &str) -> Result<(), String> {
        self.trace.note(hook);
        self.fail_if_due(hook)
    }

    /// The step `handle_error`, with what it was given.
    pub(crate) fn take_error(&self, error: &HandlerError) {
        let panicked = if error.is_panic() { " panicked" } else { "" };
        let later = error.finish_error().map(|later| format!("+{}", later.hook())).unwrap_or_default();
        self.trace.note(&format!("handle_error({}{panicked}{later})", error.hook()));
        let _ = self.fail_if_due("handle_error");
    }

    fn fail_if_due(&self, hook: &str) -> Result<(), String> {
        let is_due = |how| {
            let due = format!("{hook} {how}");
            self.requests.load(SeqCst) == 1 && self.fault.split(", ").any(|fault| fault == due)
        };
        if is_due("exits") {
            exit(7);
        }
        if is_due("aborts") {
            abort();
        }
        if is_due("panics") {
            // A panic that says nothing on the standard error.
            resume_unwind(Box::new("on purpose"));
        }
        if is_due("fails") { Err("on purpose".into()) } else { Ok(()) }
    }
}

/// Binds a server whose first `get_request` fails.
pub(crate) fn bind_flaky<S, A>(address: A, service: S) -> io::Result<Server<S, Flaky<S::Transport>, S::MixIn>>
where
    S: SocketServer + Hooks<Request = <S::Transport as Transport>::Request>,
    A: Endpoint<S::Transport>,
{
    let server = Server::bind(At(address), service)?;
    flaky::fail(server.local_address(), &[libc::ECONNABORTED]);
    Ok(server)
}

/// A file that all processes of a test append their steps to.
#[derive(Clone)]
pub(crate) struct Trace(PathBuf);

impl Trace {
    /// The trace in the file at `path`, which is made if it is not there.
    pub(crate) fn new(path: PathBuf) -> Self {
        OpenOptions::new().append(true).create(true).open(&path).expect("a file for the trace");
        Self(path)
    }

    /// Adds a step. One write(2) with `O_APPEND`: steps are never mixed.
    pub(crate) fn note(&self, step: &str) {
        let mut file = OpenOptions::new().append(true).open(&self.0).expect("the trace");
        file.write_all(format!("{step}\n").as_bytes()).expect("room for a step");
    }

    /// The steps so far.
    pub(crate) fn steps(&self) -> Vec<String> {
        fs::read_to_string(&self.0).expect("the trace").lines().map(Into::into).collect()
    }

    /// The steps so far, which are then forgotten.
    fn take(&self) -> Vec<String> {
        let steps = self.steps();
        fs::write(&self.0, "").expect("the trace");
        steps
    }
}

/// The steps of two requests, one after the other, the first of a client who has spoken already. `is_over` tells whether
/// so many have ended.
pub(crate) fn two_requests(
    first: Client,
    address: &Address,
    speak: Speak,
    trace: &Trace,
    is_over: impl Fn(u64) -> bool,
) -> [String; 2] {
    first.hear(trace, || is_over(1));
    let steps = in_order(trace.take()).join(" ");
    speak(address).hear(trace, || is_over(2));
    [steps, in_order(trace.take()).join(" ")]
}

/// The table of what was seen: each fault, and the steps of the request that has it. The next request must be as ever.
pub(crate) fn table(faults: &[&str], observe: impl Fn(&str) -> [String; 2]) -> String {
    let [as_ever, _] = observe(FAULTS[0]);
    let mut table = String::from("\n");
    for fault in faults {
        let [with_fault, next] = observe(fault);
        assert_eq!(next, as_ever, "the request after the one with the fault `{fault}`");
        writeln!(table, "{fault:<33} | {with_fault}").expect("a string has room");
    }
    table
}

/// Connects, if there is a connection, and sends a line.
pub(crate) type Speak = fn(&Address) -> Client;

/// One who has sent a line. It does so before the server may end its request: what is sent to a connection that is closed
/// already resets it.
pub(crate) enum Client {
    OfStream(Box<dyn Stream>),
    OfPacket(Socket, Place),
}

pub(crate) fn speak_on_stream(server: &Address) -> Client {
    let mut stream = connect(server).expect("a connection");
    stream.write_all(b"hello\n").expect("room for a line");
    Client::OfStream(stream)
}

pub(crate) fn speak_in_packet(server: &Address) -> Client {
    let place = Place::new();
    let (domain, client, server) = match server {
        Address::Path(path) => (Domain::UNIX, SockAddr::unix(place.path("client")), SockAddr::unix(path)),
        inet => {
            let server = inet.socket_addr().expect("an Internet address");
            (Domain::IPV4, Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()), Ok(server.into()))
        }
    };
    let socket = Socket::new(domain, Type::DGRAM, None).expect("a socket");
    socket.bind(&client.expect("an address")).expect("a name for the client");
    socket.connect(&server.expect("an address")).expect("a server");
    socket.send(b"hello\n").expect("room for a packet");
    Client::OfPacket(socket, place)
}

impl Client {
    /// Notes what comes back, and waits until the request is over.
    fn hear(self, trace: &Trace, is_over: impl Fn() -> bool) {
        match self {
            Self::OfStream(stream) => {
                let mut stream = BufReader::new(stream);
                let mut reply = String::new();
                if stream.read_line(&mut reply).expect("a line or the end, and no reset") > 0 {
                    assert_eq!(reply, "hello\n");
                    trace.note("client:reply");
                }
                assert_eq!(stream.read(&mut [0]).expect("the end, and no reset"), 0);
                trace.note("client:end");
                drop(stream);
                wait_until("the request is over", is_over);
            }
            // What was sent on one host has arrived.
            Self::OfPacket(mut socket, _place) => {
                wait_until("the request is over", is_over);
                socket.set_nonblocking(true).expect("a socket");
                let mut reply = [0; 16];
                match socket.read(&mut reply) {
                    Ok(length) => {
                        assert_eq!(&reply[..length], b"hello\n");
                        trace.note("client:reply");
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        trace.note("client:nothing");
                    }
                }
            }
        }
    }
}

/// The end of a child is seen by its parent while the client sees the end of the connection, in either order: so it is
/// put last, once it is clear that it came after all that the child did.
fn in_order(mut steps: Vec<String>) -> Vec<String> {
    if let Some(exit) = steps.iter().position(|step| step.starts_with("child_exited")) {
        let early = steps[exit..].iter().skip(1).find(|step| !step.starts_with("client"));
        assert_eq!(early, None, "a step after the end of the child");
        let exited = steps.remove(exit);
        steps.push(exited);
    }
    steps
}
