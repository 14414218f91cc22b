//! The public server.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use crate::accept::Errors;
use crate::address::Address;
use crate::base::{Attempt, Base, Next, guard};
use crate::builder::Builder;
use crate::handler::SocketServer;
use crate::hooks::Hooks;
use crate::mixin::{Children, MixIn};
use crate::running::Running;
use crate::shutdown::ShutdownHandle;
use crate::stats::Stats;
use crate::sys::poll::{Interest, deadline, poll};
use crate::transport::{Endpoint, Transport};

/// A server that is bound: a service `S`, over a transport `T`, with a mix-in `M`.
///
/// `Server<Upper>` is the composition of `Upper`'s attribute; the aliases, such as
/// [`ThreadingTcpServer`](crate::ThreadingTcpServer), are the twelve. CPython: `BaseServer`.
///
/// Dropping it closes it, as CPython's `server_close()` and context manager do: requests that
/// [`handle_request`](Self::handle_request) left in progress are drained, and the path of a Unix-domain socket is
/// taken away if it is still this server's, by the process that has bound it.
///
/// # Pre-forking
///
/// A program may bind a server, fork processes by itself, before it has other threads, and serve in each of them. Each
/// is shut down alone, by its own handle or signals, and counts and limits its own requests; the kernel gives each
/// connection to one of them.
///
/// The process that has bound the server only waits for the others. If it served, too, it would not know of them: its
/// shutdown would end the listening for all, and under `threading` some of the others would end no sooner than with
/// their `drain_timeout`. Where it is to serve, bind the server to a [socket](crate::Endpoint) that is bound already.
/// What it is to do at a signal is the program's: nobody answers the bell of a server that does not serve. And a daemon,
/// the one process that goes on, binds after its fork: a copy leaves the listening alone, also while it drains.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Reader, Server, Writer, handler, socket_server};
/// use std::io::{self, Write};
///
/// #[socket_server(tcp, threading)]
/// struct Upper;
///
/// #[handler]
/// impl Upper {
///     fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
///         while let Some(line) = input.next_line()? {
///             writeln!(output, "{}", line.to_uppercase())?;
///         }
///         Ok(())
///     }
/// }
///
/// let server: Server<Upper> = Upper.bind("127.0.0.1:0")?;
/// println!("listening on {}", server.local_address());
/// # server.shutdown_handle().shutdown();
/// server.serve_forever()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server<S, T = <S as SocketServer>::Transport, M = <S as SocketServer>::MixIn> {
    pub(crate) base: Arc<Base<S, T>>,
    children: Mutex<Children>,
    serving: Mutex<()>,
    #[cfg(feature = "signals")]
    listening: Mutex<Option<crate::sys::signal::Listening>>,
    steps: Steps<S, T, M>,
    mixin: PhantomData<fn() -> M>,
}

impl<S, T, M> Server<S, T, M>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    /// Makes a server of `service` that is bound to `address`, and listens already: clients can connect, and are
    /// served once [`serve_forever`](Self::serve_forever) runs.
    ///
    /// The options are those of the attribute. On the struct itself there is a shorter way, `Upper.bind(address)`.
    /// CPython: the constructor, with `server_bind` and `server_activate`.
    ///
    /// # Errors
    ///
    /// What the system says about the address, in a message that names it;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an address that makes no sense, or a value of an option that
    /// makes none: see [`Options`](crate::Options).
    pub fn bind<Kind>(address: impl Endpoint<T, Kind>, service: S) -> io::Result<Self> {
        Self::builder(service).bind(address)
    }

    /// A server with options that are known at run time only, on top of those of the attribute.
    pub fn builder(service: S) -> Builder<S, T, M> {
        Builder::new(service)
    }

    /// `get_request` of `handle_request`, which nobody supervises: it answers the bell by itself.
    pub(crate) fn next_request(&self) -> io::Result<Next<T::Request>> {
        self.next_request_until(self.deadline())
    }

    pub(crate) fn next_request_until(&self, deadline: Option<Instant>) -> io::Result<Next<T::Request>> {
        let shutdown = self.base.shutdown();
        let mut errors = Errors::none();
        while !shutdown.is_shutting_down() {
            let listener = Interest::readable(self.base.listener.as_fd());
            let mut interests = [Interest::readable(shutdown.closing()), Interest::readable(shutdown.bell()), listener];
            if !poll(&mut interests, deadline)? {
                return Ok(Next::TimedOut);
            }
            shutdown.answer();
            match self.base.try_next_request(&mut errors)? {
                Attempt::Request(request) => return Ok(Next::Request(request)),
                // What was ready is gone again.
                Attempt::Nothing => {}
                Attempt::Failed { pause } => {
                    if !self.base.pause(pause, deadline)? {
                        return Ok(Next::TimedOut);
                    }
                }
            }
        }
        Ok(Next::ShuttingDown)
    }
}

