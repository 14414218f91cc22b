//! What a handler holds: a connection or a packet, each with a half to read from and a half to write to.

mod busy_poll;
mod connection;
mod datagram;
pub(crate) mod formatted;
mod input;
mod linger;
mod progress;
mod reader;
mod spare;
mod stream;
mod timeouts;
mod writer;

use std::io;
use std::sync::Arc;

pub use connection::Connection;
pub use datagram::Datagram;
pub use reader::Reader;
pub use writer::Writer;

pub(crate) use stream::Stream;

use crate::address::Address;

/// One request: a [`Connection`] on the transports of streams, a [`Datagram`] on those of packets.
///
/// CPython: the `request` of a handler, a socket or a pair of bytes and socket. There are no other requests than
/// these two, so the trait cannot be implemented; a generic [`FromRequest`](crate::FromRequest) uses it.
///
/// ```
/// use socketserver::{FromRequest, Request, Transport};
///
/// /// Whether the peer is on this host.
/// struct IsLocal(bool);
///
/// impl<T: Transport> FromRequest<T> for IsLocal {
///     type Error = std::convert::Infallible;
///
///     fn from_request(request: &mut T::Request) -> Result<Self, Self::Error> {
///         let inet = request.peer_address().socket_addr();
///         Ok(Self(inet.is_none_or(|address| address.ip().is_loopback())))
///     }
/// }
/// ```
pub trait Request: Life + Send + 'static {
    /// The address of the peer.
    fn peer_address(&self) -> &Address;

    /// The address of the server that the peer reached.
    fn local_address(&self) -> &Address;

    /// What the peer sends.
    fn reader(&mut self) -> &mut Reader;

    /// What is sent to the peer.
    fn writer(&mut self) -> &mut Writer;

    /// Both halves at once.
    fn split(&mut self) -> (&mut Reader, &mut Writer);
}

/// What the server does with a request, around the handler.
pub trait Life: Sized {
    /// Whether it is a connection, with a socket of its own, and not a packet.
    #[doc(hidden)]
    const IS_CONNECTION: bool;

    /// The connection, for a shutdown to find.
    #[doc(hidden)]
    fn stream(&self) -> Option<Arc<Stream>>;

    /// One of several requests of the peer is done with, whether it had a reply or none.
    #[doc(hidden)]
    fn settle(&mut self);

    /// Sends what the handler has written, after it succeeded.
    #[doc(hidden)]
    fn deliver(&mut self) -> io::Result<()>;

    /// Allocates now what most handlers will need: a page that a forked child writes to has to be copied first, and
    /// the allocator writes to many.
    #[doc(hidden)]
    fn furnish(&mut self);

    /// `shutdown_request`.
    #[doc(hidden)]
    fn shutdown(&mut self);

    /// `close_request`.
    #[doc(hidden)]
    fn close(self);

    /// Both for a request that nobody handles, without waiting for the peer.
    #[doc(hidden)]
    fn refuse(self);

    /// The packet's payload, empty for a connection, and both halves.
    #[doc(hidden)]
    fn lend(&mut self) -> (&[u8], &mut Reader, &mut Writer);
}
