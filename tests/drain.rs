//! What a shutdown does about the requests in progress.

use std::io::{self, BufRead, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use socketserver::{
    Address, Connection, Hooks, Iterative, MixIn, Reader, Server, ShutdownHandle, Tcp, Threading, Writer, handler,
    socket_server,
};
use support::{Conversation, connect, wait_until};

type Lines<M> = Server<Echo, Tcp, M>;

/// Echoes lines. At `work` it works without looking at its input, until it is told to go on; at `look` it looks at the
/// beginning of the next line; at `stop` it stops the server.
#[socket_server(tcp, threading, hooks)]
struct Echo {
    /// Before a request is verified, too, it waits to be told to go on.
    verifies_slowly: bool,
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Hooks for Echo {
    fn verify_request(&self, _: &Connection) -> bool {
        if self.verifies_slowly {
            let _ = self.begun.send(());
            let _ = self.go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        true
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            match line {
                "work" => {
                    let _ = self.begun.send(());
                    let _ = self.go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    writeln!(output, "worked, shutting down: {}", shutdown.is_shutting_down())?;
                }
                "look" => {
                    input.fill_buf()?;
                    let _ = self.begun.send(());
                }
                "stop" => {
                    shutdown.shutdown();
                    writeln!(output, "stopping")?;
                }
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
    }
}

/// The test's ends of the channels.
struct Work {
    begun: Receiver<()>,
    go_on: Sender<()>,
}

fn echo() -> (Echo, Work) {
    let ((begun, has_begun), (go_on, goes_on)) = (channel(), channel());
    (Echo { verifies_slowly: false, begun, go_on: Mutex::new(goes_on) }, Work { begun: has_begun, go_on })
}

/// A server whose drain has no end of its own, so that a test would hang if the server waited.
fn patient<M: MixIn>() -> (Lines<M>, Work) {
    let (echo, work) = echo();
    (Lines::builder(echo).drain_timeout(None).bind("127.0.0.1:0").unwrap(), work)
}

/// One that cuts soon.
fn impatient<M: MixIn>() -> (Lines<M>, Work) {
    let (echo, work) = echo();
    (Lines::builder(echo).drain_timeout(Duration::from_millis(50)).bind("127.0.0.1:0").unwrap(), work)
}

/// Serves in a thread while `client` runs, and waits until `serve_forever` has returned.
fn while_serving<M: MixIn, R>(server: &Lines<M>, client: impl FnOnce(&Address) -> R) -> R {
    /// A test that fails must not wait for its server.
    struct Cut(ShutdownHandle);

    impl Drop for Cut {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.shutdown();
                self.0.shutdown();
            }
        }
    }

    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let _cut = Cut(server.shutdown_handle());
        let result = client(server.local_address());
        serving.join().unwrap().unwrap();
        result
    })
}

/// A client whose handler has seen the beginning of a line.
fn with_half_a_line(server: &Address, work: &Work) -> Conversation {
    let mut client = Conversation::with(server);
    client.send("look\n");
    client.send("hal");
    work.begun.recv().unwrap();
    client
}

#[test]
fn idle_connections_are_closed_at_once() {
    closes_the_idle::<Iterative>(&[Some("hello")]);
    closes_the_idle::<Iterative>(&[None]);
    closes_the_idle::<Threading>(&[Some("hello"), None, Some("hello"), None]);
}

/// Clients who have had the reply to their line, and clients who never sent a byte.
fn closes_the_idle<M: MixIn>(clients: &[Option<&str>]) {
    let (server, _work) = patient::<M>();
    let clients = while_serving(&server, |address| {
        let connected: Vec<_> = clients
            .iter()
            .map(|line| {
                let mut client = Conversation::with(address);
                if let Some(line) = line {
                    assert_eq!(client.ask(line), *line);
                }
                client
            })
            .collect();
        wait_until("all are accepted", || server.stats().accepted == clients.len() as u64);
        server.shutdown_handle().shutdown();
        connected
    });
    assert_eq!((server.stats().cut, server.stats().finished), (0, clients.len() as u64));
    clients.into_iter().for_each(Conversation::expect_end);
}

