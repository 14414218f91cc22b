//! The hooks of a handler and of its server: their order, and what follows when one fails or panics.
#![allow(clippy::unused_self, reason = "a handler need not look at its server")]

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::{
    Address, BoxError, Connection, Endpoint, HandlerError, Hook, Hooks, Iterative, Listener, MixIn, Reader, Server,
    Tcp, Threading, Transport, Writer, handler, kind, socket_server,
};
use support::{ask, connect, wait_until};

/// What goes wrong in which hook, and what happened in which order.
#[derive(Default)]
struct Script {
    faults: Vec<(&'static str, Fault)>,
    trace: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// It says no: an error, or `false`.
    Refuses,
    Panics,
    /// It panics the first time only.
    PanicsOnce,
}
use Fault::{Panics, PanicsOnce, Refuses};

impl Script {
    fn new(faults: &[(&'static str, Fault)]) -> Arc<Self> {
        Arc::new(Self { faults: faults.to_vec(), trace: Mutex::default() })
    }

    fn step(&self, hook: &'static str) -> Result<(), String> {
        let calls = {
            let mut trace = self.trace.lock().unwrap();
            trace.push(hook.to_owned());
            trace.iter().filter(|call| *call == hook).count()
        };
        match self.faults.iter().find(|(name, _)| *name == hook) {
            Some((_, Refuses)) => Err(format!("{hook} refuses")),
            Some((_, Panics)) => panic!("{hook} panics"),
            Some((_, PanicsOnce)) if calls == 1 => panic!("{hook} panics"),
            _ => Ok(()),
        }
    }

    fn note(&self, what: String) {
        self.trace.lock().unwrap().push(what);
    }

    fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }
}

/// One text for a server without a mix-in and for one with.
macro_rules! scripted {
    ($($server:ident, $session:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+, hooks)]
        struct $server(Arc<Script>);

        impl Hooks for $server {
            fn verify_request(&self, _: &Connection) -> bool {
                self.0.step("verify_request").is_ok()
            }

            fn handle_error(&self, error: &HandlerError, peer: &Address) {
                assert!(peer.socket_addr().is_some_and(|peer| peer.ip().is_loopback()));
                self.0.note(error.to_string());
                let _ = self.0.step("handle_error");
            }

            fn handle_timeout(&self) {
                let _ = self.0.step("handle_timeout");
            }

            fn service_actions(&self) {
                let _ = self.0.step("service_actions");
            }

            fn accept_error(&self, error: &io::Error) {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
                let _ = self.0.step("accept_error");
            }
        }

        struct $session(Arc<Script>);

        #[handler($server)]
        impl $session {
            fn setup(server: &$server) -> Result<Self, String> {
                server.0.step("setup")?;
                Ok(Self(Arc::clone(&server.0)))
            }

            fn handle(&mut self, connection: &mut Connection) -> io::Result<()> {
                self.0.step("handle").map_err(io::Error::other)?;
                let mut line = connection.reader().next_line()?.unwrap_or_default().to_owned();
                line.push('\n');
                connection.write_all(line.as_bytes())
            }

            fn finish(&mut self) -> Result<(), String> {
                self.0.step("finish")
            }
        }

        impl Drop for $session {
            fn drop(&mut self) {
                let _ = self.0.step("drop");
            }
        }
    )*};
}

scripted! {
    Alone, AloneSession: tcp;
    Crowd, CrowdSession: tcp, threading;
}

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

#[test]
fn a_panic_in_any_hook_costs_its_request_at_most_and_the_server_goes_on() {
    for hook in ["verify_request", "service_actions", "setup", "handle", "finish", "drop"] {
        let script = Script::new(&[(hook, PanicsOnce)]);
        goes_on(&Alone(Arc::clone(&script)).bind("127.0.0.1:0").unwrap());
        assert_eq!(script.trace().iter().filter(|call| *call == hook).count(), 2, "{hook}");

        let script = Script::new(&[(hook, PanicsOnce)]);
        goes_on(&Crowd(Arc::clone(&script)).bind("127.0.0.1:0").unwrap());
        assert_eq!(script.trace().iter().filter(|call| *call == hook).count(), 2, "{hook}");
    }
}

#[test]
fn a_panic_while_a_failure_is_told_is_contained() {
    let faults = [("setup", PanicsOnce), ("handle_error", Panics)];
    goes_on(&Alone(Script::new(&faults)).bind("127.0.0.1:0").unwrap());
    goes_on(&Crowd(Script::new(&faults)).bind("127.0.0.1:0").unwrap());
}

