//! Connections that stay, and carry one request after another.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

use super::{Client, Exchange};
use crate::sys::{self, Epoll};

/// How long a server may take to serve a connection for the first time.
const LONGEST_START: Duration = Duration::from_secs(10);

pub(super) struct Kept {
    socket: Socket,
    exchange: Exchange,
}

impl Kept {
    /// The server has taken the connection, and answered on it once: one that starts a thread for each is slow to take
    /// the others as soon as the first keep it busy.
    pub(super) fn new(address: &SockAddr, number: usize, in_flight: usize) -> io::Result<Self> {
        let mut kept = Self { socket: connect(address)?, exchange: Exchange::of_lines(number, 64, in_flight) };
        kept.socket.set_read_timeout(Some(LONGEST_START))?;
        kept.send()?;
        while {
            let length = sys::receive(kept.socket.as_fd(), kept.exchange.room())?;
            !kept.exchange.received(length)?
        } {}
        kept.exchange.next();
        kept.socket.set_nonblocking(true)?;
        Ok(kept)
    }

    /// All that is in flight fits the socket's buffer: the replies to what was there before have been read.
    fn send(&self) -> io::Result<()> {
        let sent = sys::send(self.socket.as_fd(), self.exchange.request())?;
        if sent == self.exchange.request().len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

/// A connection, on which nothing was sent yet.
pub(super) fn connect(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    socket.connect(address)?;
    if address.is_ipv4() {
        socket.set_tcp_nodelay(true)?;
        // It ends by a reset: so many ports in TIME-WAIT would leave none for what is measured next.
        socket.set_linger(Some(Duration::ZERO))?;
    }
    Ok(socket)
}

impl Client for Kept {
    /// In the first tenths of a second a line costs threads less than later, and differs more from one process to the
    /// next.
    const WARM_UP: Duration = Duration::from_secs(1);

    fn begin(&mut self, epoll: &Epoll, token: usize) -> io::Result<()> {
        epoll.add(self.socket.as_fd(), token, Epoll::READABLE)?;
        self.send()
    }

    fn advance(&mut self, _: &Epoll, _: usize) -> io::Result<u64> {
        match sys::receive(self.socket.as_fd(), self.exchange.room()) {
            Ok(length) => {
                if !self.exchange.received(length)? {
                    return Ok(0);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        }
        self.exchange.next();
        self.send()?;
        Ok(self.exchange.count())
    }
}
