//! The limit of `threading`: exact, whatever the handlers do, and no obstacle to a shutdown.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Mutex, RwLock};
use std::thread::{self, ScopedJoinHandle, ThreadId};
use std::time::Duration;

use socketserver::{Address, HandlerError, Hooks, Reader, Writer, handler, socket_server};
use support::{ask, connect, wait_until};

/// Counts the requests in progress, and ends each as it is asked to.
#[socket_server(tcp, threading, hooks)]
struct Gate {
    present: AtomicUsize,
    peak: AtomicUsize,
    meeting: Barrier,
}

impl Hooks for Gate {
    fn handle_error(&self, _: &HandlerError, _: &Address) {}
}

#[handler]
impl Gate {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let _presence = Presence::new(&self.present, &self.peak);
        match input.next_line()? {
            // Without the noise of `panic!`.
            Some("panic") => resume_unwind(Box::new("as asked")),
            Some("fail") => Err(io::Error::other("as asked")),
            Some("meet") => {
                self.meeting.wait();
                writeln!(output, "met")
            }
            Some("stay") => {
                writeln!(output, "staying")?;
                input.next_line().map(drop)
            }
            Some(line) => writeln!(output, "{line}"),
            None => Ok(()),
        }
    }
}

impl Gate {
    /// With as many at a meeting as there is room for.
    fn new(limit: usize) -> Self {
        Self { present: AtomicUsize::new(0), peak: AtomicUsize::new(0), meeting: Barrier::new(limit) }
    }
}

/// The same with packets, each of which waits until the test lets it pass.
#[socket_server(udp, threading, max_threads = 4)]
#[derive(Default)]
struct Flood {
    present: AtomicUsize,
    peak: AtomicUsize,
    dam: RwLock<()>,
}

#[handler]
impl Flood {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let _presence = Presence::new(&self.present, &self.peak);
        drop(self.dam.read());
        io::copy(input, output).map(drop)
    }
}

/// One request in progress, until it is dropped.
struct Presence<'a>(&'a AtomicUsize);

impl<'a> Presence<'a> {
    fn new(present: &'a AtomicUsize, peak: &AtomicUsize) -> Self {
        peak.fetch_max(present.fetch_add(1, SeqCst) + 1, SeqCst);
        Self(present)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn a_limit_of_one_is_exact() {
    is_exact(1);
}

#[test]
fn a_limit_of_four_is_exact() {
    is_exact(4);
}

/// A hundred crowds of more than there is room for, and after each there still is room for as many as there should be.
fn is_exact(limit: usize) {
    const ROUNDS: usize = 100;
    const ENDS: [&str; 5] = ["panic", "fail", "hello", "", "hello"];

    let running = Gate::new(limit).builder().max_threads(limit).bind("127.0.0.1:0").unwrap().start().unwrap();
    let address = running.local_address();
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for line in ENDS.into_iter().cycle().take(2 * ENDS.len()) {
                scope.spawn(move || {
                    let reply = ask(address, line).unwrap();
                    assert_eq!(reply, if line == "hello" { line } else { "" });
                });
            }
        });
        thread::scope(|scope| {
            for _ in 0..limit {
                scope.spawn(|| assert_eq!(ask(address, "meet").unwrap(), "met"));
            }
        });
    }
    wait_until("all are gone", || running.stats().active == 0);
    assert_eq!(running.service().peak.load(SeqCst), limit);
    let stats = running.stats();
    assert_eq!(stats.failed, (ROUNDS * 4) as u64);
    assert_eq!(stats.finished, (ROUNDS * (6 + limit)) as u64);
    running.shutdown().unwrap();
}

#[test]
fn no_more_are_told_to_be_in_progress_than_may_be() {
    const LIMIT: usize = 2;

    let running = Gate::new(LIMIT).builder().max_threads(LIMIT).bind("127.0.0.1:0").unwrap().start().unwrap();
    thread::scope(|scope| {
        let client = || {
            for _ in 0..2_000 {
                assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
            }
        };
        let clients: Vec<_> = (0..=LIMIT).map(|_| scope.spawn(client)).collect();
        while !clients.iter().all(ScopedJoinHandle::is_finished) {
            let stats = running.stats();
            assert!(stats.active <= LIMIT as u64, "{stats:?}");
        }
    });
    running.shutdown().unwrap();
}

#[test]
fn a_limit_holds_from_the_first_request_on() {
    const LIMIT: usize = 2;

    for _ in 0..50 {
        let server = Gate::new(LIMIT).builder().max_threads(LIMIT).bind("127.0.0.1:0").unwrap();
        let address = server.local_address().clone();
        // They are there before the first thread is.
        let mut clients: Vec<_> =
            (0..3 * LIMIT).map(|_| TcpStream::connect(address.socket_addr().unwrap()).unwrap()).collect();
        for client in &mut clients {
            writeln!(client, "stay").unwrap();
        }
        let running = server.start().unwrap();
        wait_until("there are as many as may be", || running.stats().active >= LIMIT as u64);
        for client in &mut clients {
            writeln!(client, "go").unwrap();
        }
        for client in clients {
            assert_eq!(io::read_to_string(client).unwrap(), "staying\n");
        }
        assert_eq!(running.service().peak.load(SeqCst), LIMIT);
        running.shutdown().unwrap();
    }
}