#[test]
fn a_panic_of_a_session_that_is_dropped_is_told() {
    assert_eq!(traces(&[("drop", Panics)])[4..], ["finish", "drop", "`finish` panicked: drop panics", "handle_error"]);
}

#[test]
fn handle_timeout_is_called_when_no_request_comes_and_may_panic() {
    let timeout = Duration::from_millis(1);
    let script = Script::new(&[("handle_timeout", PanicsOnce)]);
    let server = Alone(Arc::clone(&script)).builder().timeout(timeout).bind("127.0.0.1:0").unwrap();
    assert!(!server.handle_request().unwrap());
    assert!(!server.handle_request().unwrap());
    assert_eq!(script.trace(), ["handle_timeout", "handle_timeout"]);

    let script = Script::new(&[("handle_timeout", PanicsOnce)]);
    let server = Crowd(Arc::clone(&script)).builder().timeout(timeout).bind("127.0.0.1:0").unwrap();
    assert!(!server.handle_request().unwrap());
    assert!(!server.handle_request().unwrap());
    assert_eq!(script.trace(), ["handle_timeout", "handle_timeout"]);

    server.shutdown_handle().shutdown();
    assert!(!server.handle_request().unwrap());
    assert_eq!(script.trace().len(), 2, "a shutdown is not a timeout");
}

#[test]
fn service_actions_is_called_at_its_interval_and_may_panic() {
    let interval = Duration::from_millis(1);
    let is_called = |script: &Script| wait_until("it is called five times", || script.trace().len() >= 5);

    let script = Script::new(&[("service_actions", Panics)]);
    let server = Alone(Arc::clone(&script)).builder().service_interval(interval).bind("127.0.0.1:0").unwrap();
    let running = server.start().unwrap();
    is_called(&script);
    running.shutdown().unwrap();

    let script = Script::new(&[("service_actions", Panics)]);
    let server = Crowd(Arc::clone(&script)).builder().service_interval(interval).bind("127.0.0.1:0").unwrap();
    let running = server.start().unwrap();
    is_called(&script);
    running.shutdown().unwrap();
}

/// The first accept of each server fails.
struct FailsOnce;

static ACCEPTS: AtomicUsize = AtomicUsize::new(0);

impl Transport for FailsOnce {
    type Request = Connection;
    const NAME: &'static str = "fails_once";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        let connection = Tcp::get_request(listener)?;
        if ACCEPTS.fetch_add(1, SeqCst).is_multiple_of(2) {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(connection)
        }
    }
}

impl Endpoint<FailsOnce, kind::Address> for &str {
    fn open(self, options: &socketserver::Options) -> io::Result<Listener> {
        Endpoint::<Tcp, kind::Address>::open(self, options)
    }
}

#[test]
fn a_failed_accept_is_told_and_may_panic() {
    let script = Script::new(&[("accept_error", Panics)]);
    tells(Server::<_, FailsOnce, Iterative>::bind("127.0.0.1:0", Alone(Arc::clone(&script))).unwrap(), &script);

    let script = Script::new(&[("accept_error", Panics)]);
    tells(Server::<_, FailsOnce, Threading>::bind("127.0.0.1:0", Crowd(Arc::clone(&script))).unwrap(), &script);
}

/// The first connection is lost before it is accepted, and the second is served.
fn tells<S: Hooks<Request = Connection>, M: MixIn>(server: Server<S, FailsOnce, M>, script: &Script) {
    let running = server.start().unwrap();
    let _ = ask(running.local_address(), "first");
    wait_until("it is told", || !script.trace().is_empty());
    assert_eq!(ask(running.local_address(), "second").unwrap(), "second");
    running.shutdown().unwrap();
    assert_eq!(script.trace()[..2], ["accept_error", "verify_request"]);
}

/// The first accepts of each server panic.
struct Panicky;

impl Transport for Panicky {
    type Request = Connection;
    const NAME: &'static str = "panicky";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        static ACCEPTS: AtomicUsize = AtomicUsize::new(0);

        let connection = Tcp::get_request(listener)?;
        assert_eq!(ACCEPTS.fetch_add(1, SeqCst) % 4, 3, "as the test asks");
        Ok(connection)
    }
}

impl Endpoint<Panicky, kind::Address> for &str {
    fn open(self, options: &socketserver::Options) -> io::Result<Listener> {
        Endpoint::<Tcp, kind::Address>::open(self, options)
    }
}

