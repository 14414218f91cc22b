//! Messages of one length.

use std::io;

use crate::protocol::command::CommandFrame;
use crate::protocol::frame::{Decoded, Frame, FrameError, MessageOptions};

/// A message is exactly `N` bytes.
///
/// A reply of another length is an error of the handler. On a transport of packets, a packet of another length is an
/// error.
///
/// ```
/// use socketserver::{Decoded, Fixed, Frame, MessageOptions};
///
/// let mut frame = Fixed::<4>::new(&MessageOptions::default());
/// assert_eq!(frame.decode(b"abc")?, Decoded::Incomplete);
/// assert_eq!(frame.decode(b"abcde")?, Decoded::Message { body: 0..4, length: 4 });
/// # Ok::<(), socketserver::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fixed<const N: usize>;

impl<const N: usize> Frame for Fixed<N> {
    fn new(_: &MessageOptions) -> Self {
        const { assert!(N > 0, "a message has at least one byte") }
        Self
    }

    fn max_length(&self) -> usize {
        N
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        Ok(if received.len() < N { Decoded::Incomplete } else { Decoded::Message { body: 0..N, length: N } })
    }

    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        if packet.len() != N {
            let problem = format!("a packet of {} bytes where each message has {N}", packet.len());
            return Err(FrameError::new(problem).passing_over(packet.len()));
        }
        Ok(packet)
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        if message.len() != N {
            let problem = format!("a message of {} bytes where each has {N}", message.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        output.extend_from_slice(message);
        Ok(())
    }

    fn encode_packet(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        self.encode(message, output)
    }
}

impl<const N: usize> CommandFrame for Fixed<N> {}
