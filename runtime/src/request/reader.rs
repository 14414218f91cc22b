//! What the peer sends, buffered.

use std::any::type_name_of_val;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::str;
use std::sync::Arc;

use super::datagram::Exchange;
use super::stream::Stream;
use crate::protocol::{Decoded, Frame, FrameError, KEPT_ROOM, MessageOptions, check_decoded};
use crate::sys;

/// What the peer sends: the bytes of a connection, or of one packet.
///
/// CPython: `rfile`. Before it waits for the peer, it sends what the handler has written so far to the
/// [`Writer`](crate::Writer).
///
/// Reads fail with [`TimedOut`](io::ErrorKind::TimedOut) after `read_timeout` or `request_deadline`, and with what
/// recv(2) and send(2) say. After a shutdown has begun, a connection that waits between two requests is at its end.
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
    source: Source,
    buffer: Vec<u8>,
    /// `buffer[start..end]` is received and not yet read.
    start: usize,
    end: usize,
    /// What the buffer may grow to, while no message needs more.
    read_buffer: usize,
    options: MessageOptions,
    /// The line that was too long is not over yet.
    skips_line: bool,
    /// A read has failed: what comes next is not known.
    failed: bool,
}

/// Where more comes from.
enum Source {
    Stream(Arc<Stream>),
    /// A packet, until its payload is read.
    Packet(Option<Arc<Exchange>>),
}

/// What a buffer begins with. A connection that waits has few bytes to show for it, and most requests are short.
const FIRST_ROOM: usize = 1_024;

impl Reader {
    /// `buffer` may be one that another connection has left.
    pub(super) fn of_stream(stream: Arc<Stream>, buffer: Vec<u8>, read_buffer: usize, options: MessageOptions) -> Self {
        Self { read_buffer, ..Self::new(Source::Stream(stream), buffer, options) }
    }

    pub(super) fn of_packet(packet: Arc<Exchange>, options: MessageOptions) -> Self {
        Self::new(Source::Packet(Some(packet)), Vec::new(), options)
    }

    fn new(source: Source, buffer: Vec<u8>, options: MessageOptions) -> Self {
        Self { source, buffer, start: 0, end: 0, read_buffer: 0, options, skips_line: false, failed: false }
    }

    /// Makes the first room.
    pub(super) fn furnish(&mut self) {
        if self.buffer.is_empty() {
            self.make_room(self.read_buffer);
        }
    }

    /// The buffer, for another connection, unless a long message has blown it up.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() <= self.read_buffer { self.buffer } else { Vec::new() }
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
    pub fn next_line_bytes(&mut self) -> io::Result<Option<&[u8]>> {
        let mut searched = 0;
        loop {
            let waiting = &self.buffer[self.start..self.end];
            if let Some(position) = sys::memory::find(b'\n', &waiting[searched..]) {
                let line = self.start..self.start + searched + position;
                self.start = line.end + 1;
                if std::mem::take(&mut self.skips_line) {
                    searched = 0;
                    continue;
                }
                let line = without_cr(&self.buffer[line]);
                return if line.len() <= self.options.max_line { Ok(Some(line)) } else { Err(self.too_long()) };
            }
            searched = waiting.len();
            if self.skips_line {
                self.start = self.end;
                searched = 0;
            } else if searched > self.options.max_line + 1 {
                // One more could be the CR of its ending.
                self.skips_line = true;
                return Err(self.too_long());
            }
            if self.receive_more(self.options.max_line + 2)? == 0 {
                let last = self.start..self.end;
                self.start = self.end;
                return match &self.buffer[last] {
                    _ if std::mem::take(&mut self.skips_line) => Ok(None),
                    [] => Ok(None),
                    line if line.len() <= self.options.max_line => Ok(Some(line)),
                    _ => Err(self.too_long()),
                };
            }
        }
    }

