//! What the peer sends, buffered.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::str;
use std::sync::Arc;

use super::datagram::Exchange;
use super::input::Input;
use super::stream::Stream;
use crate::protocol::{Frame, FrameError, Line, MessageOptions};

/// What the peer sends: the bytes of a connection, or of one packet.
///
/// CPython: `rfile`. Before it waits for the peer, it sends what the handler has written so far to the
/// [`Writer`](crate::Writer). If its connection is the only one of the process, it tries now and then to look for input
/// for up to 50 µs before it sleeps, and goes on while that doubles the rate.
///
/// Reads fail with [`TimedOut`](io::ErrorKind::TimedOut) after `read_timeout` or `request_deadline`, and with what
/// recv(2) and send(2) say. After a shutdown has begun, a connection that waits between two requests is at its end; one
/// that the shutdown cuts amid a request fails with [`ConnectionAborted`](io::ErrorKind::ConnectionAborted).
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Reader, Writer, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::{Shutdown, TcpStream};
///
/// #[socket_server(tcp, threading)]
/// struct CountLines;
///
/// #[handler]
/// impl CountLines {
///     fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
///         let mut count = 0;
///         while input.next_line()?.is_some() {
///             count += 1;
///         }
///         write!(output, "{count}")
///     }
/// }
///
/// let server = CountLines.bind("127.0.0.1:0")?.start()?;
/// let mut client = TcpStream::connect(server.local_address())?;
/// client.write_all(b"one\r\ntwo\nand three")?;
/// client.shutdown(Shutdown::Write)?;
/// assert_eq!(io::read_to_string(client)?, "3");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reader {
    input: Input,
    lines: Line,
    options: MessageOptions,
}

impl Reader {
    /// `buffer` may be one that another request has left.
    pub(super) fn of_stream(stream: Arc<Stream>, buffer: Vec<u8>, read_buffer: usize, options: MessageOptions) -> Self {
        Self::new(Input::of_stream(stream, buffer, read_buffer), options)
    }

    pub(super) fn of_packet(packet: Arc<Exchange>, buffer: Vec<u8>, options: MessageOptions) -> Self {
        Self::new(Input::of_packet(packet, buffer), options)
    }

    fn new(input: Input, options: MessageOptions) -> Self {
        Self { input, lines: Line::new(&options), options }
    }

    /// Makes the first room.
    pub(super) fn furnish(&mut self) {
        self.input.furnish();
    }

