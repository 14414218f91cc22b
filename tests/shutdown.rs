//! How a server is stopped: from wherever, whenever, and how often.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::{Hooks, MixIn, Reader, Server, ShutdownHandle, Transport, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, sleeps, this_thread, wait_until};

/// Answers each line, until a line says to shut down.
macro_rules! servers {
    ($($name:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer, handle: &ShutdownHandle) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    if line == "shutdown" {
                        handle.shutdown();
                        assert!(handle.is_shutting_down());
                    }
                    writeln!(output, "{line}")?;
                }
                Ok(())
            }
        }
    )*};
}

servers! {
    Tcp: tcp;
    Udp: udp;
    UnixStream: unix_stream;
    UnixDatagram: unix_datagram;
    ThreadingTcp: tcp, threading;
    ThreadingUdp: udp, threading;
    ThreadingUnixStream: unix_stream, threading;
    ThreadingUnixDatagram: unix_datagram, threading;
}

/// The eight servers, one after the other, each given to a generic function.
macro_rules! each {
    ($function:ident) => {
        let place = Place::new();
        let path = place.path("server");
        $function(&Tcp.bind(IPV4).unwrap());
        $function(&Udp.bind(IPV4).unwrap());
        $function(&UnixStream.bind(&path).unwrap());
        $function(&UnixDatagram.bind(&path).unwrap());
        $function(&ThreadingTcp.bind(IPV4).unwrap());
        $function(&ThreadingUdp.bind(IPV4).unwrap());
        $function(&ThreadingUnixStream.bind(&path).unwrap());
        $function(&ThreadingUnixDatagram.bind(&path).unwrap());
    };
}

const IPV4: &str = "127.0.0.1:0";
/// Far less than `drain_timeout`, and far more than a shutdown takes.
const PROMPTLY: Duration = Duration::from_secs(5);

#[test]
fn an_idle_server_is_back_promptly_when_another_thread_says_so() {
    fn is_back<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            say(server, "hello");
            let begun = Instant::now();
            server.shutdown_handle().shutdown();
            serving.join().unwrap().unwrap();
            assert!(begun.elapsed() < PROMPTLY, "{} {}", T::NAME, M::NAME);
        });
        assert_eq!(server.stats().finished, 1);
    }
    each!(is_back);
}

#[test]
fn a_handler_can_stop_its_server_and_its_reply_is_still_sent() {
    fn is_stopped<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            say(server, "shutdown");
            serving.join().unwrap().unwrap();
        });
        let stats = server.stats();
        assert_eq!((stats.finished, stats.cut, stats.active), (1, 0, 0), "{} {}", T::NAME, M::NAME);
    }
    each!(is_stopped);
}

#[test]
fn a_shutdown_before_serving_is_not_lost_and_lasts() {
    fn returns_at_once<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        let handle = server.shutdown_handle();
        assert!(!handle.is_shutting_down());
        handle.shutdown();
        assert!(handle.is_shutting_down());
        server.serve_forever().unwrap();
        server.serve_forever().unwrap();
        assert!(!server.handle_request().unwrap());
        assert_eq!(server.stats().accepted, 0);
    }
    each!(returns_at_once);
}

#[test]
fn after_a_shutdown_serve_forever_returns_at_once() {
    fn returns_at_once<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            say(server, "hello");
            server.shutdown_handle().shutdown();
            serving.join().unwrap().unwrap();
        });
        server.serve_forever().unwrap();
        assert!(!server.handle_request().unwrap());
        assert_eq!(server.stats().accepted, 1);
    }
    each!(returns_at_once);
}

#[test]
fn only_one_thread_serves_at_a_time() {
    fn is_refused<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            say(server, "hello");
            let second = server.serve_forever();
            let one_request = server.handle_request();
            server.shutdown_handle().shutdown();
            assert_eq!(second.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            assert_eq!(one_request.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            serving.join().unwrap().unwrap();
        });
    }
    each!(is_refused);
}

#[test]
fn handle_request_takes_as_many_requests_as_it_is_called() {
    fn takes_three<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        for number in 1..=3 {
            thread::scope(|scope| {
                let client = scope.spawn(|| say(server, "hello"));
                assert!(server.handle_request().unwrap());
                client.join().unwrap();
            });
            wait_until("it is finished", || server.stats().finished == number);
            assert_eq!(server.stats().accepted, number);
        }
    }
    each!(takes_three);
}

