//! What wakes those who look after a server.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The two bells of one process, and after them those of a process that the program has forked from it, which are the
/// ones that count there: a bell that two processes hear wakes the wrong one.
pub(crate) struct Bells {
    /// Rung for whoever looks after the server: about a shutdown, or the end of a request.
    pub(crate) look: Bell,
    /// Readable for ever, once a shutdown has begun.
    pub(crate) closing: Bell,
    next: OnceLock<Box<Bells>>,
}

impl Bells {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { look: Bell::new()?, closing: Bell::new()?, next: OnceLock::new() })
    }

    /// Those that count in this process.
    pub(crate) fn last(&self) -> &Self {
        let mut bells = self;
        while let Some(next) = bells.next.get() {
            bells = next;
        }
        bells
    }

    /// From now on `next` are those that count.
    pub(crate) fn hand_over_to(&self, next: Self) {
        // Only the process that begins to serve does it, and once.
        let _ = self.last().next.set(Box::new(next));
    }
}

/// Wakes a thread that waits in poll(2): a pair of sockets, because a signal handler may write to one.
pub(crate) struct Bell {
    near: UnixStream,
    far: UnixStream,
    /// Somebody was told to look, and has not yet.
    is_rung: AtomicBool,
}

impl Bell {
    /// There is something to look at.
    const LOOK: u8 = b'l';
    /// A shutdown is asked for, by a child or a signal handler, which cannot do more than ring.
    pub(crate) const SHUTDOWN: u8 = b's';

    pub(crate) fn new() -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        Ok(Self { near, far, is_rung: AtomicBool::new(false) })
    }

    /// Has whoever waits look. More than one letter would say no more, and take the room of those that do.
    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, SeqCst) {
            self.write(Self::LOOK);
        }
    }

    pub(crate) fn write(&self, letter: u8) {
        // It fails only when there are shutdowns enough to be read.
        let _ = (&self.far).write(&[letter]);
    }

    /// How many times a shutdown was asked for since the last answer.
    pub(crate) fn answer(&self) -> usize {
        let mut letters = [0; 64];
        let mut shutdowns = 0;
        while let Ok(length @ 1..) = (&self.near).read(&mut letters) {
            shutdowns += letters[..length].iter().map(|letter| usize::from(*letter == Self::SHUTDOWN)).sum::<usize>();
        }
        // Last: who rang without a letter did so before, and is looked for now; who rings from now on writes another.
        self.is_rung.store(false, SeqCst);
        shutdowns
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.near.as_fd()
    }
}

// Miri does not make these system calls.
#[cfg(all(test, not(miri)))]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::sys::poll::{Interest, poll};

    #[test]
    fn who_waits_hears_of_the_last_ring() {
        const RINGERS: u64 = 4;
        const RINGS: u64 = 20_000;

        let (bell, happened) = (Bell::new().unwrap(), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..RINGERS {
                scope.spawn(|| {
                    for _ in 0..RINGS {
                        happened.fetch_add(1, SeqCst);
                        bell.ring();
                    }
                });
            }
            while happened.load(SeqCst) < RINGERS * RINGS {
                let patience = Instant::now() + Duration::from_secs(20);
                assert!(poll(&mut [Interest::readable(bell.as_fd())], Some(patience)).unwrap());
                bell.answer();
            }
        });
    }

    #[test]
    fn a_shutdown_is_heard_however_often_the_bell_was_rung() {
        let bell = Bell::new().unwrap();
        let is_rung = || poll(&mut [Interest::readable(bell.as_fd())], Some(Instant::now())).unwrap();
        for _ in 0..2 {
            assert!(!is_rung());
            for _ in 0..100_000 {
                bell.ring();
            }
            bell.write(Bell::SHUTDOWN);
            assert!(is_rung());
            assert_eq!(bell.answer(), 1);
        }
    }
}
