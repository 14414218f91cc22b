//! A floor: accept, receive, send, close, as a loop in C has it; and one loop that receives and sends packets.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use super::{Job, SHORT, serves, unsupported};
use crate::sys;

pub(super) fn serve(job: Job, path: &Path) -> io::Result<()> {
    match job {
        Job::Short | Job::Lines => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            serves(listener.local_addr()?)?;
            accept(&listener.into(), job == Job::Short)
        }
        Job::UnixShort | Job::UnixLines => {
            let listener = UnixListener::bind(path)?;
            serves(path.display())?;
            accept(&listener.into(), job == Job::UnixShort)
        }
        Job::Blocking => Err(unsupported(job)),
        Job::Packets => {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            serves(socket.local_addr()?)?;
            let mut packet = [0; 2_048];
            loop {
                let (length, peer) = socket.recv_from(&mut packet)?;
                packet[..length].make_ascii_uppercase();
                // The client may have gone.
                let _ = socket.send_to(&packet[..length], peer);
            }
        }
        Job::UnixPackets => {
            let socket = UnixDatagram::bind(path)?;
            serves(path.display())?;
            let mut packet = [0; 2_048];
            loop {
                let (length, peer) = socket.recv_from(&mut packet)?;
                packet[..length].make_ascii_uppercase();
                let _ = socket.send_to_addr(&packet[..length], &peer);
            }
        }
    }
}

fn accept(listener: &OwnedFd, short: bool) -> io::Result<()> {
    let mut buffer = [0; 8_192];
    let room = if short { SHORT } else { buffer.len() };
    loop {
        let connection = sys::accept(listener.as_fd(), libc::SOCK_CLOEXEC)?;
        loop {
            let length = sys::receive(connection.as_fd(), &mut buffer[..room]).unwrap_or(0);
            buffer[..length].make_ascii_uppercase();
            if length == 0 || sys::send(connection.as_fd(), &buffer[..length]).is_err() || short {
                break;
            }
        }
    }
}
