//! The hooks of a handler and of its server: their order, and what follows when one fails; and who waits for a request
//! to be verified.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use socketserver::{
    Address, Connection, HandlerError, Hook, Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler,
    socket_server,
};
use support::Fault::{Panics, Refuses};
use support::{Fault, Script, Scripted, ask, connect, wait_until};

#[test]
fn a_request_that_succeeds_goes_through_all_hooks_in_order() {
    assert_eq!(
        traces(&[]),
        ["verify_request", "service_actions", "setup", "handle", "finish", "drop"].map(str::to_owned)
    );
}

#[test]
fn a_request_that_is_refused_is_not_handled() {
    let expected = ["verify_request", "service_actions"].map(str::to_owned);
    assert_eq!(traces(&[("verify_request", Refuses)]), expected);
    assert_eq!(traces(&[("verify_request", Panics)]), expected);
}

#[test]
fn after_a_failed_setup_nothing_else_runs() {
    for (fault, told) in [(Refuses, "`setup` failed: setup refuses"), (Panics, "`setup` panicked: setup panics")] {
        assert_eq!(
            traces(&[("setup", fault)]),
            ["verify_request", "service_actions", "setup", told, "handle_error"].map(str::to_owned)
        );
    }
}

#[test]
fn finish_runs_after_a_failed_handle() {
    for (fault, told) in [(Refuses, "`handle` failed: handle refuses"), (Panics, "`handle` panicked: handle panics")] {
        assert_eq!(
            traces(&[("handle", fault)]),
            ["verify_request", "service_actions", "setup", "handle", "finish", "drop", told, "handle_error"]
                .map(str::to_owned)
        );
    }
}

#[test]
fn a_failed_finish_is_told() {
    for (fault, told) in [(Refuses, "`finish` failed: finish refuses"), (Panics, "`finish` panicked: finish panics")] {
        assert_eq!(
            traces(&[("finish", fault)]),
            ["verify_request", "service_actions", "setup", "handle", "finish", "drop", told, "handle_error"]
                .map(str::to_owned)
        );
    }
}

#[test]
fn if_handle_and_finish_fail_the_first_is_told_with_the_later() {
    for (handle, finish, told) in [
        (Refuses, Refuses, "`handle` failed: handle refuses; then `finish` failed: finish refuses"),
        (Refuses, Panics, "`handle` failed: handle refuses; then `finish` panicked: finish panics"),
        (Panics, Refuses, "`handle` panicked: handle panics; then `finish` failed: finish refuses"),
        (Panics, Panics, "`handle` panicked: handle panics; then `finish` panicked: finish panics"),
    ] {
        let trace = traces(&[("handle", handle), ("finish", finish)]);
        assert_eq!(trace[4..], ["finish", "drop", told, "handle_error"].map(str::to_owned));
    }
}

/// What one request leaves behind; the same with and without threads.
#[track_caller]
fn traces(faults: &[(&'static str, Fault)]) -> Vec<String> {
    let alone = one_request::<Iterative>(faults);
    assert_eq!(alone, one_request::<Threading>(faults));
    alone
}

fn one_request<M: MixIn>(faults: &[(&'static str, Fault)]) -> Vec<String> {
    let script = Script::new(faults);
    let server = Server::<_, Tcp, M>::bind("127.0.0.1:0", Scripted(Arc::clone(&script))).unwrap();
    let running = server.start().unwrap();
    let mut client = connect(running.local_address()).unwrap();
    client.write_all(b"hello\n").unwrap();
    // The connection ends after the last hook. A handler that has not read what it was sent is ended by a reset.
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    running.shutdown().unwrap();
    script.trace()
}

/// The hook, whether it panicked, whether the peer is gone, and the later hook that failed too.
type Seen = (Hook, bool, bool, Option<Hook>);

/// Keeps what it is told.
#[socket_server(tcp, hooks)]
#[derive(Default)]
struct Witness {
    seen: Mutex<Vec<Seen>>,
}

impl Hooks for Witness {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        let later = error.finish_error().map(HandlerError::hook);
        self.seen.lock().unwrap().push((error.hook(), error.is_panic(), error.is_peer_gone(), later));
    }
}

#[handler]
impl Witness {
    fn handle(&self, connection: &mut Connection) -> io::Result<()> {
        let line = connection.reader().next_line()?.unwrap_or_default();
        match line {
            "gone" => Err(io::ErrorKind::BrokenPipe.into()),
            "panic" => panic!("as asked"),
            _ => Err(io::Error::other("as asked")),
        }
    }

    fn finish(&self) -> io::Result<()> {
        if self.seen.lock().unwrap().len() == 2 { Err(io::Error::other("the third time")) } else { Ok(()) }
    }
}

#[test]
fn a_failure_is_told_with_its_hook_and_its_kind() {
    let running = Witness::default().bind("127.0.0.1:0").unwrap().start().unwrap();
    for line in ["gone", "panic", "fail"] {
        assert_eq!(ask(running.local_address(), line).unwrap(), "");
    }
    assert_eq!(
        *running.service().seen.lock().unwrap(),
        [
            (Hook::Handle, false, true, None),
            (Hook::Handle, true, false, None),
            (Hook::Handle, false, false, Some(Hook::Finish)),
        ]
    );
    wait_until("all three have failed", || running.stats().failed == 3);
}

#[test]
fn a_request_that_is_refused_does_not_keep_others_waiting() {
    /// Refuses the first three, whatever they have sent.
    #[socket_server(tcp, hooks)]
    #[derive(Default)]
    struct Fourth(AtomicUsize);

    impl Hooks for Fourth {
        fn verify_request(&self, _: &Connection) -> bool {
            self.0.fetch_add(1, SeqCst) >= 3
        }
    }

    #[handler]
    impl Fourth {
        fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
            write!(output, "{}", input.next_line()?.unwrap_or_default())
        }
    }

    let server = Fourth::default().bind("127.0.0.1:0").unwrap();
    // They have sent something that nobody reads, and stay.
    let refused = [(); 3].map(|()| connect(server.local_address()).unwrap());
    let refused = refused.map(|mut client| {
        client.write_all(b"hello\n").unwrap();
        client
    });
    let begun = Instant::now();
    let running = server.start().unwrap();
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    // Closing a connection that was handled waits up to two seconds for such a client, and here are three.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(refused);
    assert_eq!(running.stats().refused, 3);
}

#[test]
fn a_peer_that_is_slow_to_be_verified_keeps_nobody_waiting() {
    /// Waits for the first byte before it decides.
    #[socket_server(tcp, threading, hooks)]
    struct Curious;

    impl Hooks for Curious {
        fn verify_request(&self, request: &Connection) -> bool {
            let peek = || TcpStream::from(request.socket().try_clone()?).peek(&mut [0]);
            matches!(peek(), Ok(1))
        }
    }

    #[handler]
    impl Curious {
        fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
            writeln!(output, "{}", input.next_line()?.unwrap_or_default())
        }
    }

    let running = Curious.bind("127.0.0.1:0").unwrap().start().unwrap();
    // More of them than threads wait for requests.
    let silent: Vec<_> = (0..50).map(|_| connect(running.local_address()).unwrap()).collect();
    wait_until("all are being verified", || running.stats().active == 50);
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    drop(silent);
    wait_until("all are refused", || running.stats().refused == 50);
    running.shutdown().unwrap();
}
