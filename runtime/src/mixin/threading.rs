//! A thread for each request in progress.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::crew::{Crew, Duty, Limits};
use super::{Concurrent, MixIn, Process};
use crate::base::{Base, Next, guard};
use crate::error::no_thread;
use crate::hooks::Hooks;
use crate::options::Options;
use crate::report;
use crate::request::Life as _;
use crate::server::Server;
use crate::shutdown::SeatGuard;
use crate::transport::Transport;

/// Each request in a thread of its own, `max_threads` of them at once.
///
/// CPython: `ThreadingMixIn`. Threads are kept for the next request where that is cheaper than starting one, so a
/// thread-local value may outlive a request. If the system refuses another thread, requests wait until one is free.
/// While connections come less than 40 µs apart, a thread yields the processor once before it sleeps.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
///
/// #[socket_server(tcp, threading, max_threads = 64)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// assert_eq!(Quiet::MIX_IN, "threading");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Threading;

impl MixIn for Threading {
    const NAME: &'static str = "threading";
}

impl Concurrent for Threading {}

impl Process for Threading {
    fn serve_forever<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        let shutdown = base.shutdown();
        if shutdown.is_shutting_down() {
            base.listener.stop();
            return Ok(());
        }
        base.listener.block()?;
        let crew =
            Crew::muster(Service(Arc::clone(base)), limits::<T>(&base.options)).map_err(|error| no_thread(&error))?;
        let waited = shutdown.wait(base.options.service_interval, || base.service_actions(), || crew.has_failed());
        shutdown.shutdown_once();
        base.listener.stop();
        crew.dismiss();
        let drained =
            if base.options.waits() { shutdown.drain(base.options.drain_timeout, || crew.is_gone()) } else { Ok(()) };
        if crew.is_gone() {
            crew.join();
        }
        crew.take_failure().map_or_else(|| waited.and(drained), Err)
    }

    fn handle_request<S, T>(server: &Server<S, T, Self>) -> io::Result<bool>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        let deadline = server.deadline();
        // The next request is left to the kernel until there is a thread for it.
        while base.counters.active() >= base.options.max_threads as u64 {
            if !server.wait_for_bell(deadline)? {
                return Ok(false);
            }
        }
        let Next::Request(request) = server.next_request_until(deadline)? else { return Ok(false) };
        if !base.verify(&request) {
            request.refuse();
            return Ok(true);
        }
        let process = {
            let base = Arc::clone(base);
            move || {
                let shutdown = base.shutdown().clone();
                base.process(request, &shutdown.seat());
                drop(base);
                // The next call may wait at the limit for just this, or the drop of the server.
                shutdown.ring();
            }
        };
        let builder = thread::Builder::new().name("socketserver".into());
        let builder = match base.options.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        };
        if let Err(error) = builder.spawn(process) {
            base.counters.ended(false);
            guard("accept_error", || base.service.accept_error(&no_thread(&error)));
        }
        Ok(true)
    }

    fn close<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        let is_alone = || Arc::strong_count(base) == 1;
        if is_alone() {
            return Ok(());
        }
        // The requests that are left keep it open. Without them a process that has another copy of it may go on.
        base.listener.stop();
        if base.options.waits() { base.shutdown().drain(base.options.drain_timeout, is_alone) } else { Ok(()) }
    }
}

/// A crew that serves: it waits at the listener.
struct Service<S, T>(Arc<Base<S, T>>);

impl<S: Hooks<Request = T::Request>, T: Transport> Duty for Service<S, T> {
    type Request = T::Request;
    type Seat = SeatGuard;

    fn take_seat(&self) -> SeatGuard {
        self.0.shutdown().seat()
    }

    /// In a rush, a thread that finds no connection lets the others of the machine run before it sleeps: it is cheaper
    /// than to be woken, and by then there mostly are several.
    fn wait(&self, in_rush: bool) -> io::Result<Option<T::Request>> {
        if in_rush && !self.0.listener.has_request() {
            thread::yield_now();
        }
        match self.0.next_request(None)? {
            Next::Request(request) => Ok(Some(request)),
            Next::TimedOut | Next::ShuttingDown => Ok(None),
        }
    }

    fn handle(&self, request: T::Request, seat: &SeatGuard) {
        self.0.serve(request, seat);
    }

    fn is_short_handed(&self, error: &io::Error) {
        report::at_most_once_a_second(format_args!("{}", no_thread(error)));
    }

    fn farewell(&self) -> Box<dyn Fn() + Send> {
        let shutdown = self.0.shutdown().clone();
        Box::new(move || shutdown.ring())
    }
}

fn limits<T: Transport>(options: &Options) -> Limits {
    let processors = thread::available_parallelism().map_or(2, usize::from);
    Limits {
        threads: options.max_threads,
        lookouts: processors.min(options.max_threads),
        // A packet is served in less time than the look for it takes.
        lookouts_in_rush: T::Request::IS_CONNECTION.then(|| (processors + 1).min(options.max_threads)),
        parked: 64,
        parked_for: Duration::from_secs(10),
        stack_size: options.stack_size,
    }
}
