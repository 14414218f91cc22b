//! A floor: a bare loop that forks for each connection or packet.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::path::Path;

use super::{Job, SHORT, serves, unsupported};
use crate::sys;

/// In a stack frame of its own, as ours.
#[inline(never)]
pub(super) fn serve(job: Job, _: &Path) -> io::Result<()> {
    match job {
        Job::Short => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            serves(listener.local_addr()?)?;
            loop {
                let connection = sys::accept(listener.as_fd(), libc::SOCK_CLOEXEC)?;
                if sys::fork()?.is_none() {
                    let mut request = [0; SHORT];
                    let length = sys::receive(connection.as_fd(), &mut request).unwrap_or(0);
                    request.make_ascii_uppercase();
                    let _ = sys::send(connection.as_fd(), &request[..length]);
                    sys::end(connection.as_fd());
                    sys::exit();
                }
                sys::reap();
            }
        }
        Job::Packets => {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            serves(socket.local_addr()?)?;
            let mut packet = [0; 2_048];
            loop {
                let (length, peer) = socket.recv_from(&mut packet)?;
                if sys::fork()?.is_none() {
                    packet[..length].make_ascii_uppercase();
                    let _ = socket.send_to(&packet[..length], peer);
                    sys::exit();
                }
                sys::reap();
            }
        }
        job => Err(unsupported(job)),
    }
}
