//! Errors of accept(2) and recv(2): which pass by themselves, which want patience, and which are the end.

use std::io;
use std::time::Duration;

/// What an error means for the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It concerns one connection, or one moment: try again at once.
    Passing,
    /// The system is out of something: try again after a pause.
    Exhausted,
    /// The listener is gone.
    Final,
}

impl Severity {
    /// accept(2): "Error handling" lists what a server should treat like `EAGAIN`, `EOPNOTSUPP` among it.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Self::Exhausted,
            // On Apple's systems it is what setsockopt(2) says of a connection that was reset before it was accepted.
            Some(libc::EINVAL) if cfg!(target_vendor = "apple") => Self::Passing,
            Some(libc::EBADF | libc::EINVAL | libc::ENOTSOCK | libc::EFAULT) => Self::Final,
            // Those of one connection, and whatever a network or a firewall may come up with.
            _ => Self::Passing,
        }
    }
}

/// The pauses while the system is out of something: from 5 ms, doubled each time, to 1 s.
#[derive(Debug)]
pub(crate) struct BackOff {
    next: Duration,
}

impl BackOff {
    const FIRST: Duration = Duration::from_millis(5);
    const LONGEST: Duration = Duration::from_secs(1);
    /// An error that ought to pass and does not must not spin.
    const PASSING_IN_A_ROW: u32 = 16;

    pub(crate) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        pause
    }
}

/// The errors since the last request: what to do about the next one.
#[derive(Debug)]
pub(crate) struct Errors {
    passing: u32,
    back_off: BackOff,
}

impl Default for Errors {
    fn default() -> Self {
        Self::none()
    }
}

impl Errors {
    pub(crate) fn none() -> Self {
        Self { passing: 0, back_off: BackOff::new() }
    }

    /// How long to pause after `error`; `None`: the listener is gone.
    pub(crate) fn pause_after(&mut self, error: &io::Error) -> Option<Duration> {
        match Severity::of(error) {
            Severity::Final => None,
            Severity::Exhausted => Some(self.back_off.pause()),
            Severity::Passing => {
                self.passing += 1;
                Some(if self.passing % BackOff::PASSING_IN_A_ROW == 0 { self.back_off.pause() } else { Duration::ZERO })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second() {
        let mut back_off = BackOff::new();
        let pauses: Vec<_> = (0..10).map(|_| back_off.pause().as_millis()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    }

    #[test]
    fn every_errno_has_its_severity() {
        let of = |errno| Severity::of(&io::Error::from_raw_os_error(errno));
        for errno in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert_eq!(of(errno), Severity::Exhausted);
        }
        for errno in [libc::EBADF, libc::ENOTSOCK, libc::EFAULT] {
            assert_eq!(of(errno), Severity::Final);
        }
        for errno in [libc::ECONNABORTED, libc::EINTR, libc::EPERM, libc::EPROTO, libc::ENETDOWN, libc::EOPNOTSUPP] {
            assert_eq!(of(errno), Severity::Passing);
        }
    }

    #[test]
    fn an_error_that_does_not_pass_does_not_spin() {
        let mut errors = Errors::none();
        let aborted = io::Error::from_raw_os_error(libc::ECONNABORTED);
        let pauses: Duration = (0..160).map(|_| errors.pause_after(&aborted).unwrap()).sum();
        assert!(pauses >= Duration::from_secs(1));
    }
}
