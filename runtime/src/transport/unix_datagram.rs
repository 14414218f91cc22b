//! Unix-domain sockets of packets.

use std::io;

use super::listener::Listener;
use super::{DatagramTransport, Transport, UnixTransport, datagram};
use crate::request::Datagram;

/// Packets over a Unix-domain socket, at a path or under a name of the abstract namespace: see
/// [`Endpoint`](crate::Endpoint). CPython: `UnixDatagramServer`.
///
/// A peer that wants an answer has to bind a name of its own; one that has none is
/// [`Address::Unnamed`](crate::Address::Unnamed), which is an error only when it is answered.
///
/// ```
/// use socketserver::{Transport, UnixDatagram};
/// assert_eq!(UnixDatagram::NAME, "unix_datagram");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnixDatagram;

impl Transport for UnixDatagram {
    type Request = Datagram;

    const NAME: &'static str = "unix_datagram";

    fn get_request(listener: &Listener) -> io::Result<Datagram> {
        datagram::receive(listener)
    }
}

impl DatagramTransport for UnixDatagram {}
impl UnixTransport for UnixDatagram {}
