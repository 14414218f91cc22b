//! What was received and not yet read: a buffer, and where more comes from.

use std::any::type_name_of_val;
use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::datagram::Exchange;
use super::stream::Stream;
use crate::protocol::{Decoded, Frame, FrameError, KEPT_ROOM, check_decoded, is_sound};

pub(super) struct Input {
    source: Source,
    buffer: Vec<u8>,
    /// `buffer[start..end]` is received and not yet read.
    start: usize,
    end: usize,
    /// What the buffer may grow to, while no message needs more.
    read_buffer: usize,
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

#[expect(clippy::inline_always, reason = "as in `Stream`")]
impl Input {
    pub(super) fn of_stream(stream: Arc<Stream>, buffer: Vec<u8>, read_buffer: usize) -> Self {
        Self { source: Source::Stream(stream), buffer, start: 0, end: 0, read_buffer, failed: false }
    }

    pub(super) fn of_packet(packet: Arc<Exchange>, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        let source = Source::Packet(Some(packet));
        Self { source, buffer, start: 0, end: 0, read_buffer: 0, failed: false }
    }

    pub(super) fn furnish(&mut self) {
        if self.buffer.is_empty() {
            self.make_room();
        }
    }

    /// The buffer, unless a long message has blown it up. A packet's is empty: how long that was says nothing of the
    /// room that a connection needs.
    pub(super) fn into_buffer(mut self) -> Vec<u8> {
        if self.is_packet() {
            self.buffer.clear();
        }
        if self.buffer.len() <= self.read_buffer { self.buffer } else { Vec::new() }
    }

    pub(super) fn is_packet(&self) -> bool {
        matches!(self.source, Source::Packet(_))
    }

    /// The packet, if nothing of it has been read.
    pub(super) fn take_packet(&mut self) -> Option<Arc<Exchange>> {
        match &mut self.source {
            Source::Packet(packet) => packet.take(),
            Source::Stream(_) => None,
        }
    }

    /// Keeps a packet that was taken, as read.
    pub(super) fn keep(&mut self, payload: &[u8]) -> &[u8] {
        self.buffer.extend_from_slice(payload);
        &self.buffer
    }

    /// All that is in the buffer: what [`next`](Self::next) found is a part of it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether all that was received has been read.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// What is waiting, after receiving if that is nothing; empty at the end of the input.
    #[inline(always)]
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.is_empty() {
            self.make_room();
            self.receive(false)?;
        }
        Ok(self.waiting())
    }

    /// What is waiting, of which `length` bytes, no more than there are, are read thereby.
    pub(super) fn read(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start += length;
        &self.buffer[start..self.end]
    }

