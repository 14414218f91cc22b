//! Ten servers one after the other leave what one leaves: nothing. In a process of its own, where nothing else runs.

use std::fs;
use std::io::{self, BufRead, BufReader, IoSlice, Write, stdin};
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, MsgHdr, SockAddr, Socket, Type};
use socketserver::{
    Address, Forking, HandlerError, Hooks, MixIn, Reader, Server, ShutdownHandle, Transport, Writer, handler,
    socket_server,
};
use support::{Place, ask, ask_packet, children, descriptors, threads, wait_until};

/// Goes wrong where its first line says.
macro_rules! troubled {
    ($($name:ident of $session:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+, hooks)]
        #[derive(Default)]
        struct $name {
            kept: Mutex<Vec<Writer>>,
        }

        impl Hooks for $name {
            fn handle_error(&self, _: &HandlerError, _: &Address) {}
        }

        impl Keeps for $name {
            fn kept(&self) -> Vec<Writer> {
                std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }

        struct $session(String);

        #[handler($name)]
        impl $session {
            fn setup(server: &$name, input: &mut Reader, output: &mut Writer) -> io::Result<Self> {
                let line = input.next_line()?.unwrap_or_default().to_owned();
                match &*line {
                    "setup fails" => return Err(io::Error::other("as asked")),
                    "setup panics" => panic!("as asked"),
                    "keep" => server.kept.lock().unwrap_or_else(PoisonError::into_inner).push(output.try_clone()?),
                    _ => {}
                }
                Ok(Self(line))
            }

            fn handle(&mut self, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
                match &*self.0 {
                    "handle fails" => return Err(io::Error::other("as asked")),
                    "handle panics" => panic!("as asked"),
                    "shut down" => shutdown.shutdown(),
                    _ => {}
                }
                writeln!(output, "{}", self.0)
            }

            fn finish(&mut self) {
                assert_ne!(self.0, "finish panics");
            }
        }
    )*};
}

/// Has writers that outlived their requests.
trait Keeps {
    fn kept(&self) -> Vec<Writer>;
}

troubled! {
    Tcp of TcpSession: tcp;
    Udp of UdpSession: udp;
    UnixStream of UnixStreamSession: unix_stream;
    UnixDatagram of UnixDatagramSession: unix_datagram;
    ThreadingTcp of ThreadingTcpSession: tcp, threading;
    ThreadingUdp of ThreadingUdpSession: udp, threading;
    ThreadingUnixStream of ThreadingUnixStreamSession: unix_stream, threading;
    ThreadingUnixDatagram of ThreadingUnixDatagramSession: unix_datagram, threading;
    ForkingTcp of ForkingTcpSession: tcp, forking;
    ForkingUdp of ForkingUdpSession: udp, forking;
    ForkingUnixStream of ForkingUnixStreamSession: unix_stream, forking;
    ForkingUnixDatagram of ForkingUnixDatagramSession: unix_datagram, forking;
}

const INTERNET: &str = "127.0.0.1:0";

fn main() -> ExitCode {
    silence_panics_as_asked();
    support::run(
        &[
            ("tcp_leaves_nothing", || leave_nothing(|| Tcp::default().bind(INTERNET), converse)),
            ("udp_leaves_nothing", || leave_nothing(|| Udp::default().bind(INTERNET), exchange)),
            ("unix_stream_leaves_nothing", || on_a_path(|path| UnixStream::default().bind(path), converse)),
            ("unix_datagram_leaves_nothing", || on_a_path(|path| UnixDatagram::default().bind(path), exchange)),
            ("threading_tcp_leaves_nothing", || leave_nothing(|| ThreadingTcp::default().bind(INTERNET), converse)),
            ("threading_udp_leaves_nothing", || leave_nothing(|| ThreadingUdp::default().bind(INTERNET), exchange)),
            ("threading_unix_stream_leaves_nothing", || {
                on_a_path(|path| ThreadingUnixStream::default().bind(path), converse);
            }),
            ("threading_unix_datagram_leaves_nothing", || {
                on_a_path(|path| ThreadingUnixDatagram::default().bind(path), exchange);
            }),
            ("forking_tcp_leaves_nothing", || forking_leaves_nothing("tcp", converse, say_goodbye)),
            ("forking_udp_leaves_nothing", || forking_leaves_nothing("udp", exchange, send_goodbye)),
            ("forking_unix_stream_leaves_nothing", || forking_leaves_nothing("unix_stream", converse, say_goodbye)),
            ("forking_unix_datagram_leaves_nothing", || {
                forking_leaves_nothing("unix_datagram", exchange, send_goodbye);
            }),
            ("a_server_that_never_serves_leaves_nothing", a_server_that_never_serves_leaves_nothing),
            ("a_server_that_listens_to_signals_leaves_nothing", a_server_that_listens_to_signals_leaves_nothing),
            ("descriptors_that_a_peer_sends_are_not_taken", descriptors_that_a_peer_sends_are_not_taken),
        ],
        &[
            ("tcp", || serve_ten_times(|_| ForkingTcp::default().bind(INTERNET))),
            ("udp", || serve_ten_times(|_| ForkingUdp::default().bind(INTERNET))),
            ("unix_stream", || serve_ten_times(|place| ForkingUnixStream::default().bind(place.path("server")))),
            ("unix_datagram", || serve_ten_times(|place| ForkingUnixDatagram::default().bind(place.path("server")))),
        ],
    )
}

