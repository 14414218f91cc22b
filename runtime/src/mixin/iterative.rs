//! One request after the other, in the thread that serves.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use super::{MixIn, Process};
use crate::base::Next;
use crate::error::no_thread;
use crate::hooks::Hooks;
use crate::server::Server;
use crate::sys::poll::deadline;
use crate::transport::Transport;

/// No mix-in: one request after the other, in the thread that called `serve_forever`.
///
/// A client that keeps its connection open keeps all others waiting. So a read waits for 60 seconds and no longer,
/// unless `read_timeout` says otherwise; `request_deadline` bounds a whole connection, and
/// [`Threading`](crate::Threading) lets the others in. A second thread sleeps until there is a shutdown, and then sees
/// to it that the request in progress ends in time. CPython: a server without a mix-in.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
///
/// #[socket_server(tcp)] // or `tcp, iterative`
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// assert_eq!(Quiet::MIX_IN, "iterative");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Iterative;

impl MixIn for Iterative {
    const NAME: &'static str = "iterative";
}

impl Process for Iterative {
    const READ_TIMEOUT: Option<Duration> = Some(Duration::from_secs(60));

    fn serve_forever<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let supervisor = thread::Builder::new().name("socketserver".into());
            supervisor.spawn_scoped(scope, || supervise(server, &done)).map_err(|error| no_thread(&error))?;
            let outcome = serve(server);
            base.shutdown().shutdown_once();
            done.store(true, SeqCst);
            base.shutdown().ring();
            outcome
        })
    }

    fn handle_request<S, T>(server: &Server<S, T, Self>) -> io::Result<bool>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        let base = &server.base;
        match server.next_request()? {
            Next::Request(request) => {
                base.serve(request, &base.shutdown().seat());
                Ok(true)
            }
            Next::TimedOut | Next::ShuttingDown => Ok(false),
        }
    }

    fn close<S, T>(_: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport,
    {
        Ok(())
    }
}

fn serve<S, T>(server: &Server<S, T, Iterative>) -> io::Result<()>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    let base = &server.base;
    let seat = base.shutdown().seat();
    let mut next_tick = deadline(base.options.service_interval);
    loop {
        match base.next_request(next_tick)? {
            Next::Request(request) => base.serve(request, &seat),
            Next::TimedOut => {
                base.service_actions();
                next_tick = deadline(base.options.service_interval);
            }
            Next::ShuttingDown => return Ok(()),
        }
    }
}

/// The serving thread may be in a handler when there is a shutdown, so another one answers signals and watches the
/// time.
fn supervise<S, T>(server: &Server<S, T, Iterative>, done: &AtomicBool) {
    let base = &server.base;
    let is_done = || done.load(SeqCst);
    // They can fail only if poll(2) has no memory; then the request in progress is simply waited for.
    let _ = base.shutdown().wait(None, || (), is_done);
    base.listener.stop();
    let _ = base.shutdown().drain(base.options.drain_timeout, is_done);
}
