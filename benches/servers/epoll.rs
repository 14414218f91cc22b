//! A floor: one thread, epoll and bare system calls.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::{Job, serves, unsupported};
use crate::sys::{self, Epoll};

pub(super) fn serve(job: Job, path: &Path) -> io::Result<()> {
    let listener: OwnedFd = match job {
        Job::Short | Job::Lines => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            serves(listener.local_addr()?)?;
            listener.into()
        }
        Job::UnixShort | Job::UnixLines => {
            let listener = UnixListener::bind(path)?;
            listener.set_nonblocking(true)?;
            serves(path.display())?;
            listener.into()
        }
        job => return Err(unsupported(job)),
    };
    run(&listener, matches!(job, Job::Short | Job::UnixShort))
}

fn run(listener: &OwnedFd, closes: bool) -> io::Result<()> {
    let mut epoll = Epoll::new()?;
    let mut connections = HashMap::new();
    let mut buffer = [0; 8_192];
    let mut ready = Vec::new();
    epoll.add(listener.as_fd(), 0, Epoll::READABLE)?;
    loop {
        ready.clear();
        ready.extend(epoll.wait(None)?);
        for &token in &ready {
            if token == 0 {
                if let Ok(connection) = sys::accept(listener.as_fd(), libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) {
                    let token = usize::try_from(connection.as_raw_fd()).expect("a descriptor");
                    epoll.add(connection.as_fd(), token, Epoll::READABLE)?;
                    connections.insert(token, connection);
                }
                continue;
            }
            let Some(connection) = connections.get(&token) else { continue };
            let length = sys::receive(connection.as_fd(), &mut buffer).unwrap_or(0);
            // Byte by byte in upper case, it need not know where a line ends.
            buffer[..length].make_ascii_uppercase();
            if length == 0 || sys::send(connection.as_fd(), &buffer[..length]).is_err() || closes {
                connections.remove(&token);
            }
        }
    }
}
