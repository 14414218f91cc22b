//! Floors: a bare loop that forks for each connection or packet, and one that does beside it what a server has to.

use std::io::{self, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::{Job, SHORT, serves, unsupported};
use crate::sys;

/// In a stack frame of its own, as ours.
#[inline(never)]
pub(super) fn serve(job: Job, _: &Path, duties: bool) -> io::Result<()> {
    let mut parent = Parent { duties, children: Vec::new(), entries: Vec::new() };
    match job {
        Job::Short => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            serves(listener.local_addr()?)?;
            loop {
                parent.wait(listener.as_fd())?;
                let connection = sys::accept(listener.as_fd(), libc::SOCK_CLOEXEC)?;
                parent.fork(Some(listener.as_fd()), || {
                    let mut request = [0; SHORT];
                    let length = sys::receive(connection.as_fd(), &mut request).unwrap_or(0);
                    request.make_ascii_uppercase();
                    let _ = sys::send(connection.as_fd(), &request[..length]);
                    sys::end(connection.as_fd());
                })?;
            }
        }
        Job::Packets => {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            serves(socket.local_addr()?)?;
            let mut packet = [0; 2_048];
            loop {
                parent.wait(socket.as_fd())?;
                let (length, peer) = socket.recv_from(&mut packet)?;
                parent.fork(None, || {
                    packet[..length].make_ascii_uppercase();
                    let _ = socket.send_to(&packet[..length], peer);
                })?;
            }
        }
        job => Err(unsupported(job)),
    }
}

/// The duties: it sees at once that a child has ended, and waits for that one only; a child has signals of its own before
/// one can come, gives up the listener, and loses nothing of the standard output.
struct Parent {
    duties: bool,
    children: Vec<(i32, OwnedFd)>,
    entries: Vec<libc::pollfd>,
}

impl Parent {
    /// Waits for the next request.
    fn wait(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        if !self.duties {
            return Ok(());
        }
        loop {
            let exits = self.children.iter().map(|(_, exit)| exit.as_fd());
            self.entries.clear();
            self.entries.extend([socket].into_iter().chain(exits).map(sys::readable));
            sys::poll(&mut self.entries)?;
            let mut ready = self.entries.iter().map(|entry| entry.revents != 0);
            let has_request = ready.next() == Some(true);
            self.children.retain(|(pid, _)| ready.next() != Some(true) || !sys::wait_for(*pid));
            if has_request {
                return Ok(());
            }
        }
    }

    fn fork(&mut self, inherited: Option<BorrowedFd<'_>>, life: impl FnOnce()) -> io::Result<()> {
        if !self.duties {
            if sys::fork()?.is_none() {
                life();
                sys::exit();
            }
            sys::reap();
            return Ok(());
        }
        io::stdout().flush()?;
        let signals = sys::block_signals();
        let child = sys::fork()?;
        if child.is_none() {
            sys::end_on_signals();
        }
        sys::unblock_signals(&signals);
        match child {
            None => {
                inherited.map(sys::close);
                life();
                let _ = io::stdout().flush();
                sys::exit();
            }
            Some(pid) => self.children.push((pid, sys::exit_of(pid)?)),
        }
        Ok(())
    }
}
