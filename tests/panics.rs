//! Panics, wherever they come from: they cost their request at the most, they are told, and the server goes on.

mod flaky;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use flaky::{At, Flaky};
use socketserver::{
    Address, BoxError, Connection, Endpoint, HandlerError, Hooks, Iterative, Listener, MixIn, Options, Server, Tcp,
    Threading, Transport, handler, kind, socket_server,
};
use support::Fault::{Panics, PanicsOnce};
use support::{Script, Scripted, ask, wait_until};

const IPV4: &str = "127.0.0.1:0";

#[test]
fn a_panic_in_any_hook_costs_its_request_at_most_and_the_server_goes_on() {
    for hook in ["verify_request", "service_actions", "setup", "handle", "finish", "drop"] {
        let faults = [(hook, PanicsOnce)];
        for script in [goes_on::<Iterative>(&faults), goes_on::<Threading>(&faults)] {
            assert_eq!(script.calls(hook), 2, "{hook}");
        }
    }
}

#[test]
fn a_panic_while_a_failure_is_told_is_contained() {
    let faults = [("setup", PanicsOnce), ("handle_error", Panics)];
    for script in [goes_on::<Iterative>(&faults), goes_on::<Threading>(&faults)] {
        assert_eq!(script.calls("handle_error"), 1);
    }
}

/// After a request that may have come to nothing, the next one is served; `serve_forever` returns without an error.
fn goes_on<M: MixIn>(faults: &[(&'static str, support::Fault)]) -> Arc<Script> {
    let script = Script::new(faults);
    let server = Server::<_, Tcp, M>::bind(IPV4, Scripted(Arc::clone(&script))).unwrap();
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let _ = ask(server.local_address(), "first");
        let second = ask(server.local_address(), "second");
        server.shutdown_handle().shutdown();
        assert_eq!(second.unwrap(), "second");
        serving.join().unwrap().unwrap();
    });
    let stats = server.stats();
    assert_eq!((stats.accepted, stats.active), (2, 0));
    assert_eq!(stats.accepted, stats.finished + stats.failed + stats.refused);
    script
}

#[test]
fn a_panic_of_a_session_that_is_dropped_is_told() {
    is_told::<Iterative>();
    is_told::<Threading>();
}

fn is_told<M: MixIn>() {
    let script = Script::new(&[("drop", Panics)]);
    let running = Server::<_, Tcp, M>::bind(IPV4, Scripted(Arc::clone(&script))).unwrap().start().unwrap();
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    wait_until("it has failed", || running.stats().failed == 1);
    running.shutdown().unwrap();
    assert_eq!(script.trace()[4..], ["finish", "drop", "`finish` panicked: drop panics", "handle_error"]);
}

#[test]
fn a_panic_while_no_request_comes_is_contained() {
    is_contained::<Iterative>();
    is_contained::<Threading>();
}

fn is_contained<M: MixIn>() {
    let moment = Duration::from_millis(1);
    let script = Script::new(&[("handle_timeout", Panics)]);
    let server = Server::<_, Tcp, M>::builder(Scripted(Arc::clone(&script))).timeout(moment).bind(IPV4).unwrap();
    assert!(!server.handle_request().unwrap());
    assert!(!server.handle_request().unwrap());
    assert_eq!(script.trace(), ["handle_timeout", "handle_timeout"]);

    let script = Script::new(&[("service_actions", Panics)]);
    let server = Server::<_, Tcp, M>::builder(Scripted(Arc::clone(&script))).service_interval(moment).bind(IPV4);
    let running = server.unwrap().start().unwrap();
    wait_until("it is called five times", || script.calls("service_actions") >= 5);
    running.shutdown().unwrap();
}

#[test]
fn a_panic_while_a_failed_accept_is_told_is_contained() {
    serves_after_a_failed_accept::<Iterative>();
    serves_after_a_failed_accept::<Threading>();
}

fn serves_after_a_failed_accept<M: MixIn>() {
    let script = Script::new(&[("accept_error", Panics)]);
    let server = Server::<_, Flaky, M>::bind(At(IPV4), Scripted(Arc::clone(&script))).unwrap();
    flaky::fail(server.local_address(), &[libc::ECONNABORTED]);
    let running = server.start().unwrap();
    wait_until("it is told", || script.calls("accept_error") == 1);
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
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
    fn open(self, options: &Options) -> io::Result<Listener> {
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
    goes_on(Server::<_, Panicky, Iterative>::bind(IPV4, Grenades("")).unwrap());
    goes_on(Server::<_, Panicky, Threading>::builder(Grenades("")).max_threads(1).bind(IPV4).unwrap());
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
        let running = Grenades(hook).bind(IPV4).unwrap().start().unwrap();
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