    pub(super) fn consume(&mut self, amount: usize) {
        self.start = self.start.saturating_add(amount).min(self.end);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Where the next message is, which is read thereby; `None` at the end of the input.
    pub(super) fn next(&mut self, frame: &mut impl Frame) -> io::Result<Option<Range<usize>>> {
        let longest = frame.max_length();
        loop {
            if self.fill()?.is_empty() {
                return Ok(None);
            }
            match frame.decode(self.waiting()) {
                Ok(Decoded::Message { body, length }) if self.has(&body, length, longest) => {
                    return Ok(Some(self.take(body, length)));
                }
                found => {
                    let is_incomplete = self.pass(found, longest, type_name_of_val(frame))?;
                    if is_incomplete && self.receive_more(longest)? == 0 {
                        return self.next_at_end(frame, longest);
                    }
                }
            }
        }
    }

    /// The same where nothing more will come.
    #[cold]
    fn next_at_end(&mut self, frame: &mut impl Frame, longest: usize) -> io::Result<Option<Range<usize>>> {
        while !self.is_empty() {
            match frame.decode_last(self.waiting()) {
                Ok(Decoded::Message { body, length }) if self.has(&body, length, longest) => {
                    return Ok(Some(self.take(body, length)));
                }
                Ok(Decoded::Incomplete) => return Err(self.give_up("the input ends within a message")),
                found => {
                    self.pass(found, longest, type_name_of_val(frame))?;
                }
            }
        }
        Ok(None)
    }

    /// Whether a message is there, and as long as it may be, however it came: in one piece as in many.
    fn has(&self, body: &Range<usize>, length: usize, longest: usize) -> bool {
        is_sound(body, length, self.waiting().len()) && length <= longest
    }

    /// Where the body of a message is in [`bytes`](Self::bytes), which is read thereby, `length` bytes in all.
    fn take(&mut self, body: Range<usize>, length: usize) -> Range<usize> {
        let start = self.start;
        self.start += length;
        start + body.start..start + body.end
    }

    /// Passes over what is no message, or is none that it may be; whether it is the beginning of one.
    #[cold]
    fn pass(&mut self, found: Result<Decoded, FrameError>, longest: usize, frame: &str) -> io::Result<bool> {
        let received = self.waiting().len();
        if let Err(why) = check_decoded(&found, received) {
            self.start = self.end;
            return Err(io::Error::other(format!("the frame `{frame}` is wrong: {why}")));
        }
        match found {
            Ok(Decoded::Skip(length)) => {
                self.consume(length);
                self.owes_nothing();
                Ok(false)
            }
            Ok(Decoded::Incomplete) if received < longest => Ok(true),
            Ok(Decoded::Message { .. } | Decoded::Incomplete) => Err(self.too_much(longest)),
            Err(error) => {
                // Behind a final one nothing can be read any more.
                self.consume(error.passes_over().unwrap_or(usize::MAX));
                Err(error.into())
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

    /// Receives into `buffer` itself, if nothing is waiting that would come first: a long read needs no copy.
    #[inline]
    pub(super) fn read_past_buffer(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match &self.source {
            Source::Stream(stream) if self.is_empty() && buffer.len() >= self.read_buffer => {
                Some(stream.receive(buffer, false).inspect_err(|_| self.failed = true))
            }
            _ => None,
        }
    }

    /// Receives behind what is waiting, where the buffer may grow to `longest` bytes; 0 at the end of the input.
    #[cold]
    fn receive_more(&mut self, longest: usize) -> io::Result<usize> {
        if self.end == self.buffer.len() && !self.is_packet() {
            self.compact(longest);
        }
        self.receive(true)
    }

    #[inline(always)]
    fn receive(&mut self, amid_request: bool) -> io::Result<usize> {
        let received = match &mut self.source {
            Source::Stream(stream) => {
                stream.receive(&mut self.buffer[self.end..], amid_request).inspect_err(|_| self.failed = true)?
            }
            Source::Packet(packet) => receive_packet(packet.take(), &mut self.buffer),
        };
        self.end += received;
        Ok(received)
    }

    /// Makes room where nothing is waiting. A buffer that was filled grows to `read_buffer`; what a long message took
    /// is given back.
    #[inline]
    fn make_room(&mut self) {
        if self.end == self.buffer.len() || self.buffer.len() > KEPT_ROOM {
            self.resize();
        }
        self.start = 0;
        self.end = 0;
    }

    #[cold]
    fn resize(&mut self) {
        let was_filled = self.end == self.buffer.len();
        if self.buffer.len() > self.read_buffer.max(KEPT_ROOM) {
            self.buffer.truncate(self.read_buffer);
            self.buffer.shrink_to_fit();
        } else if was_filled && self.buffer.len() < self.read_buffer {
            self.grow((self.buffer.len() * 2).max(FIRST_ROOM).min(self.read_buffer));
        }
    }

    /// Makes room behind what is waiting; where that needs a longer buffer, one of no more than `longest` bytes.
    fn compact(&mut self, longest: usize) {
        self.buffer.copy_within(self.start.., 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.grow((self.end * 2).min(longest.max(self.end + 1)));
        }
    }

    fn grow(&mut self, length: usize) {
        self.buffer.reserve_exact(length - self.buffer.len());
        self.buffer.resize(length, 0);
    }
}

#[cold]
fn receive_packet(packet: Option<Arc<Exchange>>, buffer: &mut Vec<u8>) -> usize {
    packet.map_or(0, |packet| {
        buffer.extend_from_slice(packet.payload());
        packet.payload().len()
    })
}

#[cfg(test)]
impl Input {
    /// Nothing but these bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let source = Source::Packet(None);
        Self { source, buffer: bytes.to_vec(), start: 0, end: bytes.len(), read_buffer: 0, failed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_filled_grows() {
        let mut input = Input { read_buffer: 5_000, ..Input::of_bytes(b"") };
        let rooms: Vec<usize> = std::iter::repeat_with(|| {
            input.make_room();
            input.end = input.buffer.len();
            input.start = input.end;
            input.end
        })
        .take(5)
        .collect();
        assert_eq!(rooms, [1_024, 2_048, 4_096, 5_000, 5_000]);
        input.start = input.end - 1;
        input.compact(11);
        assert_eq!((input.start, input.end, input.buffer.len()), (0, 1, 5_000));
    }
}
