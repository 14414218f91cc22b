//! How long a connection waits for its peer: in one read, in one write, and in the whole of its request.

use std::io;
use std::time::{Duration, Instant};

use socket2::Socket;

use crate::sys::poll;
use crate::transport::RequestSettings;

#[derive(Debug, Default)]
pub(super) struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
    deadline: Option<Instant>,
}

impl Timeouts {
    /// Those of a request that begins now.
    pub(super) fn begin(socket: &Socket, settings: &RequestSettings) -> io::Result<Self> {
        let RequestSettings { read_timeout: read, write_timeout: write, request_deadline, .. } = *settings;
        let deadline = poll::deadline(request_deadline);
        // With a deadline both are set anew before each wait.
        if deadline.is_none() && read.is_some() {
            socket.set_read_timeout(read)?;
        }
        if deadline.is_none() && write.is_some() {
            socket.set_write_timeout(write)?;
        }
        Ok(Self { read, write, deadline })
    }

    /// Before a read may wait.
    pub(super) fn limit_read(&self, socket: &Socket) -> io::Result<()> {
        self.limit(|timeout| socket.set_read_timeout(timeout), self.read)
    }

    /// Before a write may wait.
    pub(super) fn limit_write(&self, socket: &Socket) -> io::Result<()> {
        self.limit(|timeout| socket.set_write_timeout(timeout), self.write)
    }

    /// Until when a read that begins now may wait.
    pub(super) fn read_ends(&self) -> Option<Instant> {
        self.end_of(self.read)
    }

    /// Until when a write that begins now may wait.
    pub(super) fn write_ends(&self) -> Option<Instant> {
        self.end_of(self.write)
    }

    /// What the error of a read was, if it was a timeout.
    pub(super) fn explain_read(&self, error: io::Error) -> io::Error {
        self.explain(error, "nothing was received", "read_timeout", self.read)
    }

    /// What the error of a write was, if it was a timeout.
    pub(super) fn explain_write(&self, error: io::Error) -> io::Error {
        self.explain(error, "the peer takes nothing", "write_timeout", self.write)
    }

    /// Sets the timeout of the next wait to what is left of the whole request, if that is less.
    fn limit(&self, set: impl FnOnce(Option<Duration>) -> io::Result<()>, timeout: Option<Duration>) -> io::Result<()> {
        match self.deadline {
            Some(deadline) => limit_to(deadline, set, timeout),
            None => Ok(()),
        }
    }

    fn end_of(&self, timeout: Option<Duration>) -> Option<Instant> {
        [poll::deadline(timeout), self.deadline].into_iter().flatten().min()
    }

    /// A timeout set on a socket shows as `EAGAIN`, which says neither what nor why.
    fn explain(&self, error: io::Error, what: &str, option: &str, timeout: Option<Duration>) -> io::Error {
        if error.kind() != io::ErrorKind::WouldBlock {
            return error;
        }
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return deadline_passed();
        }
        match timeout {
            Some(timeout) => io::Error::new(io::ErrorKind::TimedOut, format!("{what} for {timeout:?} (`{option}`)")),
            None if self.deadline.is_some() => deadline_passed(),
            // The handler has set it, or made the socket non-blocking.
            None => error,
        }
    }
}

#[cold]
fn limit_to(
    deadline: Instant,
    set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(deadline_passed());
    }
    // Less than a microsecond would be 0, which to the kernel is for ever.
    let left = left.max(Duration::from_millis(1));
    set(Some(timeout.map_or(left, |timeout| timeout.min(left))))
}

fn deadline_passed() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the request took longer than its `request_deadline`")
}
