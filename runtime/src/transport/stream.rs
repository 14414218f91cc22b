//! What the two transports of connections share: listening and accepting.

use std::io;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::endpoint::set_internet_options;
use super::listener::Listener;
use crate::address::Address;
use crate::options::Options;
use crate::request::Connection;

/// A socket with everything set that has to be before it is bound.
pub(super) fn internet_socket(address: &SockAddr, options: &Options) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::STREAM, Some(Protocol::TCP))?;
    set_internet_options(&socket, address, options, options.reuse_address.unwrap_or(true))?;
    Ok(socket)
}

pub(super) fn unix_socket() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM, None)
}

pub(super) fn listen(socket: &Socket, options: &Options) -> io::Result<()> {
    // listen(2) silently lowers it to `net.core.somaxconn`.
    let backlog = options.backlog.and_then(|backlog| i32::try_from(backlog).ok());
    socket.listen(backlog.unwrap_or(i32::MAX))
}

/// Has the connections inherit `TCP_NODELAY`, which saves a system call for each. See tcp(7); Linux only.
pub(super) fn set_nodelay(listener: &Socket, options: &Options) -> io::Result<()> {
    if cfg!(target_os = "linux") { listener.set_tcp_nodelay(options.nodelay) } else { Ok(()) }
}

pub(super) fn accept(listener: &Listener) -> io::Result<Connection> {
    let (socket, peer) = listener.socket().accept()?;
    let settings = listener.settings();
    if cfg!(not(target_os = "linux")) {
        // BSD hands the listener's O_NONBLOCK on to the accepted socket.
        socket.set_nonblocking(false)?;
    }
    if !listener.hands_on_nodelay() {
        socket.set_tcp_nodelay(settings.nodelay)?;
    }
    Connection::new(socket, Address::from_sock_addr(&peer), settings)
}
