//! The search for the byte that ends a message: what lines and other delimited messages share.

use crate::protocol::frame::{Decoded, FrameError};
use crate::sys;

#[derive(Debug)]
pub(super) struct Search {
    /// The longest message, in bytes.
    longest: usize,
    /// A byte that may stand before the delimiter and does not count: the CR of CRLF.
    before: Option<u8>,
    /// So many of the bytes received have no delimiter in them.
    searched: usize,
    /// The message that was too long is not over yet.
    skips: bool,
}

impl Search {
    pub(super) fn new(longest: usize, before: Option<u8>) -> Self {
        Self { longest, before, searched: 0, skips: false }
    }

    /// The next bytes are others than those that were incomplete.
    pub(super) fn restart(&mut self) {
        self.searched = 0;
    }

    pub(super) fn max_length(&self) -> usize {
        // One byte more than fits, so that a message that is too long is seen, and passed over, before the memory ends.
        self.longest.saturating_add(usize::from(self.before.is_some()) + 1)
    }

    /// Inlined, so that a line that is here as a whole takes no more than the search for its end.
    #[inline]
    pub(super) fn decode(&mut self, received: &[u8], delimiter: u8) -> Result<Decoded, FrameError> {
        let unseen = received.get(self.searched..).unwrap_or_default();
        let Some(position) = sys::memory::find(delimiter, unseen) else { return self.not_yet(received) };
        let end = self.searched + position;
        let message = self.without_ending(&received[..end]);
        if self.skips || message > self.longest {
            return self.end(message, end + 1);
        }
        self.searched = 0;
        Ok(Decoded::Message { body: 0..message, length: end + 1 })
    }

    #[cold]
    fn not_yet(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        if self.skips {
            return Ok(Decoded::Skip(received.len()));
        }
        self.searched = received.len();
        if received.len() >= self.max_length() {
            self.searched = 0;
            self.skips = true;
            return Err(self.too_long().passing_over(received.len()));
        }
        Ok(Decoded::Incomplete)
    }

    /// The last message may lack its delimiter.
    pub(super) fn decode_last(&mut self, received: &[u8], delimiter: u8) -> Result<Decoded, FrameError> {
        match self.decode(received, delimiter)? {
            Decoded::Incomplete => self.end(received.len(), received.len()),
            decoded => Ok(decoded),
        }
    }

    /// A packet is one message, whatever is in it, and may lack its delimiter too.
    pub(super) fn decode_packet<'p>(&self, packet: &'p [u8], delimiter: u8) -> Result<&'p [u8], FrameError> {
        let message = match packet.strip_suffix(&[delimiter]) {
            Some(message) => &packet[..self.without_ending(message)],
            None => packet,
        };
        self.check(message.len(), packet.len())?;
        Ok(message)
    }

    #[cold]
    fn end(&mut self, message: usize, length: usize) -> Result<Decoded, FrameError> {
        self.searched = 0;
        if std::mem::take(&mut self.skips) {
            return Ok(Decoded::Skip(length));
        }
        self.check(message, length)?;
        Ok(Decoded::Message { body: 0..message, length })
    }

    /// How long the message is before its delimiter.
    fn without_ending(&self, message: &[u8]) -> usize {
        message.len() - usize::from(self.before.is_some() && message.last().copied() == self.before)
    }

    fn check(&self, message: usize, length: usize) -> Result<(), FrameError> {
        if message > self.longest { Err(self.too_long().passing_over(length)) } else { Ok(()) }
    }

    fn too_long(&self) -> FrameError {
        FrameError::new(format!("the line is longer than {} bytes (`max_line`)", self.longest))
    }
}