#[test]
fn a_request_in_progress_finishes_and_sees_the_shutdown() {
    finishes_its_request::<Iterative>();
    finishes_its_request::<Threading>();
}

fn finishes_its_request<M: MixIn>() {
    let (server, work) = patient::<M>();
    let mut client = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("work\n");
        work.begun.recv().unwrap();
        server.shutdown_handle().shutdown();
        work.go_on.send(()).unwrap();
        client
    });
    assert_eq!(client.line(), "worked, shutting down: true");
    client.expect_end();
    assert_eq!((server.stats().cut, server.stats().finished), (0, 1));
}

#[test]
fn half_a_line_is_a_request_in_progress() {
    waits_for_the_other_half::<Iterative>();
    waits_for_the_other_half::<Threading>();
}

fn waits_for_the_other_half<M: MixIn>() {
    let (server, work) = patient::<M>();
    let client = while_serving(&server, |address| {
        let mut client = with_half_a_line(address, &work);
        server.shutdown_handle().shutdown();
        client.send("f\n");
        assert_eq!(client.line(), "half");
        client
    });
    client.expect_end();
    assert_eq!((server.stats().cut, server.stats().finished), (0, 1));
}

#[test]
fn half_a_line_behind_a_whole_one_is_a_request_in_progress_too() {
    let (server, _work) = impatient::<Threading>();
    while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("first\nhal");
        // The reply says that the server has the other half line, too: they came together.
        assert_eq!(client.line(), "first");
        server.shutdown_handle().shutdown();
        client.expect_end_or_reset();
    });
    assert_eq!(server.stats().cut, 1);
}

#[test]
fn what_takes_longer_than_the_drain_is_cut_and_counted() {
    cuts_after_the_drain::<Iterative>(1);
    cuts_after_the_drain::<Threading>(3);
}

fn cuts_after_the_drain<M: MixIn>(clients: u64) {
    let (server, work) = impatient::<M>();
    let clients = while_serving(&server, |address| {
        let clients: Vec<_> = (0..clients).map(|_| with_half_a_line(address, &work)).collect();
        server.shutdown_handle().shutdown();
        clients
    });
    assert_eq!(server.stats().cut, clients.len() as u64);
    clients.into_iter().for_each(Conversation::expect_end_or_reset);
    wait_until("their handlers have noticed", || server.stats().active == 0);
}

#[test]
fn a_second_shutdown_cuts_at_once() {
    cuts_at_the_second_shutdown::<Iterative>();
    cuts_at_the_second_shutdown::<Threading>();
}

fn cuts_at_the_second_shutdown<M: MixIn>() {
    let (server, work) = patient::<M>();
    let client = while_serving(&server, |address| {
        let client = with_half_a_line(address, &work);
        server.shutdown_handle().shutdown();
        server.shutdown_handle().shutdown();
        client
    });
    assert_eq!(server.stats().cut, 1);
    client.expect_end_or_reset();
}

#[test]
fn a_request_that_is_being_verified_during_the_cut_is_cut_too() {
    let (mut echo, work) = echo();
    echo.verifies_slowly = true;
    let server = Lines::<Threading>::builder(echo).drain_timeout(None).bind("127.0.0.1:0").unwrap();
    let client = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("hal");
        work.begun.recv().unwrap();
        server.shutdown_handle().shutdown();
        server.shutdown_handle().shutdown();
        work.go_on.send(()).unwrap();
        client
    });
    wait_until("it has ended", || server.stats().active == 0);
    assert_eq!(server.stats().cut, 1);
    client.expect_end_or_reset();
}

#[test]
fn a_handler_may_shut_its_server_down() {
    is_shut_down_by_its_handler::<Iterative>();
    is_shut_down_by_its_handler::<Threading>();
}

