//! The life of one request: setup, handle, finish.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{BoxError, HandlerError, Hook};
use crate::extract::{Parts, RequestOf};
use crate::mixin::MixIn;
use crate::options::Options;
use crate::request::Request;
use crate::shutdown::ShutdownHandle;
use crate::transport::Transport;

/// Handles requests: what `#[handler]` implements for the struct that it names.
///
/// CPython: `BaseRequestHandler`, and `finish_request`, which makes one for each request.
///
/// It can be implemented by hand; the server is then one of the twelve aliases, such as
/// [`ThreadingTcpServer`](crate::ThreadingTcpServer):
///
/// ```
/// use socketserver::{Connection, Handler, HandlerError, Hooks, ShutdownHandle, ThreadingTcpServer};
/// use std::io::Write;
///
/// struct Hello;
///
/// impl Handler for Hello {
///     type Request = Connection;
///
///     fn finish_request(&self, request: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
///         writeln!(request, "hello")?;
///         Ok(())
///     }
/// }
///
/// impl Hooks for Hello {}
///
/// let server = ThreadingTcpServer::bind("127.0.0.1:0", Hello)?.start()?;
/// # server.shutdown()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the server `{Self}` has no request handler",
    label = "nothing handles its requests",
    note = "write one: `#[handler] impl {Self} {{ fn handle(&self, ..) {{ .. }} }}`, or `#[handler({Self})] impl Session {{ .. }}` with a state for each request"
)]
pub trait Handler: Send + Sync + 'static {
    /// [`Connection`](crate::Connection) or [`Datagram`](crate::Datagram).
    type Request: Request;

    /// Handles one request, whole. The request is closed afterwards, and an error given to
    /// [`Hooks::handle_error`](crate::Hooks::handle_error).
    ///
    /// # Errors
    ///
    /// Whatever went wrong. A panic is contained, and counts as one in `handle`.
    fn finish_request(&self, request: &mut Self::Request, shutdown: &ShutdownHandle) -> Result<(), HandlerError>;

    /// The options that a server of this kind starts from. Default: [`Options::new`].
    fn options() -> Options {
        Options::new()
    }
}

/// What `#[handler]` writes: a [`Handler`] of a struct marked with `#[socket_server]`.
///
/// It asks nothing of the struct itself, so that one that cannot be shared is an error of its own, and the only one.
#[diagnostic::on_unimplemented(
    message = "the server `{Self}` has no request handler",
    label = "nothing handles its requests",
    note = "write one: `#[handler] impl {Self} {{ fn handle(&self, ..) {{ .. }} }}`, or `#[handler({Self})] impl Session {{ .. }}` with a state for each request"
)]
pub trait RequestHandler {
    /// That of the transport.
    type Request: Request;

    /// Runs the hooks on one request.
    ///
    /// # Errors
    ///
    /// Those of the hooks.
    fn finish_request(&self, request: &mut Self::Request, shutdown: &ShutdownHandle) -> Result<(), HandlerError>;
}

#[diagnostic::do_not_recommend]
impl<S: RequestHandler + SocketServer + Shared> Handler for S {
    type Request = <S as RequestHandler>::Request;

    fn finish_request(&self, request: &mut Self::Request, shutdown: &ShutdownHandle) -> Result<(), HandlerError> {
        RequestHandler::finish_request(self, request, shutdown)
    }

    fn options() -> Options {
        <S as SocketServer>::options()
    }
}

/// A struct marked with `#[socket_server]`: which of the twelve servers it is.
///
/// CPython: the line `class Upper(ThreadingMixIn, TCPServer)`.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{SocketServer, Threading, Tcp, handler, socket_server};
///
/// #[socket_server(tcp, threading)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// fn is_threading_tcp(_: impl SocketServer<Transport = Tcp, MixIn = Threading>) {}
/// is_threading_tcp(Quiet);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a socket server",
    label = "expected a struct marked `#[socket_server(..)]`",
    note = "add `#[socket_server(tcp, threading)]`, or another transport and mix-in, to `{Self}`"
)]
pub trait SocketServer: Sized {
    /// How its requests are got.
    type Transport: Transport;

    /// Who processes them.
    type MixIn: MixIn;

    /// The options of the attribute.
    fn options() -> Options {
        Options::new()
    }
}

/// What `#[socket_server]` writes, under the mix-in's name: that threads can share the server. It is asked for there,
/// and nowhere else.
pub trait Shared: Send + Sync + 'static {}

/// What `#[handler]` asks of a struct whose block has mistakes, so that they are all that is reported: one that is no
/// server fails `for<'a> Self: PerhapsServer<'a>` in silence, because rustc does not look into what has a `for<'a>`.
pub trait PerhapsServer<'a> {
    /// That of the transport.
    type Request: Request;
}

impl<S: SocketServer> PerhapsServer<'_> for S {
    type Request = RequestOf<S>;
}

/// What it writes there. Should it ever fail to read what rustc can, the program is not built.
#[doc(hidden)]
pub fn unfinished<S>(_: &S) -> ! {
    const { panic!("`#[handler]` cannot read the `impl` block of this server") }
}

/// Runs the three hooks on one request, in CPython's order: if `setup` fails, nothing else runs; `finish` runs even
/// if `handle` fails or panics.
///
/// A session is dropped here too, so that a panic of its `Drop` is contained.
#[doc(hidden)]
pub fn run<S: RequestHandler, Session>(
    service: &S,
    request: &mut S::Request,
    shutdown: &ShutdownHandle,
    setup: impl FnOnce(&mut Parts<'_, S>) -> Result<Session, BoxError>,
    handle: impl FnOnce(&mut Session, &mut Parts<'_, S>) -> Result<(), BoxError>,
    finish: impl FnOnce(&mut Session, &mut Parts<'_, S>) -> Result<(), BoxError>,
) -> Result<(), HandlerError> {
    let peer = request.peer_address().clone();
    let mut session = guard(Hook::Setup, || setup(&mut Parts::new(service, request, &peer, shutdown)))?;
    let handled = guard(Hook::Handle, || handle(&mut session, &mut Parts::new(service, request, &peer, shutdown)));
    let finished = guard(Hook::Finish, || {
        finish(&mut session, &mut Parts::new(service, request, &peer, shutdown))?;
        drop(session);
        Ok(())
    });
    match (handled, finished) {
        (Err(first), Err(later)) => Err(first.and_finish(later)),
        (Err(error), Ok(())) | (Ok(()), Err(error)) => Err(error),
        (Ok(()), Ok(())) => Ok(()),
    }
}

fn guard<R>(hook: Hook, run: impl FnOnce() -> Result<R, BoxError>) -> Result<R, HandlerError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| HandlerError::new(hook, error)),
        Err(payload) => Err(HandlerError::panicked(hook, payload)),
    }
}
