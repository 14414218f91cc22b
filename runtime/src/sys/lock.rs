//! `flock(2)`: one process at a time.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Takes the lock of an open file, if nobody has it; it lasts until the file is closed.
pub(crate) fn try_lock(file: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open, and flock(2) touches no memory.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
