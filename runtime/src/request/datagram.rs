//! A packet, and the way to answer it.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::{SockAddr, Socket};

use super::stream::Stream;
use super::{Life, Reader, Request, Writer};
use crate::address::Address;
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
    peer: Address,
    local: Address,
}

impl Datagram {
    pub(crate) fn new(payload: Vec<u8>, received: Received, listener: &Listener) -> Self {
        let peer = Address::from_sock_addr(&received.peer);
        let local = match (received.destination, listener.local_address()) {
            (Some(destination), Address::Inet(bound)) => Address::Inet(destination.at(bound.port())),
            (_, bound) => bound.clone(),
        };
        let exchange = Arc::new(Exchange {
            payload,
            is_truncated: received.truncated,
            socket: Arc::clone(listener.socket()),
            peer: (peer != Address::Unnamed).then_some(received.peer),
            source: received.destination,
            reply: Mutex::default(),
        });
        Self {
            reader: Reader::of_packet(Arc::clone(&exchange), listener.settings().messages),
            writer: Writer::of_packet(Arc::clone(&exchange)),
            exchange,
            peer,
            local,
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
    /// sendmsg(2) says, such as `EMSGSIZE` for more than fits a packet.
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
        &self.peer
    }

    /// The address that the packet was sent to, also where the server is bound to every address, on Linux and Android;
    /// for a broadcast, that of ours which answers it.
    pub fn local_address(&self) -> &Address {
        &self.local
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
        let reply = std::mem::take(&mut *self.exchange.reply());
        if reply.is_empty() { Ok(()) } else { self.exchange.send(&reply) }
    }

    fn furnish(&mut self) {}

    fn shutdown(&mut self) {}

    fn close(self) {}

    fn refuse(self) {}

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
    socket: Arc<Socket>,
    peer: Option<SockAddr>,
    source: Option<Destination>,
    reply: Mutex<Vec<u8>>,
}

impl Exchange {
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
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
        match &self.peer {
            Some(peer) => sys::datagram::send(self.socket.as_fd(), payload, peer, self.source),
            None => Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the peer cannot be answered: its socket is not bound to a name",
            )),
        }
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
