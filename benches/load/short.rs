//! Connections of one request each.

use std::io;
use std::os::fd::AsFd;

use socket2::{SockAddr, Socket, Type};

use super::{Client, Exchange};
use crate::sys::{self, Epoll};

pub(super) struct Short {
    address: SockAddr,
    exchange: Exchange,
    socket: Option<Socket>,
    sent: bool,
}

impl Short {
    pub(super) fn new(address: &SockAddr, number: usize) -> Self {
        Self { address: address.clone(), exchange: Exchange::of_bytes(number, 16), socket: None, sent: false }
    }
}

impl Client for Short {
    fn begin(&mut self, epoll: &Epoll, token: usize) -> io::Result<()> {
        let socket = Socket::new(self.address.domain(), Type::STREAM.nonblocking(), None)?;
        match socket.connect(&self.address) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            // On loopback it is connected already, unless the server's queue is full.
            _ => {}
        }
        self.sent = send(&socket, &self.exchange)?;
        let interest = if self.sent { Epoll::READABLE } else { Epoll::WRITABLE };
        epoll.add(socket.as_fd(), token, interest)?;
        self.socket = Some(socket);
        Ok(())
    }

    fn advance(&mut self, epoll: &Epoll, token: usize) -> io::Result<u64> {
        let Some(socket) = &self.socket else { return Ok(0) };
        if !self.sent {
            self.sent = send(socket, &self.exchange)?;
            if self.sent {
                epoll.modify(socket.as_fd(), token, Epoll::READABLE)?;
            }
            return Ok(0);
        }
        match sys::receive(socket.as_fd(), self.exchange.room()) {
            Ok(length) => {
                if !self.exchange.received(length)? {
                    return Ok(0);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        }
        self.socket = None;
        self.exchange.next();
        self.begin(epoll, token)?;
        Ok(1)
    }
}

/// Whether it could be sent; a request fits every socket's buffer.
fn send(socket: &Socket, exchange: &Exchange) -> io::Result<bool> {
    match sys::send(socket.as_fd(), exchange.request()) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
