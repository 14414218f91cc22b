//! Packets, from a socket for each client.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use socket2::{SockAddr, Socket, Type};

use super::{Client, Exchange};
use crate::sys::{self, Epoll};

pub(super) struct Packets {
    socket: Socket,
    exchange: Exchange,
    /// The server's queue had room for it.
    sent: bool,
    /// One was sent again, so that an old reply may come.
    repeated: bool,
}

impl Packets {
    /// A Unix-domain client is bound to a path in `place`, or it could not be answered.
    pub(super) fn new(address: &SockAddr, number: usize, place: &Path) -> io::Result<Self> {
        let socket = Socket::new(address.domain(), Type::DGRAM.nonblocking(), None)?;
        if address.is_unix() {
            socket.bind(&SockAddr::unix(place.join(format!("client-{number}")))?)?;
        }
        socket.connect(address)?;
        Ok(Self { socket, exchange: Exchange::of_bytes(number, 32), sent: false, repeated: false })
    }

    fn send(&mut self, epoll: &Epoll, token: usize) -> io::Result<()> {
        let before = self.sent;
        self.try_send()?;
        if self.sent != before {
            let interest = if self.sent { Epoll::READABLE } else { Epoll::WRITABLE };
            epoll.modify(self.socket.as_fd(), token, interest)?;
        }
        Ok(())
    }

    fn try_send(&mut self) -> io::Result<()> {
        self.sent = match sys::send(self.socket.as_fd(), self.exchange.request()) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

impl Client for Packets {
    fn begin(&mut self, epoll: &Epoll, token: usize) -> io::Result<()> {
        epoll.add(self.socket.as_fd(), token, Epoll::WRITABLE)?;
        self.send(epoll, token)
    }

    fn advance(&mut self, epoll: &Epoll, token: usize) -> io::Result<u64> {
        if !self.sent {
            self.send(epoll, token)?;
            return Ok(0);
        }
        match sys::receive(self.socket.as_fd(), self.exchange.room()) {
            Ok(_) if self.repeated && !self.exchange.discard() => return Ok(0),
            Ok(length) => {
                if !self.exchange.received(length)? {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is cut"));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        }
        self.exchange.next();
        self.send(epoll, token)?;
        Ok(1)
    }

    fn nudge(&mut self) -> io::Result<()> {
        if self.sent {
            self.repeated = true;
            self.try_send()?;
            // The reply, if not the room to send again, wakes it.
            self.sent = true;
        }
        Ok(())
    }
}
