//! What is asked, and whether the reply is right.

use std::io;

/// A request, or several in flight, each of other bytes, and as much of the reply as is there.
///
/// Every server answers with the same bytes in upper case.
pub(crate) struct Exchange {
    request: Vec<u8>,
    /// Of each request in it.
    size: usize,
    is_line: bool,
    sequence: u64,
    reply: Vec<u8>,
    received: usize,
}

impl Exchange {
    /// `size` bytes without an end of their own.
    pub(crate) fn of_bytes(client: usize, size: usize) -> Self {
        Self::new(client, size, 1, false)
    }

    /// `count` lines of `size` bytes each, the line ending included.
    pub(crate) fn of_lines(client: usize, size: usize, count: usize) -> Self {
        Self::new(client, size, count, true)
    }

    fn new(client: usize, size: usize, count: usize, is_line: bool) -> Self {
        let length = size * count;
        let mut exchange = Self {
            request: vec![0; length],
            size,
            is_line,
            sequence: (client as u64) << 32,
            reply: vec![0; length],
            received: 0,
        };
        exchange.next();
        exchange
    }

    pub(crate) fn request(&self) -> &[u8] {
        &self.request
    }

    /// How many replies it awaits.
    pub(crate) fn count(&self) -> u64 {
        (self.request.len() / self.size) as u64
    }

    /// Where the rest of the reply belongs.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.reply[self.received..]
    }

    /// Takes note of `length` more bytes of the reply; whether it is complete.
    pub(crate) fn received(&mut self, length: usize) -> io::Result<bool> {
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the reply has ended early"));
        }
        self.received += length;
        if self.received < self.reply.len() {
            return Ok(false);
        }
        if !self.is_right() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is wrong"));
        }
        Ok(true)
    }

    fn is_right(&self) -> bool {
        self.reply.iter().zip(&self.request).all(|(reply, request)| *reply == request.to_ascii_uppercase())
    }

    /// Forgets the reply so far; whether it was right.
    pub(crate) fn discard(&mut self) -> bool {
        self.received = 0;
        self.is_right()
    }

    /// Makes the next request.
    pub(crate) fn next(&mut self) {
        self.received = 0;
        for request in self.request.chunks_exact_mut(self.size) {
            self.sequence += 1;
            let mut digits = self.sequence;
            for byte in request.iter_mut() {
                *byte = b'a' + (digits & 15) as u8;
                digits = digits.rotate_right(4);
            }
            if self.is_line {
                request[self.size - 1] = b'\n';
            }
        }
    }
}
