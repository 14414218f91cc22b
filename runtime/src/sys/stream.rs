//! `recv(2)` with flags, into initialized memory, which `std` and `socket2` do not offer together.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Receives what there is, as recv(2); goes on after an interruption by a signal (`EINTR`).
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
    loop {
        // SAFETY: the pointer is to a live buffer of the length beside it.
        let received = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
        if let Ok(received) = usize::try_from(received) {
            return Ok(received);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
