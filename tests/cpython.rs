//! CPython's `test_socketserver.py`, test by test, under its names; the forking servers are in `cpython_forking.rs`.
//!
//! Where a test had to be adapted, it says why.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{
    Address, Connection, HandlerError, Hooks, MixIn, Reader, Server, ShutdownHandle, Transport, Writer, handler,
    socket_server,
};
use support::{Place, ask, ask_packet, connect, descriptors, sleeps, this_thread, wait_until};

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

/// CPython stops twenty servers right after their start. Here also before it, twice, and from a handler.
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

    let from_within = SyncFailing(Failing::new(Way::Stop)).bind("127.0.0.1:0").expect("a server");
    let client = connect(from_within.local_address()).expect("a connection");
    from_within.serve_forever().expect("a good end");
    assert_eq!(io::read_to_string(client).expect("the end"), "");
    assert_eq!(from_within.stats().finished, 1);
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

/// Ends its request in the way it is told to, and writes down what is called.
struct Failing {
    way: Way,
    log: Mutex<String>,
}

enum Way {
    Error,
    Panic,
    Stop,
}

impl Failing {
    fn new(way: Way) -> Self {
        Self { way, log: Mutex::default() }
    }

    fn handle(&self, shutdown: &ShutdownHandle) -> Result<(), &'static str> {
        self.write("Handler called\n");
        match self.way {
            Way::Error => Err("an error"),
            Way::Panic => std::panic::resume_unwind(Box::new("a panic")),
            Way::Stop => {
                shutdown.shutdown();
                Ok(())
            }
        }
    }

    fn write(&self, text: &str) {
        self.log.lock().expect("no panic while it is written").push_str(text);
    }

    fn log(&self) -> String {
        self.log.lock().expect("no panic while it is written").clone()
    }
}

macro_rules! failing {
    ($($server:ident: $mixin:ident;)*) => {$(
        #[socket_server(tcp, $mixin, hooks)]
        struct $server(Failing);

        #[handler]
        impl $server {
            fn handle(&self, shutdown: &ShutdownHandle) -> Result<(), &'static str> {
                self.0.handle(shutdown)
            }
        }

        impl Hooks for $server {
            fn handle_error(&self, error: &HandlerError, _: &Address) {
                self.0.write(if error.is_panic() { "Panic handled\n" } else { "Error handled\n" });
            }
        }
    )*};
}

failing! {
    SyncFailing: iterative;
    ThreadingFailing: threading;
}

