//! The echo server on the four compositions that fork, each a process of its own; and `handle_request`, forking.

use std::env;
use std::io::{self, Write};
use std::process::{ExitCode, ExitStatus};
use std::thread;
use std::time::Duration;

use socketserver::{Address, Forking, Hooks, Reader, Transport, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, connect};

macro_rules! echo {
    ($($name:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    writeln!(output, "{line}")?;
                }
                Ok(())
            }
        }
    )*};
}

echo! {
    Tcp: tcp, forking;
    Udp: udp, forking;
    UnixStream: unix_stream, forking;
    UnixDatagram: unix_datagram, forking;
}

/// Its hook for the end of a child panics, and its handler fails if it is asked to.
#[socket_server(tcp, forking, hooks)]
struct Clumsy;

impl Hooks for Clumsy {
    fn child_exited(&self, pid: u32, status: ExitStatus) {
        let parent_of_it = std::process::id() != pid;
        println!("child_exited {parent_of_it} {:?}", status.code());
        panic!("a panic in child_exited");
    }
}

#[handler]
impl Clumsy {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let line = input.next_line()?.unwrap_or_default();
        writeln!(output, "{line}")?;
        if line == "fail" { Err(io::Error::other("as asked")) } else { Ok(()) }
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("forking_tcp_echoes", forking_tcp_echoes),
            ("forking_udp_echoes", forking_udp_echoes),
            ("forking_unix_stream_echoes", forking_unix_stream_echoes),
            ("forking_unix_datagram_echoes", forking_unix_datagram_echoes),
            ("handle_request_takes_one_request_each_time", handle_request_takes_one_request_each_time),
            ("a_panic_in_child_exited_is_contained", a_panic_in_child_exited_is_contained),
        ],
        &[
            ("tcp", || serve(Tcp.bind(argument()))),
            ("udp", || serve(Udp.bind(argument()))),
            ("unix_stream", || serve(UnixStream.bind(argument()))),
            ("unix_datagram", || serve(UnixDatagram.bind(argument()))),
            ("handle_requests", handle_requests),
            ("clumsy", || serve(Clumsy.bind("127.0.0.1:0"))),
        ],
    )
}

fn forking_tcp_echoes() {
    echoes("tcp", "127.0.0.1:0", talk);
    echoes("tcp", "[::1]:0", talk);
}

fn forking_udp_echoes() {
    echoes("udp", "127.0.0.1:0", exchange);
    echoes("udp", "[::1]:0", exchange);
}

fn forking_unix_stream_echoes() {
    let place = Place::new();
    let path = place.path("echo");
    echoes("unix_stream", path.to_str().unwrap(), talk);
    assert!(!path.exists());
    echoes("unix_stream", &format!("@socketserver-forking-stream-{}", std::process::id()), talk);
}

fn forking_unix_datagram_echoes() {
    let place = Place::new();
    let path = place.path("echo");
    echoes("unix_datagram", path.to_str().unwrap(), exchange);
    assert!(!path.exists());
    echoes("unix_datagram", &format!("@socketserver-forking-datagram-{}", std::process::id()), exchange);
}

/// Three clients at once, then a shutdown: all were answered, and the server had no child left, not even a zombie.
fn echoes(server: &str, address: &str, client: fn(&Address, &str)) {
    let server = support::Server::start(server, &[address]);
    let address = server.address().clone();
    thread::scope(|scope| {
        for line in ["hello, world", "", "grüße"] {
            scope.spawn(|| client(&address, line));
        }
    });
    assert_eq!(server.stop(), "accepted 3, finished 3, failed 0, active 0\nchildren: []\n");
    if !matches!(address, Address::Inet(_)) {
        assert!(connect(&address).is_err());
    }
}

fn handle_request_takes_one_request_each_time() {
    let mut server = support::Server::start("handle_requests", &[]);
    for line in ["one", "two", "three"] {
        talk(server.address(), line);
        assert_eq!(server.line(), "true");
    }
    writeln!(server.input(), "that was all").unwrap();
    // The fourth call finds a server that was shut down.
    assert_eq!(server.line(), "false");
    let (status, rest) = server.wait();
    assert!(status.success());
    assert_eq!(rest, "children: []\n");
}

fn a_panic_in_child_exited_is_contained() {
    let mut server = support::Server::start("clumsy", &[]);
    talk(server.address(), "well");
    assert_eq!(server.line(), "child_exited true Some(0)");
    talk(server.address(), "fail");
    assert_eq!(server.line(), "child_exited true Some(1)");
    assert_eq!(server.stop(), "accepted 2, finished 1, failed 1, active 0\nchildren: []\n");
}

fn talk(server: &Address, line: &str) {
    assert_eq!(ask(server, line).unwrap(), line);
}

fn exchange(server: &Address, line: &str) {
    let packet = format!("{line}\n");
    assert_eq!(ask_packet(server, packet.as_bytes()).unwrap(), packet.as_bytes());
}

/// In the server process: serves until a signal, and reports.
fn serve<S, T>(server: io::Result<socketserver::Server<S, T, Forking>>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    let server = server.unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!(
        "accepted {}, finished {}, failed {}, active {}",
        stats.accepted, stats.finished, stats.failed, stats.active
    );
    println!("children: {:?}", support::children());
}

fn handle_requests() {
    let server = Tcp.builder().timeout(Duration::from_secs(10)).bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    for _ in 0..3 {
        println!("{}", server.handle_request().unwrap());
    }
    // A child that has not read its request yet would be ended by the shutdown.
    io::stdin().read_line(&mut String::new()).unwrap();
    server.shutdown_handle().shutdown();
    println!("{}", server.handle_request().unwrap());
    drop(server);
    println!("children: {:?}", support::children());
}

fn argument() -> String {
    env::args().nth(3).expect("an address")
}