/// The panics that the tests ask for would hide the others.
fn silence_panics_as_asked() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        if message != "as asked" && !message.contains("finish panics") {
            usual(panic);
        }
    }));
}

fn on_a_path<S, T, M>(bind: impl Fn(PathBuf) -> io::Result<Server<S, T, M>>, clients: fn(&Address))
where
    S: Hooks<Request = T::Request> + Keeps,
    T: Transport,
    M: MixIn,
{
    let place = Place::new();
    let bind = || {
        assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0, "the last one left its path");
        bind(place.path("server"))
    };
    leave_nothing(bind, clients);
    assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0);
}

fn leave_nothing<S, T, M>(bind: impl Fn() -> io::Result<Server<S, T, M>>, clients: fn(&Address))
where
    S: Hooks<Request = T::Request> + Keeps,
    T: Transport,
    M: MixIn,
{
    let before = alone();
    for _ in 0..10 {
        let running = bind().unwrap().start().unwrap();
        clients(running.local_address());
        wait_until("all is done", || running.stats().active == 0);
        let kept = running.service().kept();
        assert_eq!(kept.len(), 1);
        running.shutdown().unwrap();
        // A writer holds its connection, or the server's socket.
        assert!(descriptors() > before.0);
        drop(kept);
        is_as_before(before);
        assert_eq!(children(), []);
    }
}

/// What this process has when it has but one thread: one that has heard a server out is gone soon, too.
fn alone() -> (usize, usize) {
    wait_until("the other threads are gone", || threads() == 1);
    (descriptors(), threads())
}

/// A thread of a server may still be on its last step when the server is gone.
fn is_as_before(before: (usize, usize)) {
    wait_until("descriptors and threads are gone", || (descriptors(), threads()) == before);
}

fn a_server_that_never_serves_leaves_nothing() {
    let place = Place::new();
    let before = alone();
    for _ in 0..10 {
        drop(Tcp::default().bind(INTERNET).unwrap());
        drop(ThreadingUdp::default().bind(INTERNET).unwrap());
        drop(ThreadingUnixStream::default().bind(place.path("server")).unwrap());
        drop(UnixDatagram::default().bind(place.path("server")).unwrap());
        drop(ForkingTcp::default().bind(INTERNET).unwrap());
        let server = ThreadingTcp::default().bind(INTERNET).unwrap();
        server.shutdown_handle().shutdown();
        server.serve_forever().unwrap();
        drop(server);
        let server = ThreadingTcp::default().builder().timeout(Duration::from_millis(1)).bind(INTERNET).unwrap();
        assert!(!server.handle_request().unwrap());
        drop(server);
        fs::write(place.path("file"), "").unwrap();
        ThreadingUnixStream::default().bind(place.path("file")).unwrap_err();
        is_as_before(before);
    }
    assert!(!place.path("server").exists());
}

fn a_server_that_listens_to_signals_leaves_nothing() {
    let before = alone();
    for _ in 0..10 {
        let server = ThreadingTcp::default().bind(INTERNET).unwrap();
        for _ in 0..2 {
            server.shutdown_on_signals().unwrap();
        }
        let handle = server.shutdown_handle();
        drop(server);
        handle.shutdown();
        drop(handle);
        is_as_before(before);
    }
}