#[test]
fn a_panic_in_get_request_costs_its_request() {
    fn goes_on<S: Hooks<Request = Connection>, M: MixIn>(server: Server<S, Panicky, M>) {
        let running = server.start().unwrap();
        for _ in 0..3 {
            ask(running.local_address(), "lost").unwrap_err();
        }
        assert_eq!(ask(running.local_address(), "served").unwrap(), "served");
        assert_eq!((running.stats().accepted, running.stats().accept_errors), (1, 3));
        running.shutdown().unwrap();
    }
    goes_on(Server::<_, Panicky, Iterative>::bind("127.0.0.1:0", Grenades("")).unwrap());
    goes_on(Server::<_, Panicky, Threading>::builder(Grenades("")).max_threads(1).bind("127.0.0.1:0").unwrap());
}

/// Its destructor panics, with another one.
#[derive(Debug)]
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

impl fmt::Display for Grenade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as the test asks")
    }
}

impl Error for Grenade {}

/// Throws one from a hook, or, from `return`, as an error.
#[socket_server(tcp, threading, max_threads = 2, hooks)]
struct Grenades(&'static str);

impl Grenades {
    fn step(&self, hook: &str) {
        if self.0 == hook {
            panic_any(Grenade);
        }
    }
}

impl Hooks for Grenades {
    fn verify_request(&self, _: &Connection) -> bool {
        self.step("verify_request");
        true
    }

    fn service_actions(&self) {
        self.step("service_actions");
    }

    fn handle_error(&self, _: &HandlerError, _: &Address) {
        self.step("handle_error");
    }
}

#[handler]
impl Grenades {
    fn setup(&self) {
        self.step("setup");
    }

    fn handle(&self, connection: &mut Connection) -> Result<(), BoxError> {
        let line = connection.reader().next_line()?.unwrap_or_default().to_owned();
        self.step("handle");
        if ["return", "handle_error"].contains(&self.0) {
            return Err(Grenade.into());
        }
        writeln!(connection, "{line}").map_err(Into::into)
    }

    fn finish(&self) {
        self.step("finish");
    }
}

/// A thread that it took along would be missed: there are but two.
#[test]
fn what_is_thrown_may_panic_when_it_is_dropped() {
    const REQUESTS: u64 = 6;

    for hook in ["verify_request", "service_actions", "setup", "handle", "finish", "return", "handle_error"] {
        let running = Grenades(hook).bind("127.0.0.1:0").unwrap().start().unwrap();
        for _ in 0..REQUESTS {
            let _ = ask(running.local_address(), "hello");
        }
        wait_until("all requests have ended", || running.stats().accepted == REQUESTS && running.stats().active == 0);
        let stats = running.stats();
        let expected = match hook {
            "verify_request" => (0, 0, REQUESTS),
            "service_actions" => (REQUESTS, 0, 0),
            _ => (0, REQUESTS, 0),
        };
        assert_eq!((stats.finished, stats.failed, stats.refused), expected, "{hook}");
        running.shutdown().unwrap();
    }
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

/// What one request leaves behind; the same with and without threads.
#[track_caller]
fn traces(faults: &[(&'static str, Fault)]) -> Vec<String> {
    let alone = Script::new(faults);
    one_request(Alone(Arc::clone(&alone)).bind("127.0.0.1:0").unwrap());
    let crowd = Script::new(faults);
    one_request(Crowd(Arc::clone(&crowd)).bind("127.0.0.1:0").unwrap());
    assert_eq!(alone.trace(), crowd.trace());
    alone.trace()
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

fn one_request<S: Hooks<Request = Connection>, M: MixIn>(server: Server<S, Tcp, M>) {
    let running = server.start().unwrap();
    let mut client = connect(running.local_address()).unwrap();
    client.write_all(b"hello\n").unwrap();
    // The connection ends after the last hook. A handler that has not read what it was sent is ended by a reset.
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    running.shutdown().unwrap();
}

/// After a request that may have come to nothing, the next one is served; `serve_forever` returns without an error.
fn goes_on<S, T, M>(server: &Server<S, T, M>)
where
    S: Hooks<Request = Connection>,
    T: Transport<Request = Connection>,
    M: MixIn,
{
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let _ = ask(server.local_address(), "first");
        let second = ask(server.local_address(), "second");
        server.shutdown_handle().shutdown();
        assert_eq!(second.unwrap(), "second");
        serving.join().unwrap().unwrap();
    });
    let stats = server.stats();
    assert_eq!(stats.accepted, stats.finished + stats.failed + stats.refused);
    assert_eq!(stats.active, 0);
}
