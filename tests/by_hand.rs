//! Servers without the attributes: the public traits are implemented by hand.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use socketserver::{
    Address, Connection, Datagram, Endpoint, Handler, HandlerError, Hook, Hooks, Iterative, Listener, MixIn, Options,
    Reader, Request, Running, Server, ShutdownHandle, SocketServer, Tcp, TcpServer, Threading, ThreadingTcpServer,
    ThreadingUdpServer, ThreadingUnixDatagramServer, ThreadingUnixStreamServer, Transport, UdpServer,
    UnixDatagramServer, UnixStreamServer, Writer, kind,
};
use support::{Place, ask, ask_packet, wait_until};

/// A handler for streams, with a hook of the server.
#[derive(Default)]
struct Upper {
    errors: Mutex<Vec<String>>,
}

impl Handler for Upper {
    type Request = Connection;

    fn finish_request(&self, request: &mut Connection, shutdown: &ShutdownHandle) -> Result<(), HandlerError> {
        assert!(!shutdown.is_shutting_down());
        shout(request)
    }
}

impl Hooks for Upper {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.errors.lock().unwrap().push(error.to_string());
    }
}

/// The same for packets.
struct UpperPackets;

impl Handler for UpperPackets {
    type Request = Datagram;

    fn finish_request(&self, request: &mut Datagram, _: &ShutdownHandle) -> Result<(), HandlerError> {
        shout(request)
    }
}

impl Hooks for UpperPackets {}

/// One text for both kinds of request.
fn shout(request: &mut impl Request) -> Result<(), HandlerError> {
    let (input, output): (&mut Reader, &mut Writer) = request.split();
    while let Some(line) = input.next_line()? {
        match line {
            "fail" => return Err(HandlerError::new(Hook::Setup, "as asked")),
            "panic" => panic!("as asked"),
            line => writeln!(output, "{}", line.to_uppercase())?,
        }
    }
    Ok(())
}

#[test]
fn a_handler_runs_on_every_transport_of_its_kind_of_request() {
    let place = Place::new();
    let path = place.path("upper");
    shouts(TcpServer::bind("127.0.0.1:0", Upper::default()), ask_line);
    shouts(ThreadingTcpServer::bind("127.0.0.1:0", Upper::default()), ask_line);
    shouts(UnixStreamServer::bind(&path, Upper::default()), ask_line);
    shouts(ThreadingUnixStreamServer::bind(&path, Upper::default()), ask_line);
    shouts(UdpServer::bind("127.0.0.1:0", UpperPackets), ask_in_a_packet);
    shouts(ThreadingUdpServer::bind("127.0.0.1:0", UpperPackets), ask_in_a_packet);
    shouts(UnixDatagramServer::bind(&path, UpperPackets), ask_in_a_packet);
    shouts(ThreadingUnixDatagramServer::bind(&path, UpperPackets), ask_in_a_packet);
}

fn shouts<S, T, M>(server: io::Result<Server<S, T, M>>, ask: fn(&Address) -> String)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let running = server.unwrap().start().unwrap();
    assert_eq!(ask(running.local_address()), "HELLO", "{} {}", T::NAME, M::NAME);
    running.shutdown().unwrap();
}

fn ask_line(server: &Address) -> String {
    ask(server, "hello").unwrap()
}

fn ask_in_a_packet(server: &Address) -> String {
    String::from_utf8(ask_packet(server, b"hello").unwrap()).unwrap().trim_end().to_owned()
}

#[test]
fn a_failure_is_told_as_the_handler_says_and_a_panic_as_one_of_handle() {
    let running: Running<_, _, _> = TcpServer::bind("127.0.0.1:0", Upper::default()).unwrap().start().unwrap();
    assert_eq!(ask(running.local_address(), "fail").unwrap(), "");
    assert_eq!(ask(running.local_address(), "panic").unwrap(), "");
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "HELLO");
    assert_eq!(*running.service().errors.lock().unwrap(), ["`setup` failed: as asked", "`handle` panicked: as asked"]);
}

/// The composition and the options by hand too: `Server<Short>` is then known.
struct Short;

impl SocketServer for Short {
    type Transport = Tcp;
    type MixIn = Threading;

    fn options() -> Options {
        Options::new().max_line(4)
    }
}

impl Handler for Short {
    type Request = Connection;

    fn finish_request(&self, request: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        let answer = match request.reader().next_line() {
            Ok(line) => line.unwrap_or_default().to_owned(),
            Err(error) => error.to_string(),
        };
        writeln!(request, "{answer}")?;
        Ok(())
    }

    fn options() -> Options {
        <Self as SocketServer>::options()
    }
}

impl Hooks for Short {}

#[test]
fn the_composition_and_the_options_can_be_given_by_hand() {
    let server: Server<Short> = Server::bind("127.0.0.1:0", Short).unwrap();
    let running: Running<Short> = server.start().unwrap();
    assert_eq!(ask(running.local_address(), "1234").unwrap(), "1234");
    assert_eq!(ask(running.local_address(), "12345").unwrap(), "the line is longer than 4 bytes (`max_line`)");

    let server: Server<Short> = Server::<Short>::builder(Short).max_line(5).max_threads(1).bind("127.0.0.1:0").unwrap();
    let running = server.start().unwrap();
    assert_eq!(ask(running.local_address(), "12345").unwrap(), "12345");
}

/// TCP that loses the connections of its first few accepts.
struct Lossy;

static TO_LOSE: AtomicUsize = AtomicUsize::new(0);

impl Transport for Lossy {
    type Request = Connection;
    const NAME: &'static str = "lossy";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        let connection = Tcp::get_request(listener)?;
        match TO_LOSE.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            Err(_) => Ok(connection),
        }
    }
}

impl Endpoint<Lossy, kind::Address> for &str {
    fn open(self, options: &Options) -> io::Result<Listener> {
        Endpoint::<Tcp, kind::Address>::open(self, options)
    }
}

#[test]
fn a_transport_of_ones_own_wraps_another() {
    loses_three_and_serves::<Iterative>();
    loses_three_and_serves::<Threading>();
}

fn loses_three_and_serves<M: MixIn>() {
    TO_LOSE.store(3, SeqCst);
    let server = Server::<Upper, Lossy, M>::bind("127.0.0.1:0", Upper::default()).unwrap();
    let running = server.start().unwrap();
    for _ in 0..3 {
        assert_ne!(ask(running.local_address(), "hello").unwrap_or_default(), "HELLO");
    }
    assert_eq!(ask_line(running.local_address()), "HELLO");
    wait_until("it is counted", || running.stats().finished == 1);
    let stats = running.stats();
    assert_eq!((stats.accepted, stats.accept_errors), (1, 3));
    running.shutdown().unwrap();
}

#[test]
fn handle_request_is_the_same_by_hand() {
    let server = UdpServer::builder(UpperPackets).timeout(Duration::from_millis(1)).bind("127.0.0.1:0").unwrap();
    assert!(!server.handle_request().unwrap());
}
