//! CPython's `test_socketserver.py`, test by test, under its names: the servers that do not fork, from their start to
//! their end. What a handler meets is in `cpython_handlers.rs`, the servers that fork in `cpython_forking.rs`.
//!
//! Where a test had to be adapted, it says why.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};

use socketserver::{Address, Hooks, MixIn, Reader, Server, Transport, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, connect, descriptors, wait_until};

macro_rules! echo {
    ($($server:ident: $transport:ident, $mixin:ident;)*) => {$(
        #[socket_server($transport, $mixin)]
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
    Tcp: tcp, iterative;
    Udp: udp, iterative;
    UnixStream: unix_stream, iterative;
    UnixDatagram: unix_datagram, iterative;
    ThreadingTcp: tcp, threading;
    ThreadingUdp: udp, threading;
    ThreadingUnixStream: unix_stream, threading;
    ThreadingUnixDatagram: unix_datagram, threading;
}

#[test]
fn test_tcp_server() {
    run_server(|_| Tcp.bind("127.0.0.1:0"), stream_client);
}

#[test]
fn test_threading_tcp_server() {
    run_server(|_| ThreadingTcp.bind("127.0.0.1:0"), stream_client);
}

#[test]
fn test_unix_stream_server() {
    run_server(|place| UnixStream.bind(place.path("server")), stream_client);
}

#[test]
fn test_threading_unix_stream_server() {
    run_server(|place| ThreadingUnixStream.bind(place.path("server")), stream_client);
}

#[test]
fn test_udp_server() {
    run_server(|_| Udp.bind("127.0.0.1:0"), packet_client);
}

#[test]
fn test_threading_udp_server() {
    run_server(|_| ThreadingUdp.bind("127.0.0.1:0"), packet_client);
}

#[test]
fn test_unix_datagram_server() {
    run_server(|place| UnixDatagram.bind(place.path("server")), packet_client);
}

#[test]
fn test_threading_unix_datagram_server() {
    run_server(|place| ThreadingUnixDatagram.bind(place.path("server")), packet_client);
}

/// Three clients, then a clean close: nothing is left at the address, no descriptor, no thread.
fn run_server<S, T, M>(bind: impl Fn(&Place) -> io::Result<Server<S, T, M>>, client: fn(&Address))
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let _alone = alone();
    let place = Place::new();
    let before = descriptors();
    let running = bind(&place).expect("a server").start().expect("a thread for it");
    let address = running.local_address().clone();
    for _ in 0..3 {
        client(&address);
    }
    wait_until("three requests are finished", || running.stats().finished == 3);
    running.shutdown().expect("a server that ends well");
    assert_gone::<T>(&address);
    wait_until("no thread is left", || server_threads() == 0);
    assert_eq!(descriptors(), before, "descriptors are left");
}

fn stream_client(address: &Address) {
    assert_eq!(ask(address, "hello world").expect("a reply"), "hello world");
}

fn packet_client(address: &Address) {
    assert_eq!(ask_packet(address, b"hello world\n").expect("a reply"), b"hello world\n");
}

/// That no socket of the transport has `address` any more.
fn assert_gone<T: Transport>(address: &Address) {
    match address {
        Address::Path(path) => assert!(!path.exists(), "{address} is still there"),
        inet if T::NAME == "udp" => drop(UdpSocket::bind(inet).expect("an address that nobody has")),
        inet => assert!(connect(inet).is_err(), "{address} still listens"),
    }
}

/// CPython stops twenty servers right after their start. Here also before it, and twice.
#[test]
fn test_shutdown() {
    let _alone = alone();
    for _ in 0..20 {
        Tcp.bind("127.0.0.1:0").expect("a server").start().expect("a thread").shutdown().expect("a good end");
        ThreadingTcp.bind("127.0.0.1:0").expect("a server").start().expect("a thread").shutdown().expect("a good end");
    }
    let before = Tcp.bind("127.0.0.1:0").expect("a server");
    before.shutdown_handle().shutdown();
    before.shutdown_handle().shutdown();
    before.serve_forever().expect("a good end, at once");
    before.serve_forever().expect("a good end, at once, again");
}

#[test]
fn test_close_immediately() {
    let _alone = alone();
    let server = ThreadingTcp.bind("127.0.0.1:0").expect("a server");
    let address = server.local_address().clone();
    drop(server);
    assert_gone::<socketserver::Tcp>(&address);
}

/// Adapted: CPython binds to port -1, which a `u16` cannot be; as text it can, and an address that is taken fails
/// later, with the socket made.
#[test]
fn test_tcpserver_bind_leak() {
    let _alone = alone();
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = holder.local_addr().expect("its address");
    let before = descriptors();
    for _ in 0..1_024 {
        let minus_one = Tcp.bind("127.0.0.1:-1").expect_err("no port has this number");
        assert_eq!(minus_one.kind(), ErrorKind::InvalidInput);
        let in_use = Tcp.bind(taken).expect_err("the port is taken");
        assert_eq!(in_use.kind(), ErrorKind::AddrInUse);
    }
    assert_eq!(descriptors(), before);
}

/// Adapted: the context manager is the scope, and instead of a descriptor of -1 there is no server.
#[test]
fn test_context_manager() {
    let _alone = alone();
    let before = descriptors();
    let address = {
        let server = Tcp.bind("127.0.0.1:0").expect("a server");
        assert!(descriptors() > before);
        server.local_address().clone()
    };
    assert_eq!(descriptors(), before);
    assert_gone::<socketserver::Tcp>(&address);
}

/// Adapted: CPython compares `__all__` with what the module defines. Here: each of its servers has an alias, of the
/// composition that its name says, and there is no other alias.
#[test]
fn test_all() {
    fn composition<S, T: Transport, M: MixIn>(_: fn() -> Server<S, T, M>) -> (&'static str, &'static str) {
        (M::NAME, T::NAME)
    }

    macro_rules! compositions {
        ($($alias:ident)*) => { [$((
            stringify!($alias),
            composition(|| -> socketserver::$alias<Tcp> { unreachable!("only its type is asked for") }),
        )),*] };
    }

    let aliases = compositions![
        TcpServer UdpServer UnixStreamServer UnixDatagramServer
        ThreadingTcpServer ThreadingUdpServer ThreadingUnixStreamServer ThreadingUnixDatagramServer
        ForkingTcpServer ForkingUdpServer ForkingUnixStreamServer ForkingUnixDatagramServer
    ];
    for (alias, (mixin, transport)) in aliases {
        let mixin = if mixin == "iterative" { "" } else { mixin };
        let expected = format!("{mixin}{transport}server").replace('_', "");
        assert_eq!(alias.to_lowercase(), expected);
    }
    let front_page = include_str!("../runtime/src/lib.rs");
    let defined: Vec<_> =
        front_page.lines().filter_map(|line| line.strip_prefix("pub type ")?.split('<').next()).collect();
    assert_eq!(defined, aliases.map(|(alias, _)| alias));
}

#[test]
fn test_threads_reaped() {
    let _alone = alone();
    let server = ThreadingTcp.bind("127.0.0.1:0").expect("a server");
    for _ in 0..10 {
        drop(connect(server.local_address()).expect("a connection"));
        assert!(server.handle_request().expect("a request"));
    }
    wait_until("ten requests are finished", || server.stats().finished == 10);
    // CPython is content with fewer than ten threads on its list.
    wait_until("no thread is left, while the server is there", || server_threads() == 0);
}

/// One test at a time, since some count what the process has, and the server threads of another are gone.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    wait_until("the threads of another test are gone", || server_threads() == 0);
    guard
}

/// The threads that servers have started, by the name that each gives itself as it begins: the harness has some of its
/// own.
fn server_threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").expect("the threads of this process").flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name == "socketserver\n").count()
}
