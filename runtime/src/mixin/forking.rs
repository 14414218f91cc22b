//! A child process for each request.

use std::io;
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use super::{Concurrent, MixIn, Process};
use crate::accept::Errors;
use crate::base::{Attempt, Base, guard};
use crate::hooks::Hooks;
use crate::report;
use crate::request::Life;
use crate::server::Server;
use crate::sys;
use crate::sys::child::Child;
use crate::sys::poll::{self, Interest, poll};
use crate::transport::Transport;

/// Each request in a child process of its own, `max_children` of them at once.
///
/// CPython: `ForkingMixIn`. What a handler changes, it changes in the child only, and a crash of it costs one request.
/// The parent waits for its own children and for no others, as soon as each ends, and tells
/// [`child_exited`](crate::Hooks::child_exited). Where the system has no descriptor that tells the end, which Linux and
/// Android have, it looks every 10 ms. A child leaves by `_exit(2)`: no destructor of the parent runs twice.
///
/// A process that forks should have one thread: a lock that another thread holds just then is held for ever in the
/// child. The server says so once if there are others, on Linux, where it can know. An inherited copy of a `udp` or
/// `unix_datagram` socket stays open in the child, which answers through it; that of a listener does not.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
///
/// #[socket_server(tcp, forking, max_children = 8)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// assert_eq!(Quiet::MIX_IN, "forking");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Forking;

impl MixIn for Forking {
    const NAME: &'static str = "forking";
}

impl Concurrent for Forking {}

impl Process for Forking {
    fn serve_forever<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let shutdown = server.base.shutdown();
        let mut children = server.children();
        warn_of_threads(&mut children);
        let outcome = serve(server, &mut children);
        shutdown.shutdown_once();
        outcome.and(drain(&server.base, &mut children))
    }

    fn handle_request<S, T>(server: &Server<S, T, Self>) -> io::Result<bool>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        let mut children = server.children();
        warn_of_threads(&mut children);
        let deadline = server.deadline();
        loop {
            children.reap(base);
            match wait(base, &mut children, deadline)? {
                Event::Request => {
                    if take(base, &mut children)? {
                        return Ok(true);
                    }
                }
                Event::TimedOut | Event::ShuttingDown => return Ok(false),
                Event::Look => {}
            }
        }
    }

    fn close<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let mut children = server.children();
        // Without children the listener is closed in a moment, and a process that has another copy of it may go on.
        if children.running.is_empty() { Ok(()) } else { drain(&server.base, &mut children) }
    }
}

/// The children of one server that have not been waited for.
#[derive(Debug, Default)]
pub(crate) struct Children {
    running: Vec<Child>,
    /// What was last waited for: three others, and then the ends of those who were running, where they show.
    interests: Vec<Interest>,
    errors: Errors,
    /// After an error of accept(2): when to try again.
    resume: Option<Instant>,
    warned_of_threads: bool,
}

impl Children {
    /// Waits for those that have ended, as the last poll(2) has shown, without blocking for the others.
    fn reap<S: Hooks<Request = T::Request>, T: Transport>(&mut self, base: &Base<S, T>) {
        let mut ends = self.interests.drain(..).skip(OTHERS);
        self.running.retain(|child| {
            let may_have_ended = child.exit().is_none_or(|_| ends.next().is_some_and(Interest::is_ready));
            if !may_have_ended {
                return true;
            }
            match child.try_wait() {
                Ok(None) => return true,
                Ok(Some(status)) => ended(base, child, status),
                // Someone else has waited for it, or SIGCHLD is ignored: it is gone, and how, nobody knows.
                Err(_) => base.counters.ended(false),
            }
            false
        });
    }

    /// Waits for the others, for the end of a child, or for the time to look again; `false`: it is time.
    fn poll(&mut self, others: [Interest; OTHERS], deadline: Option<Instant>) -> io::Result<bool> {
        let until = earlier(deadline, self.next_look());
        self.interests.clear();
        self.interests.extend(others);
        // Without a place for those whose end does not show: there may be more of them than poll(2) takes.
        self.interests.extend(self.running.iter().filter_map(Child::exit).map(Interest::readable));
        poll(&mut self.interests, until)
    }

    /// The time to look again: at the listener after an error, or at a child whose end does not show by itself.
    fn next_look(&self) -> Option<Instant> {
        let shows_end = |child: &Child| child.exit().is_some();
        let unseen = (!self.running.iter().all(shows_end)).then(|| Instant::now() + Duration::from_millis(10));
        earlier(self.resume, unseen)
    }

    /// Whether the listener is left alone after an error.
    fn pauses(&mut self) -> bool {
        self.resume = self.resume.filter(|resume| Instant::now() < *resume);
        self.resume.is_some()
    }
}

const OTHERS: usize = 3;

