//! Lines of text.

use std::io;

use super::search::Search;
use crate::protocol::command::CommandFrame;
use crate::protocol::frame::{Decoded, Frame, FrameError, MessageOptions};

/// A message is a line, without its ending, LF or CRLF; the last line may lack one. It is what a handler has if it
/// names no other frame.
///
/// A line that is longer than the option `max_line` is an error and is passed over. Replies end with LF, or with CRLF
/// if the option `crlf` is set. On a transport of packets, a packet may end with a line ending, and a reply does.
///
/// ```
/// use socketserver::{Decoded, Frame, Line, MessageOptions};
///
/// let mut frame = Line::new(&MessageOptions::default());
/// assert_eq!(frame.decode(b"one\r\ntwo")?, Decoded::Message { body: 0..3, length: 5 });
/// assert_eq!(frame.decode(b"two")?, Decoded::Incomplete);
/// # Ok::<(), socketserver::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Line {
    search: Search<b'\n', true>,
    crlf: bool,
}

impl Line {
    /// The next bytes are others than those that were incomplete.
    pub(crate) fn restart(&mut self) {
        self.search.restart();
    }

    /// The length of a line that [`decode`](Frame::decode) would find, without its ending and with it.
    #[inline]
    pub(crate) fn whole(&self, received: &[u8]) -> Option<(usize, usize)> {
        self.search.whole(received)
    }
}

impl Frame for Line {
    fn new(options: &MessageOptions) -> Self {
        Self { search: Search::new(options.max_line), crlf: options.crlf }
    }

    fn max_length(&self) -> usize {
        self.search.max_length()
    }

    #[inline]
    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        self.search.decode(received)
    }

    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        self.search.decode_last(received)
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        output.extend_from_slice(message);
        output.extend_from_slice(if self.crlf { b"\r\n" } else { b"\n" });
        Ok(())
    }

    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        self.search.decode_packet(packet)
    }

    fn encode_packet(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        self.encode(message, output)
    }
}

impl CommandFrame for Line {}
