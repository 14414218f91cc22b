//! CPython's `test_socketserver.py`, test by test, under its names: the forking servers. The others are in
//! `cpython_servers.rs` and `cpython_handlers.rs`.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, exit};

use socketserver::{Address, HandlerError, Hooks, MixIn, Reader, Transport, Writer, handler, socket_server};
use support::{Place, Server, ask, ask_packet, children, connect, run, serves, wait_until};

fn main() -> ExitCode {
    run(
        &[
            ("test_forking_tcp_server", || run_server("tcp", stream_client)),
            ("test_forking_udp_server", || run_server("udp", packet_client)),
            ("test_forking_unix_stream_server", || run_server("unix_stream", stream_client)),
            ("test_forking_unix_datagram_server", || run_server("unix_datagram", packet_client)),
            ("test_forking_handled", test_forking_handled),
            ("test_forking_not_handled", test_forking_not_handled),
        ],
        &[
            ("tcp", || serve_beside_a_child(|_| ForkingTcp.bind("127.0.0.1:0"))),
            ("udp", || serve_beside_a_child(|_| ForkingUdp.bind("127.0.0.1:0"))),
            ("unix_stream", || serve_beside_a_child(|path| ForkingUnixStream.bind(path))),
            ("unix_datagram", || serve_beside_a_child(|path| ForkingUnixDatagram.bind(path))),
            ("failing", || {
                let [way, log] = arguments();
                serve(&Failing { way, log: log.into() }.bind("127.0.0.1:0").expect("a server"));
            }),
        ],
    )
}

macro_rules! echo {
    ($($server:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, forking)]
        struct $server;

        #[handler]
        impl $server {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                match input.next_line()? {
                    Some(line) => writeln!(output, "{line}"),
                    None => Ok(()),
                }
            }
        }
    )*};
}

echo! {
    ForkingTcp: tcp;
    ForkingUdp: udp;
    ForkingUnixStream: unix_stream;
    ForkingUnixDatagram: unix_datagram;
}

/// Three clients, then a clean close: no child of the server is left, and one that is not its own is untouched.
fn run_server(name: &str, client: fn(&Address)) {
    let place = Place::new();
    let path = place.path("server");
    let server = Server::start(name, &[path.to_str().expect("a path in ASCII")]);
    for _ in 0..3 {
        client(server.address());
    }
    assert_eq!(server.stop(), "finished 3; children left: the foreign one; its exit code: 72\n");
    assert!(!path.exists());
}

fn stream_client(address: &Address) {
    assert_eq!(ask(address, "hello world").expect("a reply"), "hello world");
}

fn packet_client(address: &Address) {
    assert_eq!(ask_packet(address, b"hello world\n").expect("a reply"), b"hello world\n");
}

/// A server in a process that has a child of its own, which has ended all the time that the server serves.
fn serve_beside_a_child<S, T, M>(bind: impl Fn(&str) -> io::Result<socketserver::Server<S, T, M>>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let mut foreign = Command::new("sh").args(["-c", "exit 72"]).spawn().expect("a shell");
    let has_ended = [(foreign.id(), 'Z')];
    wait_until("the foreign child has ended", || children() == has_ended);

    let [path] = arguments();
    let server = bind(&path).expect("a server");
    serve(&server);
    let finished = server.stats().finished;
    drop(server);

    let left = children();
    let left = if left == has_ended { "the foreign one".into() } else { format!("{left:?}") };
    let code = foreign.wait().expect("a child that nobody has waited for").code().expect("an exit");
    println!("finished {finished}; children left: {left}; its exit code: {code}");
}

/// Fails in the way that it is told, and has a file as its log, as the handler is another process than the test.
#[socket_server(tcp, forking, hooks)]
struct Failing {
    way: String,
    log: PathBuf,
}

#[handler]
impl Failing {
    fn handle(&self) -> Result<(), &'static str> {
        self.write("Handler called");
        match &*self.way {
            "error" => Err("an error"),
            // A panic that says nothing on the standard error.
            "panic" => std::panic::resume_unwind(Box::new("a panic")),
            _ => exit(7),
        }
    }
}

impl Hooks for Failing {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.write(if error.is_panic() { "Panic handled" } else { "Error handled" });
    }

    fn child_exited(&self, _: u32, status: ExitStatus) {
        self.write(&format!("{status}"));
    }
}

impl Failing {
    fn write(&self, line: &str) {
        let mut log = OpenOptions::new().append(true).create(true).open(&self.log).expect("the log");
        log.write_all(format!("{line}\n").as_bytes()).expect("room for a line");
    }
}

fn test_forking_handled() {
    assert_eq!(log_of_a_server_failing_by("error"), "Handler called\nError handled\nexit status: 1\n");
}

/// Adapted: in CPython `SystemExit` in a child passes by `handle_error`, and the exit code becomes 1 whatever it was.
/// Its counterpart is `exit`, which passes by `handle_error` too, and the parent learns the code. A panic, the nearest
/// thing to an exception that nobody catches, is told to `handle_error`.
fn test_forking_not_handled() {
    assert_eq!(log_of_a_server_failing_by("exit"), "Handler called\nexit status: 7\n");
    assert_eq!(log_of_a_server_failing_by("panic"), "Handler called\nPanic handled\nexit status: 1\n");
}

/// The log after one request.
fn log_of_a_server_failing_by(way: &str) -> String {
    let place = Place::new();
    let log = place.path("log");
    let server = Server::start("failing", &[way, log.to_str().expect("a path in ASCII")]);
    let client = connect(server.address()).expect("a connection");
    assert_eq!(io::read_to_string(client).expect("the end, and no reset"), "");
    // It waits for its children.
    server.stop();
    fs::read_to_string(log).expect("the log")
}

/// Serves until the test says that it is enough.
fn serve<S, T, M>(server: &socketserver::Server<S, T, M>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    server.shutdown_on_signals().expect("handlers of signals");
    serves(server.local_address());
    server.serve_forever().expect("a server that ends well");
}

/// What this server process was started with.
fn arguments<const COUNT: usize>() -> [String; COUNT] {
    let arguments: Vec<_> = env::args().skip(3).collect();
    arguments.try_into().expect("so many arguments")
}
