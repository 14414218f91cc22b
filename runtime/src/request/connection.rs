//! A connection: both halves, the socket, the addresses.

use std::io::{self, BufRead, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use socket2::Socket;

use super::spare;
use super::stream::Stream;
use super::{Life, Reader, Request, Writer};
use crate::address::Address;
use crate::transport::RequestSettings;

/// A connection that was accepted: the request on `tcp` and `unix_stream`.
///
/// It reads as its [`Reader`] and writes as its [`Writer`] do; [`split`](Request::split) lends both at once. When
/// the handler is done, the output is ended, what the peer still sends is drained within bounds, so that it gets the
/// whole reply, and the socket is closed. CPython: `StreamRequestHandler` with its `connection`, `rfile` and `wfile`.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Connection, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::TcpStream;
///
/// #[socket_server(tcp, threading)]
/// struct WhoAmI;
///
/// #[handler]
/// impl WhoAmI {
///     fn handle(&self, connection: &mut Connection) -> io::Result<()> {
///         let peer = connection.peer_address().clone();
///         connection.socket().set_keepalive(true)?;
///         write!(connection, "you are {peer}")
///     }
/// }
///
/// let server = WhoAmI.bind("127.0.0.1:0")?.start()?;
/// let client = TcpStream::connect(server.local_address())?;
/// let me = client.local_addr()?;
/// assert_eq!(io::read_to_string(client)?, format!("you are {me}"));
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    reader: Reader,
    writer: Writer,
    stream: Arc<Stream>,
    peer: Address,
    local: OnceLock<Address>,
}

impl Connection {
    pub(crate) fn new(socket: Socket, peer: Address, settings: &RequestSettings) -> io::Result<Self> {
        let stream = spare::stream(socket, settings)?;
        Ok(Self {
            reader: Reader::of_stream(Arc::clone(&stream), spare::input(), settings.read_buffer, settings.messages),
            writer: Writer::of_stream(Arc::clone(&stream)),
            stream,
            peer,
            local: OnceLock::new(),
        })
    }

    /// What the peer sends.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// What is sent to the peer.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Both halves at once; they may go to two threads, of which neither holds up the other. What is written while the
    /// reader waits is sent at once.
    pub fn split(&mut self) -> (&mut Reader, &mut Writer) {
        (&mut self.reader, &mut self.writer)
    }

    /// The address of the peer; [`Unnamed`](Address::Unnamed) for most peers on a Unix-domain socket.
    pub fn peer_address(&self) -> &Address {
        &self.peer
    }

    /// The address that the peer connected to, also where the server is bound to every address.
    pub fn local_address(&self) -> &Address {
        // It can only fail for a descriptor that is no socket.
        self.local.get_or_init(|| {
            self.socket().local_addr().map_or(Address::Unnamed, |address| Address::from_sock_addr(&address))
        })
    }

    /// The socket, for options that have no place here. What is read from it or written to it directly goes past the
    /// buffers of the two halves. A timeout that is set on it fails a read or a write with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), and not with the name of an option.
    pub fn socket(&self) -> &Socket {
        self.stream.socket()
    }
}

impl Request for Connection {
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

impl Life for Connection {
    const IS_CONNECTION: bool = true;

    fn stream(&self) -> Option<Arc<Stream>> {
        Some(Arc::clone(&self.stream))
    }

    fn settle(&mut self) {
        self.stream.settle();
    }

    #[inline]
    fn deliver(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn furnish(&mut self) {
        // First, so that the beginnings of both buffers are near each other.
        self.stream.furnish();
        self.reader.furnish();
        spare::furnish_text();
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a child runs it: see `sys/child.rs`")]
    fn shutdown(&mut self) {
        self.stream.shutdown();
    }

    fn close(self) {
        let Self { reader, writer, stream, .. } = self;
        spare::keep_input(reader.into_buffer());
        drop(writer);
        spare::keep_stream(stream);
    }

    fn refuse(self) {
        self.stream.end_output(None);
        self.close();
    }

    fn lend(&mut self) -> (&[u8], &mut Reader, &mut Writer) {
        (&[], &mut self.reader, &mut self.writer)
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl BufRead for Connection {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.writer.write_fmt(text)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