#[test]
fn handle_request_gives_up_after_its_timeout() {
    let timeout = Duration::from_millis(20);
    let begun = Instant::now();
    assert!(!Tcp.builder().timeout(timeout).bind(IPV4).unwrap().handle_request().unwrap());
    assert!(!Udp.builder().timeout(timeout).bind(IPV4).unwrap().handle_request().unwrap());
    assert!(!ThreadingTcp.builder().timeout(timeout).bind(IPV4).unwrap().handle_request().unwrap());
    assert!(!ThreadingUdp.builder().timeout(timeout).bind(IPV4).unwrap().handle_request().unwrap());
    assert!(begun.elapsed() >= 4 * timeout);
}

#[test]
fn a_shutdown_ends_handle_request() {
    fn is_ended<S: Hooks<Request = T::Request>, T: Transport, M: MixIn>(server: &Server<S, T, M>) {
        thread::scope(|scope| {
            let (begins, begun) = channel();
            let waiting = scope.spawn(move || {
                begins.send(this_thread()).unwrap();
                server.handle_request()
            });
            let thread = begun.recv().unwrap();
            wait_until("it waits for a request", || sleeps(thread));
            server.shutdown_handle().shutdown();
            assert!(!waiting.join().unwrap().unwrap());
        });
    }
    each!(is_ended);
}

#[test]
fn twenty_servers_start_and_stop_back_to_back() {
    let begun = Instant::now();
    for _ in 0..20 {
        Tcp.bind(IPV4).unwrap().start().unwrap().shutdown().unwrap();
        ThreadingTcp.bind(IPV4).unwrap().start().unwrap().shutdown().unwrap();
        Udp.bind(IPV4).unwrap().start().unwrap().shutdown().unwrap();
        ThreadingUdp.bind(IPV4).unwrap().start().unwrap().shutdown().unwrap();
    }
    assert!(begun.elapsed() < PROMPTLY);
}

#[test]
fn twenty_servers_serve_the_same_address_one_after_the_other() {
    let first = ThreadingTcp.bind(IPV4).unwrap();
    let address = first.local_address().clone();
    drop(first);
    for _ in 0..20 {
        let running = ThreadingTcp.bind(&address).unwrap().start().unwrap();
        assert_eq!(ask(&address, "hello").unwrap(), "hello");
        running.shutdown().unwrap();
    }
}

#[test]
fn a_running_server_that_is_dropped_is_shut_down() {
    let running = ThreadingTcp.bind(IPV4).unwrap().start().unwrap();
    let address = running.local_address().socket_addr().unwrap();
    let handle = running.shutdown_handle();
    drop(running);
    assert!(handle.is_shutting_down());
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

/// A request that lasts as long as its client wants, and says in which thread it has begun.
macro_rules! slow {
    ($($name:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+, drain_timeout = None)]
        struct $name(Mutex<Sender<libc::pid_t>>);

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                let first = input.next_line()?.unwrap_or_default().to_owned();
                self.0.lock().unwrap().send(this_thread()).unwrap();
                let second = input.next_line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
                writeln!(output, "{first} {second}")
            }
        }
    )*};
}

slow! {
    Slow: tcp;
    ThreadingSlow: tcp, threading;
}

#[test]
fn a_request_in_progress_may_finish() {
    fn may_finish<S, T, M>(server: &Server<S, T, M>, begun: &Receiver<libc::pid_t>)
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
        M: MixIn,
    {
        thread::scope(|scope| {
            let serving = scope.spawn(|| server.serve_forever());
            let mut client = TcpStream::connect(server.local_address()).unwrap();
            client.write_all(b"one\n").unwrap();
            let handler = begun.recv().unwrap();
            wait_until("the handler waits for the rest", || sleeps(handler));
            server.shutdown_handle().shutdown();
            // Had it been woken, the rest would come too soon to tell.
            wait_until("the handler waits on", || sleeps(handler));
            client.write_all(b"two\n").unwrap();
            assert_eq!(io::read_to_string(client).unwrap(), "one two\n");
            serving.join().unwrap().unwrap();
        });
        assert_eq!((server.stats().finished, server.stats().cut), (1, 0));
    }
    let (begins, begun) = channel();
    may_finish(&Slow(Mutex::new(begins)).bind(IPV4).unwrap(), &begun);
    let (begins, begun) = channel();
    may_finish(&ThreadingSlow(Mutex::new(begins)).bind(IPV4).unwrap(), &begun);
}

/// One request, answered.
fn say<S, T, M>(server: &Server<S, T, M>, line: &str)
where
    T: Transport,
{
    match T::NAME {
        "tcp" | "unix_stream" => assert_eq!(ask(server.local_address(), line).unwrap(), line),
        _ => {
            let reply = ask_packet(server.local_address(), line.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(reply).unwrap().trim_end(), line);
        }
    }
}
