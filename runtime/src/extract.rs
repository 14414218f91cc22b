//! The arguments of a hook, each asked for by its type, and what a hook may return.

use std::net::SocketAddr;

use crate::address::Address;
use crate::error::{BoxError, IntoBoxError};
use crate::handler::{RequestHandler, SocketServer};
use crate::request::{Connection, Datagram, Life, Reader, Writer};
use crate::shutdown::ShutdownHandle;
use crate::transport::{DatagramTransport, InternetTransport, StreamTransport, Transport};

/// What a hook may ask for by its type, made from the request on a server of transport `T`.
///
/// Implement it for what your handlers derive from a request, and let them take it as an argument, by value. It runs
/// before the hook, after those written before it. What it reads from the request's
/// [`Reader`](crate::Reader) is gone for the hook.
///
/// An error is the error of the hook that asked.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Connection, FromRequest, Tcp, Writer, handler, socket_server};
/// use std::io::{self, Write};
///
/// /// The first line of the connection.
/// struct Greeting(String);
///
/// impl FromRequest<Tcp> for Greeting {
///     type Error = io::Error;
///
///     fn from_request(connection: &mut Connection) -> io::Result<Self> {
///         let line = connection.reader().next_line()?;
///         Ok(Self(line.ok_or(io::ErrorKind::UnexpectedEof)?.to_owned()))
///     }
/// }
///
/// #[socket_server(tcp, threading)]
/// struct Echo;
///
/// #[handler]
/// impl Echo {
///     fn handle(&self, greeting: Greeting, output: &mut Writer) -> io::Result<()> {
///         writeln!(output, "{}", greeting.0)
///     }
/// }
/// # }
/// ```
pub trait FromRequest<T: Transport>: Sized {
    /// Why it could not be made.
    type Error: Into<BoxError>;

    /// Makes it.
    ///
    /// # Errors
    ///
    /// What the implementation says; the hook is not run then, and fails with it.
    fn from_request(request: &mut T::Request) -> Result<Self, Self::Error>;
}

/// The transport of a server.
pub type TransportOf<S> = <S as SocketServer>::Transport;

/// The request of a server.
pub type RequestOf<S> = <TransportOf<S> as Transport>::Request;

/// What the arguments of one hook are taken from.
#[derive(Debug)]
pub struct Parts<'r, S: RequestHandler> {
    service: &'r S,
    peer: &'r Address,
    shutdown: &'r ShutdownHandle,
    lent: Lent<'r, S::Request>,
}

/// [`Parts`] of which none is lent yet.
pub(crate) struct Whole<'r, S: RequestHandler> {
    pub(crate) service: &'r S,
    pub(crate) request: &'r mut S::Request,
    pub(crate) peer: &'r Address,
    pub(crate) shutdown: &'r ShutdownHandle,
}

/// The request, whole until one of its parts is lent.
#[derive(Debug)]
enum Lent<'r, R> {
    Nothing(&'r mut R),
    Parts { payload: &'r [u8], reader: Option<&'r mut Reader>, writer: Option<&'r mut Writer> },
    All,
}

impl<'r, S: RequestHandler> Parts<'r, S> {
    pub(crate) fn new(
        service: &'r S,
        request: &'r mut S::Request,
        peer: &'r Address,
        shutdown: &'r ShutdownHandle,
    ) -> Self {
        Self { service, peer, shutdown, lent: Lent::Nothing(request) }
    }

    /// All of it, for one who makes parts of it again and again.
    pub(crate) fn whole(&mut self) -> Whole<'r, S> {
        Whole { service: self.service, request: self.request(), peer: self.peer, shutdown: self.shutdown }
    }

    fn request(&mut self) -> &'r mut S::Request {
        match std::mem::replace(&mut self.lent, Lent::All) {
            Lent::Nothing(request) => request,
            _ => lent_already(),
        }
    }

    fn parts(&mut self) -> (&'r [u8], &mut Option<&'r mut Reader>, &mut Option<&'r mut Writer>) {
        if let Lent::Nothing(_) = self.lent {
            let (payload, reader, writer) = self.request().lend();
            self.lent = Lent::Parts { payload, reader: Some(reader), writer: Some(writer) };
        }
        match &mut self.lent {
            Lent::Parts { payload, reader, writer } => (payload, reader, writer),
            _ => lent_already(),
        }
    }
}

/// The macro refuses such a hook where it sees it; an alias of a type can hide it.
fn lent_already() -> ! {
    panic!("two arguments of the hook ask for the same part of the request")
}

