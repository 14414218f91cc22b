//! Messages that end with a byte.

use std::io;

use super::search::Search;
use crate::protocol::command::CommandFrame;
use crate::protocol::frame::{Decoded, Frame, FrameError, MessageOptions};

/// A message ends with the byte `BYTE`, which is not part of it; the last one may lack it.
///
/// One that is longer than the option `max_line` is an error and is passed over. On a transport of packets, a packet
/// may end with the byte, and a reply does.
///
/// ```
/// use socketserver::{Decoded, Delimited, Frame, MessageOptions};
///
/// let mut frame = Delimited::<0>::new(&MessageOptions::default());
/// assert_eq!(frame.decode(b"one\0two")?, Decoded::Message { body: 0..3, length: 4 });
/// # Ok::<(), socketserver::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Delimited<const BYTE: u8> {
    search: Search<BYTE, false>,
}

impl<const BYTE: u8> Frame for Delimited<BYTE> {
    fn new(options: &MessageOptions) -> Self {
        Self { search: Search::new(options.max_line) }
    }

    fn max_length(&self) -> usize {
        self.search.max_length()
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        self.search.decode(received)
    }

    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        self.search.decode_last(received)
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        output.extend_from_slice(message);
        output.push(BYTE);
        Ok(())
    }

    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        self.search.decode_packet(packet)
    }

    fn encode_packet(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        self.encode(message, output)
    }
}

impl<const BYTE: u8> CommandFrame for Delimited<BYTE> {}
