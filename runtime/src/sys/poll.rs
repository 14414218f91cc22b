//! `poll(2)`: waiting for several descriptors at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// One descriptor to wait for, and whether it turned out to be ready.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest(libc::pollfd);

impl Interest {
    pub(crate) fn readable(descriptor: BorrowedFd<'_>) -> Self {
        Self(libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 })
    }

    pub(crate) fn writable(descriptor: BorrowedFd<'_>) -> Self {
        Self(libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLOUT, revents: 0 })
    }

    /// Takes no part in the wait: `poll(2)` passes over a negative descriptor.
    pub(crate) fn nothing() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    /// Readable or writable, closed or broken: in each case the next call on it does not block.
    pub(crate) fn is_ready(self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until one of `interests` is ready or `deadline` has passed; `false`: it has passed.
///
/// Goes on after an interruption by a signal (`EINTR`) with the time that is left.
pub(crate) fn poll(interests: &mut [Interest], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let ready = poll_once(interests, milliseconds(deadline));
        if ready > 0 {
            return Ok(true);
        }
        if ready < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(false);
        }
    }
}

/// Whether a descriptor is readable now.
pub(crate) fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    poll_once(&mut [Interest::readable(descriptor)], 0) > 0
}

fn poll_once(interests: &mut [Interest], milliseconds: libc::c_int) -> libc::c_int {
    let count = libc::nfds_t::try_from(interests.len()).expect("fewer descriptors than nfds_t can count");
    // SAFETY: `Interest` is a transparent `pollfd`, and `count` of them are borrowed for the call.
    unsafe { libc::poll(interests.as_mut_ptr().cast(), count, milliseconds) }
}

/// When a wait of so long is over; `None`: never, as where the clock does not reach so far.
pub(crate) fn deadline(wait: Option<Duration>) -> Option<Instant> {
    wait.and_then(|wait| Instant::now().checked_add(wait))
}

/// Rounded up, so that a wait never ends early and spins through its last millisecond.
fn milliseconds(deadline: Option<Instant>) -> libc::c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    let rounded = left.saturating_add(Duration::from_micros(999)).as_millis();
    libc::c_int::try_from(rounded).unwrap_or(libc::c_int::MAX)
}

// Miri does not make these system calls.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn tells_which_descriptor_is_ready() {
        let (mut near, far) = UnixStream::pair().unwrap();
        near.write_all(b"x").unwrap();
        let mut interests = [Interest::readable(near.as_fd()), Interest::nothing(), Interest::readable(far.as_fd())];
        assert!(poll(&mut interests, None).unwrap());
        assert_eq!(interests.map(Interest::is_ready), [false, false, true]);
    }

    #[test]
    fn ends_at_the_deadline() {
        let (near, _far) = UnixStream::pair().unwrap();
        let deadline = Instant::now() + Duration::from_millis(3);
        assert!(!poll(&mut [Interest::readable(near.as_fd())], Some(deadline)).unwrap());
        assert!(Instant::now() >= deadline);
    }
}