/// An argument of a hook. `By` keeps those that are lent apart from those that are made, which buys that both can be
/// asked for in the same way; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "a hook of a `{T}` server cannot ask for `{Self}`",
    label = "not something that a `{T}` server has to give",
    note = "on every transport: `&mut Reader`, `&mut Writer`, `&Address`, `&ShutdownHandle`, the server itself as `&{S}`, and your own types that implement `FromRequest<{T}>`",
    note = "on `Tcp` and `UnixStream`: `&mut Connection`; on `Udp` and `UnixDatagram`: `&mut Datagram`, `&[u8]`; on `Tcp` and `Udp`: `SocketAddr`"
)]
pub trait Argument<'r, S: RequestHandler, T, By>: Sized {
    /// Makes it, if it is one that is made. That comes first: once a part is lent, the request is not whole.
    ///
    /// # Errors
    ///
    /// Why it could not be made.
    #[expect(unused_variables, reason = "most are lent")]
    fn make(parts: &mut Parts<'r, S>) -> Result<Option<Self>, BoxError> {
        Ok(None)
    }

    /// Takes it from the request's parts.
    ///
    /// # Errors
    ///
    /// Why it could not be made.
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError>;

    /// The one that was made, or else one that is lent.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    fn or_take(made: Option<Self>, parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        made.map_or_else(|| Self::take(parts), Ok)
    }
}

/// How an argument comes to a hook.
pub mod by {
    /// Lent to it.
    #[derive(Debug)]
    pub struct Reference;

    /// Made for it.
    #[derive(Debug)]
    pub struct Value;

    /// Lent or made where it is the request: in a command, the same type is an argument of the message.
    #[derive(Debug)]
    pub struct Request;
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T> Argument<'r, S, T, by::Reference> for &'r mut Reader {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.parts().1.take().unwrap_or_else(|| lent_already()))
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T> Argument<'r, S, T, by::Reference> for &'r mut Writer {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.parts().2.take().unwrap_or_else(|| lent_already()))
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler<Request = Connection>, T: StreamTransport> Argument<'r, S, T, by::Reference>
    for &'r mut Connection
{
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.request())
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler<Request = Datagram>, T: DatagramTransport> Argument<'r, S, T, by::Reference>
    for &'r mut Datagram
{
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.request())
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler<Request = Datagram>, T: DatagramTransport> Argument<'r, S, T, by::Request> for &'r [u8] {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.parts().0)
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T> Argument<'r, S, T, by::Reference> for &'r Address {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.peer)
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T> Argument<'r, S, T, by::Reference> for &'r ShutdownHandle {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.shutdown)
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T> Argument<'r, S, T, by::Reference> for &'r S {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        Ok(parts.service)
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S, T, A> Argument<'r, S, T, by::Value> for A
where
    S: RequestHandler<Request = T::Request>,
    T: Transport,
    A: FromRequest<T>,
{
    fn make(parts: &mut Parts<'r, S>) -> Result<Option<Self>, BoxError> {
        Self::take(parts).map(Some)
    }

    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        match &mut parts.lent {
            Lent::Nothing(request) => A::from_request(request).map_err(Into::into),
            _ => lent_already(),
        }
    }
}

/// The peer's address, where every peer has one.
#[diagnostic::do_not_recommend]
impl<'r, S: RequestHandler, T: InternetTransport> Argument<'r, S, T, by::Request> for SocketAddr {
    fn take(parts: &mut Parts<'r, S>) -> Result<Self, BoxError> {
        parts.peer.socket_addr().ok_or_else(|| "the peer has no Internet address".into())
    }
}

/// What a hook may return.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "expected `()` or a `Result<(), E>`",
    note = "`E` is any error that is `Into<Box<dyn Error + Send + Sync>>`, such as `std::io::Error`"
)]
pub trait Outcome {
    /// What the hook's failure is, if it failed.
    ///
    /// # Errors
    ///
    /// The hook's.
    fn into_result(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: IntoBoxError> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// What a `setup` without a receiver may return.
#[diagnostic::on_unimplemented(
    message = "`setup` must make a `{Session}`, but it returns `{Self}`",
    label = "expected `Self` or a `Result<Self, E>`",
    note = "`E` is any error that is `Into<Box<dyn Error + Send + Sync>>`, such as `std::io::Error`"
)]
pub trait IntoSession<Session> {
    /// The session, if it could be made.
    ///
    /// # Errors
    ///
    /// Those of `setup`.
    fn into_session(self) -> Result<Session, BoxError>;
}

impl<Session> IntoSession<Session> for Session {
    fn into_session(self) -> Result<Session, BoxError> {
        Ok(self)
    }
}

impl<Session, E: IntoBoxError> IntoSession<Session> for Result<Session, E> {
    fn into_session(self) -> Result<Session, BoxError> {
        self.map_err(Into::into)
    }
}

/// A session that can be made from nothing.
#[diagnostic::on_unimplemented(
    message = "a new `{Self}` is needed for every request, and nothing says how to make one",
    label = "has neither a constructor nor a default",
    note = "write `fn setup(..) -> Self` in the `#[handler]` block, or `#[derive(Default)]` on `{Self}`"
)]
pub trait Fresh {
    /// A new one.
    fn fresh() -> Self;
}

#[diagnostic::do_not_recommend]
impl<Session: Default> Fresh for Session {
    fn fresh() -> Self {
        Self::default()
    }
}