#[test]
fn test_sync_handled() {
    let _alone = alone();
    let server = SyncFailing(Failing::new(Way::Error)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nError handled\n");
}

/// Adapted: in CPython `SystemExit` passes by `handle_error` and leaves `handle_request`. It has no counterpart: the
/// nearest thing is a panic, which is contained and told to `handle_error` as one. What leaves the loop without
/// `handle_error` is a shutdown from the handler.
#[test]
fn test_sync_not_handled() {
    let _alone = alone();
    let server = SyncFailing(Failing::new(Way::Panic)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nPanic handled\n");

    let server = SyncFailing(Failing::new(Way::Stop)).bind("127.0.0.1:0").expect("a server");
    let client = connect(server.local_address()).expect("a connection");
    server.serve_forever().expect("a good end");
    assert_eq!(io::read_to_string(client).expect("the end"), "");
    assert_eq!(server.service().0.log(), "Handler called\n");
}

#[test]
fn test_threading_handled() {
    let _alone = alone();
    let server = ThreadingFailing(Failing::new(Way::Error)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nError handled\n");
}

/// Adapted: in CPython `SystemExit` ends the thread and passes by `handle_error`. Here a panic, the nearest thing, is
/// told to `handle_error`, and the server goes on; a shutdown from the handler is told to nobody, and ends it.
#[test]
fn test_threading_not_handled() {
    let _alone = alone();
    let running = ThreadingFailing(Failing::new(Way::Panic)).bind("127.0.0.1:0").expect("a server");
    let running = running.start().expect("a thread for it");
    for _ in 0..2 {
        let client = connect(running.local_address()).expect("a connection");
        assert_eq!(io::read_to_string(client).expect("the end"), "");
    }
    assert_eq!(running.service().0.log(), "Handler called\nPanic handled\n".repeat(2));
    running.shutdown().expect("a good end");

    let server = ThreadingFailing(Failing::new(Way::Stop)).bind("127.0.0.1:0").expect("a server");
    let client = connect(server.local_address()).expect("a connection");
    server.serve_forever().expect("a good end");
    assert_eq!(io::read_to_string(client).expect("the end"), "");
    assert_eq!(server.service().0.log(), "Handler called\n");
}

/// One client, who sees the end of its connection.
fn request_once<S, T, M>(server: &Server<S, T, M>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let client = connect(server.local_address()).expect("a connection");
    assert!(server.handle_request().expect("a server that goes on"));
    assert_eq!(io::read_to_string(client).expect("the end, and no reset"), "");
    wait_until("the request has failed", || server.stats().failed == 1);
}

/// Adapted: what CPython asks with `isinstance`, `BufferedIOBase`, the compiler knows. The descriptor is the same.
#[test]
fn test_basics() {
    #[socket_server(tcp)]
    struct Basics(Mutex<Vec<RawFd>>);

    #[handler]
    impl Basics {
        fn handle(&self, connection: &mut Connection) {
            fn descriptor_of(writer: &(impl Write + AsFd)) -> RawFd {
                writer.as_fd().as_raw_fd()
            }
            let seen = [connection.socket().as_raw_fd(), descriptor_of(connection.writer())];
            self.0.lock().expect("one request").extend(seen);
        }
    }

    let _alone = alone();
    let server = Basics(Mutex::default()).bind("127.0.0.1:0").expect("a server");
    let _client = connect(server.local_address()).expect("a connection");
    assert!(server.handle_request().expect("a request"));
    let seen = server.service().0.lock().expect("one request").clone();
    assert!(matches!(seen[..], [socket, writer] if socket == writer && socket >= 0), "{seen:?}");
}

/// Adapted in one point: output is gathered, so what CPython sends at once is sent when the handler waits for the
/// answer to it, equally without a flush. The big write is one, is complete, and survives signals that interrupt
/// send(2).
#[test]
fn test_write() {
    const SIZE: usize = 16 * 1_024 * 1_024 + 1;

    #[socket_server(tcp)]
    struct BigWrite(Sender<libc::pid_t>, Mutex<Option<usize>>);

    #[handler]
    impl BigWrite {
        fn handle(&self, connection: &mut Connection) -> io::Result<()> {
            connection.write_all(b"write data\n")?;
            assert_eq!(connection.reader().next_line()?, Some("client response"));
            self.0.send(this_thread()).expect("the test listens");
            let written = connection.write(&vec![0; SIZE])?;
            *self.1.lock().expect("one request") = Some(written);
            Ok(())
        }
    }

    let _alone = alone();
    let _signals = CountsSignals::install();
    let (thread, threads) = channel();
    let running = BigWrite(thread, Mutex::default()).bind("127.0.0.1:0").expect("a server");
    let running = running.start().expect("a thread for it");
    let mut client = TcpStream::connect(running.local_address()).expect("a connection");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    // So that the kernel cannot hold it all, whatever its limits are.
    SockRef::from(&client).set_recv_buffer_size(65_536).expect("a smaller buffer");
    let mut prompt = [0; 11];
    client.read_exact(&mut prompt).expect("the prompt");
    assert_eq!(&prompt, b"write data\n");
    client.write_all(b"client response\n").expect("room for a line");

    let thread = threads.recv().expect("the handler begins to write");
    client.read_exact(&mut [0; 100]).expect("the beginning");
    // A signal ends a send(2) that has sent a part, or fails one that could send nothing: both, among so many.
    for number in 1..=5 {
        wait_until("the handler sleeps in send(2)", || sleeps(thread));
        interrupt(thread);
        wait_until("the handler has had the signal", || SIGNALS.load(SeqCst) == number);
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("the rest");
    assert_eq!(rest.len(), SIZE - 100);
    assert!(rest.iter().all(|byte| *byte == 0));
    wait_until("the request is finished", || running.stats().finished == 1);
    assert_eq!(*running.service().1.lock().expect("one request"), Some(SIZE));
}

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

/// Has `SIGUSR1` counted, and interrupt what it finds in a system call, until it is dropped.
struct CountsSignals(libc::sigaction);

impl CountsSignals {
    #[allow(unsafe_code, reason = "std cannot handle a signal")]
    fn install() -> Self {
        extern "C" fn count(_: libc::c_int) {
            SIGNALS.fetch_add(1, SeqCst);
        }
        // SAFETY: an all-zero `sigaction` is valid: no flags, so no SA_RESTART, and an empty mask; `count` does
        // nothing but what signal-safety(7) allows.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as libc::sighandler_t;
            let mut before = std::mem::zeroed();
            assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, &raw mut before), 0);
            Self(before)
        }
    }
}

impl Drop for CountsSignals {
    #[allow(unsafe_code, reason = "std cannot handle a signal")]
    fn drop(&mut self) {
        // SAFETY: this is what sigaction(2) returned.
        unsafe { libc::sigaction(libc::SIGUSR1, &raw const self.0, std::ptr::null_mut()) };
    }
}

#[allow(unsafe_code, reason = "std cannot send a signal to a thread")]
fn interrupt(thread: libc::pid_t) {
    // SAFETY: tgkill(2) takes any numbers, and this thread is one of ours.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR1) };
    assert_eq!(result, 0);
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
fn test_shutdown_request_called_if_verify_request_false() {
    #[socket_server(tcp, hooks)]
    #[derive(Default)]
    struct Refusing {
        asked: AtomicUsize,
        handled: AtomicUsize,
    }

    #[handler]
    impl Refusing {
        fn handle(&self) {
            self.handled.fetch_add(1, SeqCst);
        }
    }

    impl Hooks for Refusing {
        fn verify_request(&self, _: &Connection) -> bool {
            self.asked.fetch_add(1, SeqCst);
            false
        }
    }

    let _alone = alone();
    let server = Refusing::default().bind("127.0.0.1:0").expect("a server");
    let client = connect(server.local_address()).expect("a connection");
    assert!(server.handle_request().expect("a request"));
    assert_eq!(io::read_to_string(client).expect("the end, and no reset"), "");
    let Refusing { asked, handled } = server.service();
    assert_eq!((asked.load(SeqCst), handled.load(SeqCst), server.stats().refused), (1, 0, 1));
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