fn ended<S: Hooks<Request = T::Request>, T: Transport>(base: &Base<S, T>, child: &Child, status: ExitStatus) {
    base.counters.ended(status.success());
    guard("child_exited", || base.service.child_exited(child.pid(), status));
}

enum Event {
    Request,
    /// A child may have ended, or a pause be over.
    Look,
    TimedOut,
    ShuttingDown,
}

fn serve<S, T>(server: &Server<S, T, Forking>, children: &mut Children) -> io::Result<()>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    let base = &server.base;
    let interval = base.options.service_interval;
    let mut next_tick = poll::deadline(interval);
    loop {
        children.reap(base);
        match wait(base, children, next_tick)? {
            Event::Request => {
                take(base, children)?;
            }
            Event::TimedOut => {
                base.service_actions();
                next_tick = poll::deadline(interval);
            }
            Event::Look => {}
            Event::ShuttingDown => return Ok(()),
        }
    }
}

/// Waits for whatever comes first. At the limit the listener is left out, and requests wait in the kernel.
fn wait<S, T>(base: &Base<S, T>, children: &mut Children, deadline: Option<Instant>) -> io::Result<Event> {
    let shutdown = base.shutdown();
    if shutdown.is_shutting_down() {
        return Ok(Event::ShuttingDown);
    }
    let takes = !children.pauses() && children.running.len() < base.options.max_children;
    let listener = if takes { Interest::readable(base.listener.as_fd()) } else { Interest::nothing() };
    let others = [Interest::readable(shutdown.bell()), Interest::readable(shutdown.closing()), listener];
    let ready = children.poll(others, deadline)?;
    if children.interests[0].is_ready() {
        shutdown.answer();
    }
    Ok(match children.interests[..] {
        _ if shutdown.is_shutting_down() => Event::ShuttingDown,
        [_, _, listener, ..] if listener.is_ready() => Event::Request,
        _ if !ready && deadline.is_some_and(|deadline| deadline <= Instant::now()) => Event::TimedOut,
        _ => Event::Look,
    })
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Takes the request that is there, if it still is; whether it was.
fn take<S, T>(base: &Base<S, T>, children: &mut Children) -> io::Result<bool>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    match base.try_next_request(&mut children.errors)? {
        Attempt::Request(request) => {
            children.errors = Errors::none();
            process(base, children, request);
            return Ok(true);
        }
        Attempt::Nothing => {}
        Attempt::Failed { pause } => children.resume = Some(Instant::now() + pause),
    }
    Ok(false)
}

/// `process_request`: gives the request to a child, and forgets it here.
fn process<S, T>(base: &Base<S, T>, children: &mut Children, mut request: T::Request)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    if !base.verify(&request) {
        return request.refuse();
    }
    request.furnish();
    let connection = request.stream();
    match sys::child::fork(connection, base.shutdown().listens_to_signals(), || live(base, &mut request)) {
        Ok(child) => {
            children.running.push(child);
            request.close();
        }
        Err(error) => {
            base.counters.ended(false);
            guard("accept_error", || base.service.accept_error(&error));
            request.refuse();
        }
    }
}

/// The life of a child; whether its handler succeeded. `_exit` closes the connection: to free its memory would write to
/// pages, and so copy them.
fn live<S, T>(base: &Base<S, T>, request: &mut T::Request) -> bool
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    if T::Request::IS_CONNECTION {
        base.listener.close_in_child();
    }
    base.finish(request)
}

/// Asks the children to end, waits for them, and ends those that take too long.
fn drain<S, T>(base: &Base<S, T>, children: &mut Children) -> io::Result<()>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    let shutdown = base.shutdown();
    base.listener.stop();
    children.resume = None;
    children.reap(base);
    children.running.iter().for_each(Child::drain);
    if !base.options.waits() {
        return Ok(());
    }
    let mut deadline = poll::deadline(base.options.drain_timeout);
    let mut killed = false;
    while !children.running.is_empty() {
        let is_due = deadline.is_some_and(|deadline| deadline <= Instant::now());
        if !killed && (shutdown.is_cutting() || is_due) {
            killed = true;
            deadline = None;
            shutdown.count_cut(children.running.len());
            children.running.iter().for_each(Child::kill);
        }
        children.poll([Interest::readable(shutdown.bell()), Interest::nothing(), Interest::nothing()], deadline)?;
        shutdown.answer();
        children.reap(base);
    }
    Ok(())
}

fn warn_of_threads(children: &mut MutexGuard<'_, Children>) {
    let others = sys::child::thread_count().map_or(0, |threads| threads.saturating_sub(1));
    if others > 0 && !std::mem::replace(&mut children.warned_of_threads, true) {
        report::error(format_args!(
            "forking while the process has other threads ({others}): a lock that one of them holds is never \
             released in the child"
        ));
    }
}