/// The kernel puts what comes with a packet (`SCM_RIGHTS`) into the table of whoever receives it.
fn descriptors_that_a_peer_sends_are_not_taken() {
    let place = Place::new();
    let server = UnixDatagram::default().bind(place.path("server")).unwrap();
    let peer = Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
    peer.connect(&SockAddr::unix(place.path("server")).unwrap()).unwrap();
    let before = descriptors();
    for _ in 0..10 {
        let (payload, rights) = ([IoSlice::new(b"take this\n")], rights(peer.as_raw_fd()));
        peer.sendmsg(&MsgHdr::new().with_buffers(&payload).with_control(&rights), 0).unwrap();
        assert!(server.handle_request().unwrap());
    }
    assert_eq!(descriptors(), before);
}

/// A control message, as cmsg(3) has it, that gives away `descriptor`.
fn rights(descriptor: RawFd) -> Vec<u8> {
    let length = size_of::<libc::cmsghdr>() + size_of::<RawFd>();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend([libc::SOL_SOCKET, libc::SCM_RIGHTS, descriptor].map(i32::to_ne_bytes).concat());
    message.resize(length.next_multiple_of(size_of::<usize>()), 0);
    message
}

fn forking_leaves_nothing(name: &str, clients: fn(&Address), shut_down: fn(&Address)) {
    let mut server = support::Server::start(name, &[]);
    let mut address = server.address().clone();
    let mut left = Vec::new();
    for _ in 0..10 {
        clients(&address);
        shut_down(&address);
        left.push(server.line());
        writeln!(server.input(), "next").unwrap();
        let line = server.line();
        address = line.parse().map_or_else(|_| Address::Path(line.into()), Address::Inet);
    }
    assert_eq!(left, ["nothing"; 10]);
    assert!(server.wait().0.success());
}

/// In a server process: ten servers, one after the other.
fn serve_ten_times<S, T>(bind: impl Fn(&Place) -> io::Result<Server<S, T, Forking>>)
where
    S: Hooks<Request = T::Request> + Keeps,
    T: Transport,
{
    let place = Place::new();
    let mut lines = BufReader::new(stdin()).lines();
    let before = (descriptors(), threads());
    for _ in 0..10 {
        let server = bind(&place).unwrap();
        support::serves(server.local_address());
        server.serve_forever().unwrap();
        drop(server);
        let after = (descriptors(), threads());
        let paths = fs::read_dir(place.directory()).unwrap().count();
        match (after == before, children().len(), paths) {
            (true, 0, 0) => println!("nothing"),
            _ => println!("{before:?} became {after:?}, children {:?}, {paths} paths", children()),
        }
        lines.next();
    }
    println!("over");
}

/// Clients of all kinds on connections; the last one is served.
fn converse(server: &Address) {
    for line in ["setup fails", "setup panics", "handle fails", "handle panics", "finish panics"] {
        let _ = ask(server, line);
    }
    assert_eq!(ask(server, "keep").unwrap(), "keep");
    let vanish: [fn(&Socket) -> io::Result<()>; 3] = [
        |_| Ok(()),
        |client| client.send(b"half a li").map(drop),
        // It is closed by a reset.
        |client| client.send(b"hello\n").and_then(|_| client.set_linger(Some(Duration::ZERO))),
    ];
    for vanish in vanish {
        let (domain, address) = socket_address(server);
        let client = Socket::new(domain, Type::STREAM, None).unwrap();
        client.connect(&address).unwrap();
        vanish(&client).unwrap();
    }
    assert_eq!(ask(server, "hello").unwrap(), "hello");
}

/// Clients of all kinds that send packets.
fn exchange(server: &Address) {
    for line in ["", "setup fails", "setup panics", "handle fails", "handle panics", "finish panics", "I am gone"] {
        send(server, line);
    }
    for line in ["keep", "hello"] {
        let mut reply = ask_packet(server, line.as_bytes()).unwrap();
        // The port may be that of the one that has gone, and its reply come late.
        while reply == b"I am gone\n" {
            reply = ask_packet(server, line.as_bytes()).unwrap();
        }
        assert_eq!(reply, format!("{line}\n").as_bytes());
    }
}

fn say_goodbye(server: &Address) {
    let _ = ask(server, "shut down");
}

fn send_goodbye(server: &Address) {
    send(server, "shut down");
}

/// Sends a packet and is gone.
fn send(server: &Address, line: &str) {
    let (domain, address) = socket_address(server);
    Socket::new(domain, Type::DGRAM, None).unwrap().send_to(line.as_bytes(), &address).unwrap();
}

fn socket_address(server: &Address) -> (Domain, SockAddr) {
    match server {
        Address::Inet(address) => (Domain::for_address(*address), (*address).into()),
        Address::Path(path) => (Domain::UNIX, SockAddr::unix(path).unwrap()),
        other => panic!("no server is bound to {other} here"),
    }
}
