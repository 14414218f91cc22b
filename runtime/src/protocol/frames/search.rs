//! The search for the byte that ends a message: what lines and other delimited messages share.

use crate::protocol::frame::{Decoded, FrameError};
use crate::sys;

/// A message ends with `BYTE`. With `CR`, one that stands before it does not count either.
#[derive(Debug)]
pub(super) struct Search<const BYTE: u8, const CR: bool> {
    /// The longest message, in bytes.
    longest: usize,
    /// So many of the bytes received have no delimiter in them.
    searched: usize,
    /// The message that was too long is not over yet.
    skips: bool,
}

impl<const BYTE: u8, const CR: bool> Search<BYTE, CR> {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, searched: 0, skips: false }
    }

    /// The next bytes are others than those that were incomplete.
    pub(super) fn restart(&mut self) {
        self.searched = 0;
    }

    pub(super) fn max_length(&self) -> usize {
        // One byte more than fits, so that a message that is too long is seen, and passed over, before the memory ends.
        self.longest.saturating_add(usize::from(CR) + 1)
    }

    /// Inlined, so that a message that is here as a whole takes no more than the search for its end.
    #[inline]
    pub(super) fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let Some((message, length)) = Self::find(received, self.searched) else {
            return self.not_yet(received);
        };
        if !self.fits(message) {
            return self.end(message, length);
        }
        self.searched = 0;
        Ok(Decoded::Message { body: 0..message, length })
    }

    /// The length of a message that [`decode`](Self::decode) would find, without its ending and with it.
    #[inline]
    pub(super) fn whole(&self, received: &[u8]) -> Option<(usize, usize)> {
        Self::find(received, 0).filter(|(message, _)| self.fits(*message))
    }

    /// How long the message is that ends in `received`, behind what was searched, without its ending and with it.
    #[inline]
    fn find(received: &[u8], searched: usize) -> Option<(usize, usize)> {
        let unseen = received.get(searched..).unwrap_or_default();
        let end = searched + sys::memory::find(BYTE, unseen)?;
        Some((Self::without_ending(&received[..end]), end + 1))
    }

    /// Whether this is a message, and not the end of one that was too long.
    fn fits(&self, message: usize) -> bool {
        !self.skips && message <= self.longest
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
    pub(super) fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        match self.decode(received)? {
            Decoded::Incomplete => self.end(received.len(), received.len()),
            decoded => Ok(decoded),
        }
    }

    /// A packet is one message, whatever is in it, and may lack its delimiter too.
    pub(super) fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        let message = match packet.strip_suffix(&[BYTE]) {
            Some(message) => &packet[..Self::without_ending(message)],
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
    fn without_ending(message: &[u8]) -> usize {
        message.len() - usize::from(CR && message.last() == Some(&b'\r'))
    }

    fn check(&self, message: usize, length: usize) -> Result<(), FrameError> {
        if message > self.longest { Err(self.too_long().passing_over(length)) } else { Ok(()) }
    }

    fn too_long(&self) -> FrameError {
        FrameError::new(format!("the line is longer than {} bytes (`max_line`)", self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_what_would_be_decoded() {
        let received = [&b"ab\r\nc"[..], b"\n", b"\r\n", b"abcd\r\n", b"abcde\n", b"abcdef", b"ab", b"ab\r"];
        for (received, is_whole) in received.into_iter().zip([true, true, true, true, false, false, false, false]) {
            let mut search = Search::<b'\n', true>::new(4);
            let whole = search.whole(received).map(|(message, length)| Decoded::Message { body: 0..message, length });
            assert_eq!(whole.is_some(), is_whole, "{received:?}");
            if let Some(whole) = whole {
                assert_eq!(search.decode(received).unwrap(), whole);
            }
        }
    }

    #[test]
    fn the_end_of_what_was_too_long_is_not_whole() {
        let mut search = Search::<b'\n', true>::new(4);
        search.decode(b"abcdef").unwrap_err();
        assert_eq!(search.whole(b"gh\nij\n"), None);
        assert_eq!(search.decode(b"gh\nij\n").unwrap(), Decoded::Skip(3));
        assert_eq!(search.whole(b"ij\n"), Some((2, 3)));
    }
}
