//! What is sent to the peer, gathered.

use std::fmt::{self, Arguments};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::datagram::Exchange;
use super::formatted;
use super::stream::Stream;

/// What is sent to the peer.
///
/// On a connection, what is written is gathered, and sent when the handler's [`Reader`](crate::Reader) is about to
/// wait for input or waits for it in another thread, when `write_buffer` is full, on [`flush`](Write::flush), and when
/// the handler ends. On a packet, it is gathered to one reply, sent at the end if anything was written and the handler
/// did not fail. CPython: `wfile`.
///
/// The text of a `write!` is made first, while other writers go on, and then written whole; if a part of it fails,
/// nothing is.
///
/// A write to a peer that is gone fails with [`BrokenPipe`](io::ErrorKind::BrokenPipe) or
/// [`ConnectionReset`](io::ErrorKind::ConnectionReset), and one to a peer that takes nothing with
/// [`TimedOut`](io::ErrorKind::TimedOut) after `write_timeout` or `request_deadline`. Since writes are gathered, the
/// error may come with a later one, or with the reader's wait.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Writer, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::TcpStream;
///
/// #[socket_server(tcp, threading)]
/// struct Greet;
///
/// #[handler]
/// impl Greet {
///     fn handle(&self, output: &mut Writer) -> io::Result<()> {
///         writeln!(output, "hello")
///     }
/// }
///
/// let server = Greet.bind("127.0.0.1:0")?.start()?;
/// let client = TcpStream::connect(server.local_address())?;
/// assert_eq!(io::read_to_string(client)?, "hello\n");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Writer {
    sink: Sink,
    /// A handle for other threads: nobody's wait would send what it gathered.
    at_once: bool,
}

#[derive(Clone)]
enum Sink {
    Stream(Arc<Stream>),
    Packet(Arc<Exchange>),
}

impl Writer {
    pub(super) fn of_stream(stream: Arc<Stream>) -> Self {
        Self { sink: Sink::Stream(stream), at_once: false }
    }

    pub(super) fn of_packet(exchange: Arc<Exchange>) -> Self {
        Self { sink: Sink::Packet(exchange), at_once: false }
    }

    /// A handle to the same peer, which other threads may keep and write to, also while and after this request is
    /// handled.
    ///
    /// Each call of one of its methods is sent at once and as a whole: after what the handler has gathered, on a
    /// connection; as a packet of its own, on a transport of packets. So a line of `writeln!` is never mixed with
    /// another's. Once the request has ended, a write to its connection fails with
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe). The descriptor stays open as long as there is a handle.
    ///
    /// # Errors
    ///
    /// None today. It is fallible as the `try_clone` of `std`'s sockets is, for transports that have to duplicate a
    /// descriptor.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { sink: self.sink.clone(), at_once: true })
    }

    #[inline]
    fn take(&self, bytes: &[u8]) -> io::Result<()> {
        match &self.sink {
            Sink::Stream(stream) => stream.write(bytes, self.at_once),
            Sink::Packet(exchange) => exchange.write(bytes, self.at_once),
        }
    }
}

impl Write for Writer {
    /// Takes all of `bytes`, or fails.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes)?;
        Ok(bytes.len())
    }

    /// What the provided method does, without looking for what is left.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "mostly it only copies, and a call costs half of that")]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() { Ok(()) } else { self.take(bytes) }
    }

    /// Sends what is gathered on a connection. A packet's reply is one, and sent at the end.
    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        match &self.sink {
            Sink::Stream(stream) => stream.flush(),
            Sink::Packet(_) => Ok(()),
        }
    }

    /// The provided method would send each piece of the text by itself.
    fn write_fmt(&mut self, text: Arguments<'_>) -> io::Result<()> {
        formatted::write(text, |text| self.write_all(text))
    }
}

/// The socket that it writes to: the connection's, or the server's on a transport of packets.
impl AsFd for Writer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.sink {
            Sink::Stream(stream) => stream.socket().as_fd(),
            Sink::Packet(exchange) => exchange.socket().as_fd(),
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}