#[test]
fn at_the_limit_clients_wait_in_the_kernel_and_are_served_later() {
    let running = Gate::new(1).builder().max_threads(1).bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut staying = stay(running.local_address());
    let mut waiting = TcpStream::connect(running.local_address().socket_addr().unwrap()).unwrap();
    writeln!(waiting, "hello").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(running.stats().accepted, 1);

    writeln!(staying.get_mut(), "go").unwrap();
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(io::read_to_string(waiting).unwrap(), "hello\n");
    running.shutdown().unwrap();
}

#[test]
fn a_shutdown_at_the_limit_closes_those_who_stay_at_once() {
    let server = Gate::new(2).builder().max_threads(2).drain_timeout(None).bind("127.0.0.1:0").unwrap();
    let running = server.start().unwrap();
    let inside = [stay(running.local_address()), stay(running.local_address())];
    let mut outside = connect(running.local_address()).unwrap();
    writeln!(outside, "hello").unwrap();
    assert_eq!(running.stats().accepted, 2);
    // It would wait for ever if it waited for them.
    running.shutdown().unwrap();
    for staying in inside {
        assert_eq!(io::read_to_string(staying).unwrap(), "");
    }
    // Reset in the queue of the kernel, or closed by a thread that had just taken it.
    match io::read_to_string(outside) {
        Ok(rest) => assert_eq!(rest, ""),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
}

#[test]
fn handle_request_waits_at_the_limit_no_longer_than_its_timeout() {
    let server = Gate::new(1).builder().max_threads(1).timeout(Duration::from_millis(50)).bind("127.0.0.1:0").unwrap();
    let address = server.local_address().clone();
    thread::scope(|scope| {
        let first = scope.spawn(|| stay(&address));
        wait_until("the first is taken", || server.handle_request().unwrap());
        let mut first = first.join().unwrap();
        let second = scope.spawn(|| ask(&address, "hello").unwrap());
        assert!(!server.handle_request().unwrap());
        assert_eq!(server.stats().accepted, 1);
        writeln!(first.get_mut(), "go").unwrap();
        wait_until("the second is taken", || server.handle_request().unwrap());
        assert_eq!(second.join().unwrap(), "hello");
    });
    assert_eq!(server.service().peak.load(SeqCst), 1);
}

#[test]
fn a_flood_of_packets_stays_within_the_limit_and_passes() {
    let running = Flood::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    let flood = UdpSocket::bind("127.0.0.1:0").unwrap();
    flood.connect(running.local_address()).unwrap();
    let dam = running.service().dam.write().unwrap();
    for packet in 0..5_000 {
        flood.send(b"flood").unwrap();
        if packet == 100 {
            wait_until("there are as many as may be", || running.stats().active >= 4);
        }
    }
    assert_eq!(running.stats().accepted, 4);
    drop(dam);
    // Again and again, as long as the kernel has no room for it.
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(running.local_address()).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    wait_until("it has passed", || {
        client.send(b"hello").unwrap();
        let mut reply = [0; 5];
        client.recv(&mut reply).is_ok() && &reply == b"hello"
    });
    let stats = running.stats();
    assert!(stats.accepted > 100 && stats.failed == 0, "{stats:?}");
    assert_eq!(running.service().peak.load(SeqCst), 4);
    running.shutdown().unwrap();
}

#[test]
fn a_thread_serves_one_request_after_the_other() {
    /// Answers with the number of threads that it has run in so far.
    #[socket_server(tcp, threading)]
    #[derive(Default)]
    struct Threads(Mutex<HashSet<ThreadId>>);

    #[handler]
    impl Threads {
        fn handle(&self, output: &mut Writer) -> io::Result<()> {
            let mut threads = self.0.lock().unwrap();
            threads.insert(thread::current().id());
            writeln!(output, "{}", threads.len())
        }
    }

    let running = Threads::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut threads = 0;
    for _ in 0..300 {
        threads = ask(running.local_address(), "").unwrap().parse().unwrap();
    }
    // As many as wait, and a few more where one was slow to come back.
    assert!(threads < 100, "{threads} threads for 300 requests, one after the other");
    running.shutdown().unwrap();
}

/// A client that is being served until it sends another line.
fn stay(server: &Address) -> BufReader<TcpStream> {
    let mut client = TcpStream::connect(server.socket_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    writeln!(client, "stay").unwrap();
    let mut client = BufReader::new(client);
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "staying\n");
    client
}
