//! CPython's `test_socketserver.py`, test by test, under its names: what a handler meets, its errors, its files and its
//! refusal. The servers are in `cpython_servers.rs`, those that fork in `cpython_forking.rs`.
//!
//! Where a test had to be adapted, it says why.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{
    Address, Connection, HandlerError, Hooks, MixIn, Server, ShutdownHandle, Transport, handler, socket_server,
};
use support::{connect, interrupt, this_thread, wait_until};

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
    let server = SyncFailing(Failing::new(Way::Error)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nError handled\n");
}

/// Adapted: in CPython `SystemExit` passes by `handle_error` and leaves `handle_request`. It has no counterpart: the
/// nearest thing is a panic, which is contained and told to `handle_error` as one. What leaves the loop without
/// `handle_error` is a shutdown from the handler.
#[test]
fn test_sync_not_handled() {
    let server = SyncFailing(Failing::new(Way::Panic)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nPanic handled\n");

    let server = SyncFailing(Failing::new(Way::Stop)).bind("127.0.0.1:0").expect("a server");
    let client = connect(server.local_address()).expect("a connection");
    server.serve_forever().expect("a good end");
    assert_eq!(io::read_to_string(client).expect("the end"), "");
    assert_eq!(server.service().0.log(), "Handler called\n");
    assert_eq!(server.stats().finished, 1);
}

#[test]
fn test_threading_handled() {
    let server = ThreadingFailing(Failing::new(Way::Error)).bind("127.0.0.1:0").expect("a server");
    request_once(&server);
    assert_eq!(server.service().0.log(), "Handler called\nError handled\n");
}

/// Adapted: in CPython `SystemExit` ends the thread and passes by `handle_error`. Here a panic, the nearest thing, is
/// told to `handle_error`, and the server goes on; a shutdown from the handler is told to nobody, and ends it.
#[test]
fn test_threading_not_handled() {
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
    // A signal ends a send(2) that has sent a part, or fails one that could send nothing: both, among so many.
    interrupt(thread, 5);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("the rest");
    assert_eq!(rest.len(), SIZE - 100);
    assert!(rest.iter().all(|byte| *byte == 0));
    wait_until("the request is finished", || running.stats().finished == 1);
    assert_eq!(*running.service().1.lock().expect("one request"), Some(SIZE));
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

    let server = Refusing::default().bind("127.0.0.1:0").expect("a server");
    let client = connect(server.local_address()).expect("a connection");
    assert!(server.handle_request().expect("a request"));
    assert_eq!(io::read_to_string(client).expect("the end, and no reset"), "");
    let Refusing { asked, handled } = server.service();
    assert_eq!((asked.load(SeqCst), handled.load(SeqCst), server.stats().refused), (1, 0, 1));
}
