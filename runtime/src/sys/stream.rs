//! `recv(2)` and `send(2)` with flags, of initialized memory, which `std` and `socket2` do not offer together.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

use super::poll::{Interest, poll};

/// The program may have SIGPIPE at its default, which would end it.
#[cfg(not(target_vendor = "apple"))]
pub(super) const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
/// `socket2` sets SO_NOSIGPIPE where there was no such flag for long.
#[cfg(target_vendor = "apple")]
pub(super) const NO_SIGNAL: libc::c_int = 0;

/// Receives what there is, as recv(2); after an interruption by a signal, until `patience` ends.
#[inline]
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: libc::c_int,
    patience: impl FnOnce() -> Option<Instant>,
) -> io::Result<usize> {
    match usize::try_from(receive_once(socket, buffer, flags)) {
        Ok(length) => Ok(length),
        Err(_) => go_on(Interest::readable(socket), patience, move |now| receive_once(socket, buffer, flags | now)),
    }
}

/// Receives what has arrived. `None`: errno tells why there is nothing, by code that a forked child would have to map
/// just to be told.
#[inline]
pub(crate) fn receive_arrived(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Option<usize> {
    usize::try_from(receive_once(socket, buffer, libc::MSG_DONTWAIT)).ok()
}

#[inline]
fn receive_once(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: libc::c_int) -> libc::ssize_t {
    // SAFETY: the pointer is to a live buffer of the length beside it.
    unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) }
}

/// Sends as much as there is room for, as send(2); after an interruption by a signal, until `patience` ends.
#[inline]
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    patience: impl FnOnce() -> Option<Instant>,
) -> io::Result<usize> {
    match usize::try_from(send_once(socket, bytes, 0)) {
        Ok(length) => Ok(length),
        Err(_) => go_on(Interest::writable(socket), patience, move |now| send_once(socket, bytes, now)),
    }
}

#[inline]
fn send_once(socket: BorrowedFd<'_>, bytes: &[u8], flags: libc::c_int) -> libc::ssize_t {
    // SAFETY: the pointer is to live bytes, as many as are said.
    unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), NO_SIGNAL | flags) }
}

/// Goes on after an interruption (`EINTR`). A call on a socket with a timeout would wait for the whole of it again,
/// signal(7), and for ever where signals come more often than that: so the wait is poll(2)'s, as CPython does it
/// (PEP 475). The time before the first signal is not known and not counted.
#[cold]
fn go_on(
    interest: Interest,
    patience: impl FnOnce() -> Option<Instant>,
    mut call: impl FnMut(libc::c_int) -> libc::ssize_t,
) -> io::Result<usize> {
    let error = io::Error::last_os_error();
    if error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    let deadline = patience();
    loop {
        let now = match deadline {
            None => 0,
            Some(_) if poll(&mut [interest], deadline)? => libc::MSG_DONTWAIT,
            Some(_) => return Err(io::ErrorKind::WouldBlock.into()),
        };
        if let Ok(length) = usize::try_from(call(now)) {
            return Ok(length);
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => {}
            // What was ready is gone again.
            error if error.kind() == io::ErrorKind::WouldBlock && deadline.is_some() => {}
            error => return Err(error),
        }
    }
}