impl<S, T, M> Server<S, T, M> {
    /// Serves until [shut down](ShutdownHandle::shutdown), then drains: connections that wait between two requests
    /// are closed at once, the others have `drain_timeout` to finish and are cut then. CPython: the method of the
    /// same name.
    ///
    /// After a shutdown it returns at once, now and ever: bind another server to serve again.
    ///
    /// # Errors
    ///
    /// What accept(2) or recv(2) say if the listener is gone; all others of theirs are survived. That the system has
    /// no memory, or no thread to begin with, or no descriptor in a process that the program has forked.
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy) if it is serving already.
    pub fn serve_forever(&self) -> io::Result<()> {
        let _serving = self.begin()?;
        (self.steps.serve_forever)(self)
    }

    /// Takes one request, if one comes within the option `timeout`, and has it processed: under `iterative` it is
    /// done on return, else it is in progress. `false`: none came, or the server was shut down. One that
    /// [`verify_request`](Hooks::verify_request) refuses counts too. CPython: the method of the same name.
    ///
    /// # Errors
    ///
    /// As [`serve_forever`](Self::serve_forever).
    pub fn handle_request(&self) -> io::Result<bool> {
        let _serving = self.begin()?;
        self.base.shutdown().answer();
        (self.steps.handle_request)(self)
    }

    /// Serves in a thread of its own, until the [`Running`] is shut down or dropped. CPython: the usual
    /// `Thread(target=server.serve_forever).start()`.
    ///
    /// A `forking` server then forks in a process that has more than one thread; see
    /// [`Forking`](crate::Forking).
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn start(self) -> io::Result<Running<S, T, M>> {
        let start = self.steps.start;
        start(self)
    }

    /// Where it is bound; a port 0 is the port that the system chose. CPython: `server_address`.
    pub fn local_address(&self) -> &Address {
        self.base.listener.local_address()
    }

    /// The service: the state that all requests share.
    pub fn service(&self) -> &S {
        &self.base.service
    }

    /// Something to stop the server with, from anywhere.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        self.base.shutdown().clone()
    }

    /// Has `SIGINT` and `SIGTERM` shut the server down: the first drains, as
    /// [`shutdown`](ShutdownHandle::shutdown) does, and the second ends the process at once, as if it had no handler.
    ///
    /// Nothing is installed unless this is called, and then it stays until the server is dropped, and in the processes
    /// that the program forks: each shuts its own copy of the server down. Where no server listens any more, the first
    /// signal does nothing by itself, and the second ends the process. They are counted anew from the moment that another
    /// server begins to listen. CPython has no counterpart: there `SIGINT` raises `KeyboardInterrupt` out of
    /// `serve_forever`, and `SIGTERM` ends the process with requests in progress.
    ///
    /// # Errors
    ///
    /// What sigaction(2) says.
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use socketserver::{handler, socket_server};
    ///
    /// #[socket_server(tcp, threading)]
    /// struct Quiet;
    ///
    /// #[handler]
    /// impl Quiet {
    ///     fn handle(&self) {}
    /// }
    ///
    /// let server = Quiet.bind("127.0.0.1:0")?;
    /// server.shutdown_on_signals()?;
    /// # server.shutdown_handle().shutdown();
    /// server.serve_forever()?;
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "signals")]
    pub fn shutdown_on_signals(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_none() {
            *listening = Some(self.base.shutdown().listen_to_signals()?);
        }
        Ok(())
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.base.stats()
    }

    pub(crate) fn new(base: Base<S, T>, steps: Steps<S, T, M>) -> Self {
        Self {
            base: Arc::new(base),
            children: Mutex::default(),
            serving: Mutex::default(),
            #[cfg(feature = "signals")]
            listening: Mutex::default(),
            steps,
            mixin: PhantomData,
        }
    }

    fn begin(&self) -> io::Result<MutexGuard<'_, ()>> {
        let serving = match self.serving.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = "the server is serving already, in another thread";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
            }
        };
        if self.base.shutdown().bring_here()? {
            *self.children() = Children::default();
            self.base.counters.reset();
        }
        Ok(serving)
    }

    pub(crate) fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When `handle_request` gives up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        deadline(self.base.options.timeout)
    }

    /// Waits for the end of a request; `false`: it is time to give up.
    pub(crate) fn wait_for_bell(&self, deadline: Option<Instant>) -> io::Result<bool> {
        let shutdown = self.base.shutdown();
        let mut interests = [Interest::readable(shutdown.closing()), Interest::readable(shutdown.bell())];
        let rung = poll(&mut interests, deadline)?;
        shutdown.answer();
        Ok(rung && !shutdown.is_shutting_down())
    }
}

/// What a server does, taken where it is known that `S` can: a `Drop` can have no bounds that the struct does not have,
/// and a service without a handler is to be an error there, and not again wherever its server is used.
pub(crate) struct Steps<S, T, M> {
    serve_forever: fn(&Server<S, T, M>) -> io::Result<()>,
    handle_request: fn(&Server<S, T, M>) -> io::Result<bool>,
    start: Start<S, T, M>,
    close: fn(&Server<S, T, M>) -> io::Result<()>,
}

type Start<S, T, M> = fn(Server<S, T, M>) -> io::Result<Running<S, T, M>>;

impl<S, T, M> Steps<S, T, M>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    pub(crate) fn new() -> Self {
        Self { serve_forever: M::serve_forever, handle_request, start: Running::start, close: M::close }
    }
}

fn handle_request<S, T, M>(server: &Server<S, T, M>) -> io::Result<bool>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let taken = M::handle_request(server)?;
    if !taken && !server.base.shutdown().is_shutting_down() {
        guard("handle_timeout", || server.base.service.handle_timeout());
    }
    Ok(taken)
}

impl<S, T, M> Drop for Server<S, T, M> {
    fn drop(&mut self) {
        self.base.listener.unlink();
        self.base.shutdown().begin();
        // A copy of another process's has none of the requests that are in progress there.
        if self.base.shutdown().is_here() {
            // It can fail only if poll(2) has no memory, and nobody is left to tell.
            let _ = (self.steps.close)(self);
        }
    }
}

impl<S, T, M> fmt::Debug for Server<S, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_address", self.local_address())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