fn is_shut_down_by_its_handler<M: MixIn>() {
    let (server, _work) = patient::<M>();
    let client = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("stop\n");
        assert_eq!(client.line(), "stopping");
        client
    });
    client.expect_end();
    assert_eq!((server.stats().cut, server.stats().finished), (0, 1));
}

#[test]
fn no_request_is_accepted_after_a_shutdown() {
    accepts_nothing_more::<Iterative>();
    accepts_nothing_more::<Threading>();
}

fn accepts_nothing_more<M: MixIn>() {
    let (server, work) = patient::<M>();
    let late = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("work\n");
        work.begun.recv().unwrap();
        server.shutdown_handle().shutdown();
        // It may still get into the queue of the kernel, or even out of it, and then is closed unserved.
        let late = TcpStream::connect(address);
        work.go_on.send(()).unwrap();
        assert_eq!(client.line(), "worked, shutting down: true");
        late
    });
    assert_eq!(server.stats().accepted, 1);
    drop(server);
    if let Ok(mut late) = late {
        // The kernel may have forgotten a handshake that the end of the listener met: it says so when it is spoken to.
        let _ = late.write_all(b"hello\n");
        Conversation::over(late).expect_end_or_reset();
    }
}

#[test]
fn connections_that_were_not_accepted_are_reset() {
    resets_its_queue::<Iterative>();
    resets_its_queue::<Threading>();
}

fn resets_its_queue<M: MixIn>() {
    let (server, _work) = patient::<M>();
    let clients: Vec<_> = (0..3).map(|_| connect(server.local_address()).unwrap()).collect();
    server.shutdown_handle().shutdown();
    server.serve_forever().unwrap();
    assert_eq!(server.stats().accepted, 0);
    drop(server);
    for client in clients {
        assert_eq!(io::read_to_string(client).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_handler_that_does_not_look_is_left_behind() {
    let (server, work) = impatient::<Threading>();
    let client = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("work\n");
        work.begun.recv().unwrap();
        server.shutdown_handle().shutdown();
        client
    });
    assert_eq!((server.stats().cut, server.stats().active), (1, 1));
    client.expect_end_or_reset();
    work.go_on.send(()).unwrap();
    wait_until("it ends", || server.stats().active == 0);
}

#[test]
fn without_block_on_close_nothing_is_waited_for() {
    let (echo, work) = echo();
    let server = Lines::<Threading>::builder(echo).block_on_close(false).drain_timeout(None);
    leaves_its_requests(server.bind("127.0.0.1:0").unwrap(), &work);
}

#[test]
fn with_daemon_threads_nothing_is_waited_for() {
    let (echo, work) = echo();
    let server = Lines::<Threading>::builder(echo).daemon_threads(true).drain_timeout(None);
    leaves_its_requests(server.bind("127.0.0.1:0").unwrap(), &work);
}

/// The request goes on without its server.
fn leaves_its_requests(server: Lines<Threading>, work: &Work) {
    let mut client = while_serving(&server, |address| {
        let mut client = Conversation::with(address);
        client.send("work\n");
        work.begun.recv().unwrap();
        server.shutdown_handle().shutdown();
        client
    });
    assert_eq!((server.stats().cut, server.stats().active), (0, 1));
    drop(server);
    work.go_on.send(()).unwrap();
    assert_eq!(client.line(), "worked, shutting down: true");
    client.expect_end();
}

#[test]
fn a_server_that_is_dropped_has_left_its_address_although_a_request_goes_on() {
    let (echo, work) = echo();
    let server = Lines::<Threading>::builder(echo).block_on_close(false).bind("127.0.0.1:0").unwrap();
    let address = server.local_address().clone();
    let mut client = Conversation::with(&address);
    client.send("work\n");
    assert!(server.handle_request().unwrap());
    work.begun.recv().unwrap();
    drop(server);
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    Lines::<Threading>::bind(&address, self::echo().0).unwrap();
    work.go_on.send(()).unwrap();
    assert_eq!(client.line(), "worked, shutting down: true");
    client.expect_end();
}