    /// The buffer, for another request.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.input.into_buffer()
    }

    /// The next line without its ending, LF or CRLF; `None` at the end of the input. A last line that has no ending
    /// counts.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the line is longer than `max_line`, or not UTF-8. Either line
    /// is passed over, so that the next call gives the one after it.
    pub fn next_line(&mut self) -> io::Result<Option<&str>> {
        match self.next_line_bytes()? {
            None => Ok(None),
            Some(line) => match str::from_utf8(line) {
                Ok(line) => Ok(Some(line)),
                Err(error) => {
                    Err(io::Error::new(io::ErrorKind::InvalidData, format!("the line is not UTF-8: {error}")))
                }
            },
        }
    }

    /// The next line as [`next_line`](Self::next_line) gives it, of any bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) if the line is longer than `max_line`; it is passed over.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "its wait is one function with the handler, as in `Stream`")]
    pub fn next_line_bytes(&mut self) -> io::Result<Option<&[u8]>> {
        let waiting = self.input.fill()?;
        if waiting.is_empty() {
            return Ok(None);
        }
        match self.lines.whole(waiting) {
            Some((line, length)) => Ok(Some(&self.input.read(length)[..line])),
            None => self.next_line_in_parts(),
        }
    }

    /// The next line where it is not here as a whole, as nearly every line is, or is longer than it may be.
    #[cold]
    fn next_line_in_parts(&mut self) -> io::Result<Option<&[u8]>> {
        // What was searched for the end of a line may have been read in another way since.
        self.lines.restart();
        let line = self.input.next(&mut self.lines)?;
        Ok(line.map(|line| &self.input.bytes()[line]))
    }

    /// The next message, as `frame` finds it; `None` at the end of the input. A packet is one message.
    ///
    /// It is what the loop of `#[message]` and `#[command]` calls, for a handler that has a loop of its own. The frame
    /// is used for this input only, from its beginning to its end.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) with the [`FrameError`] inside if the bytes are no message, or are
    /// more than a message may have, or end within one. If it [passes over](FrameError::passes_over) nothing, where the
    /// next message begins is not known, and the connection is to be ended; otherwise the next call gives the message
    /// after it. [`Other`](io::ErrorKind::Other) if the frame is wrong: see [`Frame::decode`].
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use socketserver::{Frame, LengthPrefixed, MessageOptions, Reader, Writer, handler, socket_server};
    /// use std::io::{self, Write};
    ///
    /// #[socket_server(tcp, threading)]
    /// struct Lengths;
    ///
    /// #[handler]
    /// impl Lengths {
    ///     fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
    ///         let mut frame = LengthPrefixed::<u16>::new(&MessageOptions::default());
    ///         while let Some(message) = input.next_message(&mut frame)? {
    ///             writeln!(output, "{}", message.len())?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # }
    /// ```
    pub fn next_message(&mut self, frame: &mut impl Frame) -> io::Result<Option<&[u8]>> {
        if !self.input.is_packet() {
            let message = self.input.next(frame)?;
            return Ok(message.map(|message| &self.input.bytes()[message]));
        }
        let Some(packet) = self.input.take_packet() else { return Ok(None) };
        let payload = packet.payload();
        if packet.is_truncated() {
            let problem = format!("the packet is longer than {} bytes (`max_packet_size`)", payload.len());
            return Err(FrameError::new(problem).passing_over(payload.len()).into());
        }
        Ok(Some(frame.decode_packet(self.input.keep(payload))?))
    }

    pub(crate) fn options(&self) -> MessageOptions {
        self.options
    }

    /// Whether all that was received has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Whether a read has failed, so that what comes next may be the middle of anything.
    pub(crate) fn has_failed(&self) -> bool {
        self.input.has_failed()
    }
}

impl Read for Reader {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(received) = self.input.read_past_buffer(buffer) {
            return received;
        }
        let waiting = self.fill_buf()?;
        let length = waiting.len().min(buffer.len());
        buffer[..length].copy_from_slice(&waiting[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill()
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("buffered", &self.input.waiting().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(input: &[u8], max_line: usize) -> Reader {
        Reader::new(Input::of_bytes(input), MessageOptions { max_line, ..MessageOptions::default() })
    }

    fn lines(input: &[u8], max_line: usize) -> Vec<Result<Vec<u8>, io::ErrorKind>> {
        let mut reader = reader(input, max_line);
        let next = || match reader.next_line_bytes() {
            Ok(line) => line.map(|line| Ok(line.to_vec())),
            Err(error) => Some(Err(error.kind())),
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_line_ends_with_lf_or_crlf_or_the_input() {
        assert_eq!(lines(b"", 9), []);
        assert_eq!(lines(b"\n", 9), [Ok(vec![])]);
        assert_eq!(lines(b"a\r\nb\n\nc", 9), [Ok(b"a".to_vec()), Ok(b"b".to_vec()), Ok(vec![]), Ok(b"c".to_vec())]);
        assert_eq!(lines(b"a\rb\r\r\n", 9), [Ok(b"a\rb\r".to_vec())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let too_long = || Err(io::ErrorKind::InvalidData);
        assert_eq!(
            lines(b"123\n1234\r\n12345\n12\n", 4),
            [Ok(b"123".to_vec()), Ok(b"1234".to_vec()), too_long(), Ok(b"12".to_vec())]
        );
        assert_eq!(lines(b"1234567", 4), [too_long()]);
        assert_eq!(lines(b"12345", 4), [too_long()]);
    }

    #[test]
    fn a_line_that_is_not_utf8_is_passed_over() {
        let mut reader = reader(b"\xff\nb\n", 9);
        assert_eq!(reader.next_line().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(reader.next_line().unwrap(), Some("b"));
    }

    #[test]
    fn reads_go_on_where_lines_ended() {
        let mut reader = reader(b"head\nbody", 9);
        assert_eq!(reader.next_line().unwrap(), Some("head"));
        let mut body = String::new();
        reader.read_to_string(&mut body).unwrap();
        assert_eq!(body, "body");
        assert_eq!(reader.next_line().unwrap(), None);
    }
}
