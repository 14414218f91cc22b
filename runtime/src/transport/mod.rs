//! How a request is got from a socket: the four transports, and what they share.

mod datagram;
mod endpoint;
mod listener;
mod path;
mod stream;
mod tcp;
mod udp;
mod unix_datagram;
mod unix_stream;

use std::io;

pub use endpoint::{Endpoint, kind};
pub use listener::Listener;
pub use tcp::Tcp;
pub use udp::Udp;
pub use unix_datagram::UnixDatagram;
pub use unix_stream::UnixStream;

pub(crate) use listener::{RequestSettings, Waiting};

use crate::request::{Connection, Datagram, Request};

/// How a server gets its requests: [`Tcp`], [`Udp`], [`UnixStream`] or [`UnixDatagram`].
///
/// CPython: `TCPServer`, `UDPServer`, `UnixStreamServer`, `UnixDatagramServer`, and their `get_request`.
///
/// A transport of one's own wraps one of these, as tests do that inject faults:
///
/// ```
/// use socketserver::{Connection, Listener, Tcp, Transport};
/// use std::io;
///
/// /// TCP that loses every connection to its peer before it is accepted.
/// struct Aborted;
///
/// impl Transport for Aborted {
///     type Request = Connection;
///     const NAME: &'static str = "aborted";
///
///     fn get_request(listener: &Listener) -> io::Result<Connection> {
///         Tcp::get_request(listener)?;
///         Err(io::ErrorKind::ConnectionAborted.into())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transport",
    note = "the transports are `Tcp`, `Udp`, `UnixStream` and `UnixDatagram`"
)]
pub trait Transport: Sized + Send + Sync + 'static {
    /// What a handler gets: [`Connection`] or [`Datagram`].
    type Request: Request;

    /// The word for it in the attribute, as in `#[socket_server(tcp)]`.
    const NAME: &'static str;

    /// Takes one request from the listener: one connection or one packet.
    ///
    /// # Errors
    ///
    /// What accept(2) or recv(2) say. The server tells the passing ones from the final ones;
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) means that there is none just now.
    fn get_request(listener: &Listener) -> io::Result<Self::Request>;
}

/// A transport of connections: [`Tcp`], [`UnixStream`].
pub trait StreamTransport: Transport<Request = Connection> {}

/// A transport of packets: [`Udp`], [`UnixDatagram`].
pub trait DatagramTransport: Transport<Request = Datagram> {}

/// A transport over IPv4 and IPv6: [`Tcp`], [`Udp`].
#[diagnostic::on_unimplemented(
    message = "a `{Self}` server does not know its peers by `SocketAddr`",
    note = "ask for `&Address`: a Unix-domain socket has a path, an abstract name or no name at all"
)]
pub trait InternetTransport: Transport {}

/// A transport within one host: [`UnixStream`], [`UnixDatagram`].
pub trait UnixTransport: Transport {}
