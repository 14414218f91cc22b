//! UDP over IPv4 and IPv6.

use std::io;

use super::listener::Listener;
use super::{DatagramTransport, InternetTransport, Transport, datagram};
use crate::request::Datagram;

/// Packets over UDP, IPv4 or IPv6 by the address given. CPython: `UDPServer`.
///
/// A server that is bound to every address (`0.0.0.0`, `[::]`) answers from the address that a packet came to, on Linux
/// and Android; elsewhere from the one that the system chooses.
///
/// ```
/// use socketserver::{Transport, Udp};
/// assert_eq!(Udp::NAME, "udp");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Udp;

impl Transport for Udp {
    type Request = Datagram;

    const NAME: &'static str = "udp";

    fn get_request(listener: &Listener) -> io::Result<Datagram> {
        datagram::receive(listener)
    }
}

impl DatagramTransport for Udp {}
impl InternetTransport for Udp {}
