//! `recv(2)` and `send(2)` with flags, of initialized memory, which `std` and `socket2` do not offer together.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The program may have SIGPIPE at its default, which would end it.
#[cfg(not(target_vendor = "apple"))]
pub(super) const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
/// `socket2` sets SO_NOSIGPIPE where there was no such flag for long.
#[cfg(target_vendor = "apple")]
pub(super) const NO_SIGNAL: libc::c_int = 0;

/// Receives what there is, as recv(2).
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
    // SAFETY: the pointer is to a live buffer of the length beside it.
    uninterrupted(|| unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) })
}

/// Sends as much as there is room for, as send(2).
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer is to live bytes, as many as are said.
    uninterrupted(|| unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), NO_SIGNAL) })
}

/// Goes on after an interruption by a signal (`EINTR`).
fn uninterrupted(mut call: impl FnMut() -> libc::ssize_t) -> io::Result<usize> {
    loop {
        match usize::try_from(call()) {
            Ok(length) => return Ok(length),
            Err(_) => pass_over_interruption()?,
        }
    }
}

#[cold]
fn pass_over_interruption() -> io::Result<()> {
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::EINTR) { Ok(()) } else { Err(error) }
}
