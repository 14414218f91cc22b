//! What the two transports of packets share: receiving.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::endpoint::set_internet_options;
use super::listener::Listener;
use crate::options::Options;
use crate::request::Datagram;
use crate::sys;

thread_local! {
    /// Room for the longest packet, once for each thread: most packets are short, and clearing 64 KiB for each would
    /// cost more than receiving it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A socket with everything set that has to be before it is bound.
pub(super) fn internet_socket(address: &SockAddr, options: &Options) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::DGRAM, Some(Protocol::UDP))?;
    // Two UDP sockets with SO_REUSEADDR share a port, and only the later one is sent anything.
    set_internet_options(&socket, address, options, options.reuse_address.unwrap_or(false))?;
    Ok(socket)
}

pub(super) fn unix_socket() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::DGRAM, None)
}

pub(super) fn receive(listener: &Listener) -> io::Result<Datagram> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(listener.settings().max_packet_size, 0);
        let received = sys::datagram::receive(listener.socket().as_fd(), buffer, listener.tells_destination())?;
        Ok(Datagram::new(&buffer[..received.length], received, listener))
    })
}
