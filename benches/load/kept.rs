//! Connections that stay, and carry one request after another.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

use super::{Client, Exchange};
use crate::sys::{self, Epoll};

pub(super) struct Kept {
    socket: Socket,
    exchange: Exchange,
}

impl Kept {
    pub(super) fn new(address: &SockAddr, number: usize, in_flight: usize) -> io::Result<Self> {
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        socket.connect(address)?;
        if address.is_ipv4() {
            socket.set_tcp_nodelay(true)?;
            // It ends by a reset: so many ports in TIME-WAIT would leave none for what is measured next.
            socket.set_linger(Some(Duration::ZERO))?;
        }
        socket.set_nonblocking(true)?;
        Ok(Self { socket, exchange: Exchange::of_lines(number, 64, in_flight) })
    }

    /// All that is in flight fits the socket's buffer: the replies to what was there before have been read.
    fn send(&self) -> io::Result<()> {
        let sent = sys::send(self.socket.as_fd(), self.exchange.request())?;
        if sent == self.exchange.request().len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

impl Client for Kept {
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
