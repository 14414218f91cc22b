//! A server in a thread of its own.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::address::Address;
use crate::error::no_thread;
use crate::handler::SocketServer;
use crate::hooks::Hooks;
use crate::mixin::MixIn;
use crate::server::Server;
use crate::shutdown::ShutdownHandle;
use crate::stats::Stats;
use crate::transport::Transport;

/// A server that serves in a thread of its own, until it is shut down or dropped. Made by
/// [`Server::start`](crate::Server::start).
///
/// CPython: the thread and the context manager that every test of a `socketserver` program begins with.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Writer, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::TcpStream;
///
/// #[socket_server(tcp, threading)]
/// struct Hello;
///
/// #[handler]
/// impl Hello {
///     fn handle(&self, output: &mut Writer) -> io::Result<()> {
///         output.write_all(b"hello")
///     }
/// }
///
/// let running = Hello.bind("127.0.0.1:0")?.start()?;
/// assert_eq!(io::read_to_string(TcpStream::connect(running.local_address())?)?, "hello");
/// running.shutdown()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Running<S, T = <S as SocketServer>::Transport, M = <S as SocketServer>::MixIn> {
    server: Arc<Server<S, T, M>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl<S, T, M> Running<S, T, M>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    pub(crate) fn start(server: Server<S, T, M>) -> io::Result<Self> {
        let server = Arc::new(server);
        let serve = {
            let server = Arc::clone(&server);
            move || server.serve_forever()
        };
        let thread =
            thread::Builder::new().name("socketserver".into()).spawn(serve).map_err(|error| no_thread(&error))?;
        Ok(Self { server, thread: Some(thread) })
    }
}

impl<S, T, M> Running<S, T, M> {
    /// Where it is bound.
    pub fn local_address(&self) -> &Address {
        self.server.local_address()
    }

    /// The service: the state that all requests share.
    pub fn service(&self) -> &S {
        self.server.service()
    }

    /// Something to stop the server with, from anywhere.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        self.server.shutdown_handle()
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Shuts it down and waits until it is drained and closed. Dropping it does the same, and passes over the error.
    ///
    /// # Errors
    ///
    /// Those of [`Server::serve_forever`](crate::Server::serve_forever).
    ///
    /// # Panics
    ///
    /// Never because of a handler or a hook: their panics are contained.
    pub fn shutdown(mut self) -> io::Result<()> {
        self.stop()
    }

    fn stop(&mut self) -> io::Result<()> {
        self.server.base.shutdown().shutdown_once();
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(served)) => served,
            Some(Err(payload)) => std::panic::resume_unwind(payload),
        }
    }
}

impl<S, T, M> Drop for Running<S, T, M> {
    fn drop(&mut self) {
        // Whoever wants to know calls `shutdown`.
        let _ = self.stop();
    }
}

impl<S, T, M> fmt::Debug for Running<S, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("server", &self.server).finish_non_exhaustive()
    }
}
