//! What comes before a connection is closed: reading what the handler has left unread.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::phase::Phase;
use crate::sys;
use crate::sys::poll::{Interest, poll};

/// Reads and drops the unread input of a socket whose output is ended. If there was any, it goes on until the peer has
/// closed its side, with `patience`, and up to 1 MiB; a shutdown that cuts ends it.
// Beside a child's handler: see `sys/child.rs`.
#[inline(always)]
pub(super) fn drain(socket: BorrowedFd<'_>, phase: &Phase, patience: Option<Duration>) {
    const MOST: usize = 1 << 20;

    let mut buffer = [0; 512];
    let mut drained = 0;
    let mut deadline = None;
    while drained < MOST && !phase.is_cutting() {
        match sys::stream::receive_arrived(socket, &mut buffer) {
            Some(length @ 1..) => drained += length,
            // If nothing was unread, nothing resets the connection.
            None if drained > 0 && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock => {
                let Some(patience) = patience else { return };
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
                if !poll(&mut [Interest::readable(socket)], Some(deadline)).unwrap_or(false) {
                    return;
                }
            }
            Some(0) | None => return,
        }
    }
}
