//! What the peer sends, buffered.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::str;
use std::sync::Arc;

use super::datagram::Exchange;
use super::stream::Stream;

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
    max_line: usize,
    /// The line that was too long is not over yet.
    skips_line: bool,
}

/// Where more comes from.
enum Source {
    Stream(Arc<Stream>),
    /// A packet, until its payload is read.
    Packet(Option<Arc<Exchange>>),
}

impl Reader {
    pub(super) fn of_stream(stream: Arc<Stream>, buffer: usize, max_line: usize) -> Self {
        Self::new(Source::Stream(stream), vec![0; buffer], max_line)
    }

    pub(super) fn of_packet(packet: Arc<Exchange>, max_line: usize) -> Self {
        Self::new(Source::Packet(Some(packet)), Vec::new(), max_line)
    }

    fn new(source: Source, buffer: Vec<u8>, max_line: usize) -> Self {
        Self { source, buffer, start: 0, end: 0, max_line, skips_line: false }
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
            if let Some(position) = waiting[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.start..self.start + searched + position;
                self.start = line.end + 1;
                if std::mem::take(&mut self.skips_line) {
                    searched = 0;
                    continue;
                }
                let line = without_cr(&self.buffer[line]);
                return if line.len() <= self.max_line { Ok(Some(line)) } else { Err(self.too_long()) };
            }
            searched = waiting.len();
            if self.skips_line {
                self.start = self.end;
                searched = 0;
            } else if searched > self.max_line + 1 {
                // One more could be the CR of its ending.
                self.skips_line = true;
                return Err(self.too_long());
            }
            if self.receive_more()? == 0 {
                let last = self.start..self.end;
                self.start = self.end;
                return match &self.buffer[last] {
                    _ if std::mem::take(&mut self.skips_line) => Ok(None),
                    [] => Ok(None),
                    line if line.len() <= self.max_line => Ok(Some(line)),
                    _ => Err(self.too_long()),
                };
            }
        }
    }

    fn too_long(&self) -> io::Error {
        let limit = self.max_line;
        io::Error::new(io::ErrorKind::InvalidData, format!("the line is longer than {limit} bytes (`max_line`)"))
    }

    /// Receives behind what is waiting; 0 at the end of the input.
    fn receive_more(&mut self) -> io::Result<usize> {
        let amid_request = self.start < self.end || self.skips_line;
        let received = match &mut self.source {
            Source::Stream(stream) => {
                let stream = Arc::clone(stream);
                self.make_room();
                stream.receive(&mut self.buffer[self.end..], amid_request)?
            }
            Source::Packet(packet) => packet.take().map_or(0, |packet| {
                self.buffer.extend_from_slice(packet.payload());
                packet.payload().len()
            }),
        };
        self.end += received;
        Ok(received)
    }

    /// Grows the buffer, if it must, to no more than the longest line with its ending.
    fn make_room(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start.., 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.buffer.len() {
                let longest = (self.max_line + 2).max(self.end + 1);
                let length = (self.end * 2).min(longest);
                self.buffer.reserve_exact(length - self.end);
                self.buffer.resize(length, 0);
            }
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.source {
            // A long read needs no copy.
            Source::Stream(stream) if self.start == self.end && buffer.len() >= self.buffer.len() => {
                stream.receive(buffer, false)
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
            self.receive_more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
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
        Reader { end, ..Reader::new(Source::Packet(None), input.to_vec(), max_line) }
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
