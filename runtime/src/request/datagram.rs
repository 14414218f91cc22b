//! A packet, and the way to answer it.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::{SockAddr, Socket};

use super::stream::Stream;
use super::{Life, Reader, Request, Writer, spare};
use crate::address::Address;
use crate::protocol::empty;
use crate::sys;
use crate::sys::datagram::{Destination, Received};
use crate::transport::Listener;

/// A packet that was received: the request on `udp` and `unix_datagram`.
///
/// It is answered by [`reply`](Self::reply), at once and as often as wanted, or by what is written to its
/// [`Writer`], gathered to one reply. CPython: `DatagramRequestHandler` with its `packet`, `rfile` and `wfile`,
/// which always answers, even with nothing.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Datagram, handler, socket_server};
/// use std::io;
/// use std::net::UdpSocket;
///
/// #[socket_server(udp)]
/// struct Length;
///
/// #[handler]
/// impl Length {
///     fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
///         packet.reply(format!("{} bytes", packet.payload().len()).as_bytes())
///     }
/// }
///
/// let server = Length.bind("127.0.0.1:0")?.start()?;
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.connect(server.local_address())?;
/// client.send(b"four")?;
/// let mut reply = [0; 64];
/// let length = client.recv(&mut reply)?;
/// assert_eq!(&reply[..length], b"4 bytes");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Datagram {
    reader: Reader,
    writer: Writer,
    exchange: Arc<Exchange>,
}

impl Datagram {
    pub(crate) fn new(payload: &[u8], received: Received, listener: &Listener) -> Self {
        let exchange = spare::exchange(|exchange| exchange.begin(payload, received, listener));
        Self {
            reader: Reader::of_packet(Arc::clone(&exchange), spare::input(), listener.settings().messages),
            writer: Writer::of_packet(Arc::clone(&exchange)),
            exchange,
        }
    }

    /// The bytes of the packet. There may be none: an empty packet is a request like any other.
    pub fn payload(&self) -> &[u8] {
        self.exchange.payload()
    }

    /// Whether the packet was longer than `max_packet_size`, and its rest is lost.
    pub fn is_truncated(&self) -> bool {
        self.exchange.is_truncated()
    }

    /// Sends a packet to the peer, at once. It leaves from the address that the request came to.
    ///
    /// # Errors
    ///
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) if the peer is [`Unnamed`](Address::Unnamed); what
    /// send(2) says, such as `EMSGSIZE` for more than fits a packet.
    pub fn reply(&self, payload: &[u8]) -> io::Result<()> {
        self.exchange.send(payload)
    }

    /// The bytes of the packet, to be read like a connection's.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Gathers one reply, sent when the handler has succeeded.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Both halves at once.
    pub fn split(&mut self) -> (&mut Reader, &mut Writer) {
        (&mut self.reader, &mut self.writer)
    }

    /// The address of the peer; [`Unnamed`](Address::Unnamed) for a Unix-domain socket that was not bound, which
    /// cannot be answered.
    pub fn peer_address(&self) -> &Address {
        &self.exchange.peer
    }

    /// The address that the packet was sent to, also where the server is bound to every address, on Linux and Android;
    /// for a broadcast, that of ours which answers it.
    pub fn local_address(&self) -> &Address {
        &self.exchange.local
    }

    /// The server's socket, which all its requests share: an option that is set on it is set for all.
    pub fn socket(&self) -> &Socket {
        self.exchange.socket()
    }
}

impl Request for Datagram {
    fn peer_address(&self) -> &Address {
        self.peer_address()
    }

    fn local_address(&self) -> &Address {
        self.local_address()
    }

    fn reader(&mut self) -> &mut Reader {
        self.reader()
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer()
    }

    fn split(&mut self) -> (&mut Reader, &mut Writer) {
        self.split()
    }
}

impl Life for Datagram {
    const IS_CONNECTION: bool = false;

    fn stream(&self) -> Option<Arc<Stream>> {
        None
    }

    fn settle(&mut self) {}

    fn deliver(&mut self) -> io::Result<()> {
        let mut reply = self.exchange.reply();
        let sent = if reply.is_empty() { Ok(()) } else { self.exchange.send(&reply) };
        empty(&mut reply);
        sent
    }

    fn furnish(&mut self) {}

    fn shutdown(&mut self) {}

    fn close(self) {
        let Self { reader, writer, exchange } = self;
        spare::keep_input(reader.into_buffer());
        drop(writer);
        spare::keep_exchange(exchange);
    }

    fn refuse(self) {
        self.close();
    }

    fn lend(&mut self) -> (&[u8], &mut Reader, &mut Writer) {
        (self.exchange.payload(), &mut self.reader, &mut self.writer)
    }
}

impl AsFd for Datagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

/// Where a packet came from, and what is to be sent back: what the packet and its writers share.
pub(super) struct Exchange {
    payload: Vec<u8>,
    is_truncated: bool,
    peer: Address,
    local: Address,
    /// `None` between two packets.
    route: Option<Route>,
    reply: Mutex<Vec<u8>>,
}

/// Where a reply goes, and from where.
struct Route {
    socket: Arc<Socket>,
    peer: SockAddr,
    source: Option<Destination>,
}

impl Exchange {
    /// One without a packet.
    pub(super) fn vacant() -> Self {
        Self {
            payload: Vec::new(),
            is_truncated: false,
            peer: Address::Unnamed,
            local: Address::Unnamed,
            route: None,
            reply: Mutex::default(),
        }
    }

    fn begin(&mut self, payload: &[u8], received: Received, listener: &Listener) {
        self.payload.extend_from_slice(payload);
        self.is_truncated = received.truncated;
        self.peer = Address::from_sock_addr(&received.peer);
        self.local = match (received.destination, listener.local_address()) {
            (Some(destination), Address::Inet(bound)) => Address::Inet(destination.at(bound.port())),
            (_, bound) => bound.clone(),
        };
        let socket = Arc::clone(listener.socket());
        self.route = Some(Route { socket, peer: received.peer, source: received.destination });
    }

    /// Keeps its memory for the next packet, and nothing that the server would miss.
    pub(super) fn vacate(&mut self) {
        self.route = None;
        empty(&mut self.payload);
        empty(self.reply.get_mut().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.route().socket
    }

    fn route(&self) -> &Route {
        self.route.as_ref().expect("a packet is here")
    }

    /// Gathers `bytes` for the reply, or sends them `at_once`, as a packet of their own.
    pub(super) fn write(&self, bytes: &[u8], at_once: bool) -> io::Result<()> {
        if at_once {
            return self.send(bytes);
        }
        self.reply().extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    pub(super) fn send(&self, payload: &[u8]) -> io::Result<()> {
        if self.peer == Address::Unnamed {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the peer cannot be answered: its socket is not bound to a name",
            ));
        }
        let Route { socket, peer, source } = self.route();
        sys::datagram::send(socket.as_fd(), payload, peer, *source)
    }

    fn reply(&self) -> MutexGuard<'_, Vec<u8>> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("peer", &self.peer).finish_non_exhaustive()
    }
}