    /// The next message, as `frame` finds it; `None` at the end of the input. A packet is one message.
    ///
    /// It is what the loop of `#[message]` and `#[command]` calls, for a handler that has a loop of its own. The frame is
    /// used for this input only, from its beginning to its end.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) with the [`FrameError`] inside if the bytes are no message, or are more
    /// than a message may have, or end within one. If it [is final](FrameError::is_final), where the next message begins
    /// is not known, and the connection is to be ended; otherwise the next call gives the message after it.
    /// [`Other`](io::ErrorKind::Other) if the frame is wrong: see [`Frame::decode`].
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
        if let Source::Packet(packet) = &mut self.source {
            let Some(packet) = packet.take() else { return Ok(None) };
            let payload = packet.payload();
            if packet.is_truncated() {
                let problem = format!("the packet is longer than {} bytes (`max_packet_size`)", payload.len());
                return Err(FrameError::new(problem).passing_over(payload.len()).into());
            }
            self.buffer.extend_from_slice(payload);
            return frame.decode_packet(&self.buffer).map(Some).map_err(Into::into);
        }
        let mut at_end = false;
        loop {
            let received = &self.buffer[self.start..self.end];
            let decoded = match received {
                [] if at_end => return Ok(None),
                [] => Ok(Decoded::Incomplete),
                _ if at_end => frame.decode_last(received),
                _ => frame.decode(received),
            };
            if let Err(why) = check_decoded(&decoded, received.len()) {
                self.start = self.end;
                return Err(io::Error::other(format!("the frame `{}` is wrong: {why}", type_name_of_val(frame))));
            }
            let longest = frame.max_length();
            match decoded {
                // However it came: in one piece as in many.
                Ok(Decoded::Message { length, .. }) if length > longest => return Err(self.too_much(longest)),
                Ok(Decoded::Message { body, length }) => {
                    let start = self.start;
                    self.consume(length);
                    return Ok(Some(&self.buffer[start + body.start..start + body.end]));
                }
                Ok(Decoded::Skip(length)) => {
                    self.consume(length);
                    self.owes_nothing();
                }
                Ok(Decoded::Incomplete) if at_end => return Err(self.give_up("the input ends within a message")),
                Ok(Decoded::Incomplete) if received.len() >= longest => return Err(self.too_much(longest)),
                Ok(Decoded::Incomplete) => at_end = self.receive_more(longest)? == 0,
                Err(error) => {
                    // Behind a final one nothing can be read any more.
                    self.consume(error.passes_over().unwrap_or(usize::MAX));
                    return Err(error.into());
                }
            }
        }
    }

    /// What was received last was no message, so a shutdown does not wait for a reply to it.
    fn owes_nothing(&self) {
        if let (true, Source::Stream(stream)) = (self.is_empty(), &self.source) {
            stream.settle();
        }
    }

    fn too_much(&mut self, longest: usize) -> io::Error {
        self.give_up(format!("a message is longer than {longest} bytes"))
    }

    fn give_up(&mut self, why: impl Into<Cow<'static, str>>) -> io::Error {
        self.start = self.end;
        FrameError::new(why).into()
    }

    pub(crate) fn options(&self) -> MessageOptions {
        self.options
    }

    /// Whether all that was received has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether a read has failed, so that what comes next may be the middle of anything.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    fn too_long(&self) -> io::Error {
        let limit = self.options.max_line;
        io::Error::new(io::ErrorKind::InvalidData, format!("the line is longer than {limit} bytes (`max_line`)"))
    }

    /// Receives behind what is waiting, where the buffer may grow to `longest` bytes; 0 at the end of the input.
    fn receive_more(&mut self, longest: usize) -> io::Result<usize> {
        let amid_request = self.start < self.end || self.skips_line;
        if let Source::Stream(_) = self.source {
            self.make_room(longest);
        }
        let received = match &mut self.source {
            Source::Stream(stream) => {
                let received = stream.receive(&mut self.buffer[self.end..], amid_request);
                self.failed |= received.is_err();
                received?
            }
            Source::Packet(packet) => packet.take().map_or(0, |packet| {
                self.buffer.extend_from_slice(packet.payload());
                packet.payload().len()
            }),
        };
        self.end += received;
        Ok(received)
    }

    /// Makes room behind what is waiting. A buffer that was filled grows: to `read_buffer`, or, for a message that needs
    /// it, to no more than `longest` bytes. What a long message took is given back.
    fn make_room(&mut self, longest: usize) {
        let was_filled = self.end == self.buffer.len();
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.buffer.len() > self.read_buffer.max(KEPT_ROOM) {
                self.buffer.truncate(self.read_buffer);
                self.buffer.shrink_to_fit();
            } else if was_filled && self.buffer.len() < self.read_buffer {
                self.grow((self.buffer.len() * 2).max(FIRST_ROOM).min(self.read_buffer));
            }
        } else if was_filled {
            self.buffer.copy_within(self.start.., 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.buffer.len() {
                self.grow((self.end * 2).min(longest.max(self.end + 1)));
            }
        }
    }

    fn grow(&mut self, length: usize) {
        self.buffer.reserve_exact(length - self.buffer.len());
        self.buffer.resize(length, 0);
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.source {
            // A long read needs no copy.
            Source::Stream(stream) if self.start == self.end && buffer.len() >= self.read_buffer => {
                let received = stream.receive(buffer, false);
                self.failed |= received.is_err();
                received
            }
            _ => {
                let waiting = self.fill_buf()?;
                let length = waiting.len().min(buffer.len());
                buffer[..length].copy_from_slice(&waiting[..length]);
                self.consume(length);
                Ok(length)
            }
        }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.receive_more(self.buffer.len())?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.start.saturating_add(amount).min(self.end);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("buffered", &(self.end - self.start)).finish_non_exhaustive()
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(input: &[u8], max_line: usize) -> Reader {
        let end = input.len();
        let options = MessageOptions { max_line, ..MessageOptions::default() };
        Reader { end, ..Reader::new(Source::Packet(None), input.to_vec(), options) }
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

    #[test]
    fn a_buffer_that_is_filled_grows() {
        let mut reader = Reader { read_buffer: 5_000, ..reader(b"", 9) };
        let rooms: Vec<usize> = std::iter::repeat_with(|| {
            reader.make_room(11);
            reader.end = reader.buffer.len();
            reader.start = reader.end;
            reader.end
        })
        .take(5)
        .collect();
        assert_eq!(rooms, [1_024, 2_048, 4_096, 5_000, 5_000]);
        reader.start = reader.end - 1;
        reader.make_room(11);
        assert_eq!((reader.start, reader.end, reader.buffer.len()), (0, 1, 5_000));
    }
}
