//! TCP over IPv4 and IPv6.

use std::io;

use super::listener::Listener;
use super::{InternetTransport, StreamTransport, Transport, stream};
use crate::request::Connection;

/// Connections over TCP, IPv4 or IPv6 by the address given. CPython: `TCPServer`.
///
/// ```
/// use socketserver::{Tcp, Transport};
/// assert_eq!(Tcp::NAME, "tcp");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tcp;

impl Transport for Tcp {
    type Request = Connection;

    const NAME: &'static str = "tcp";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        stream::accept(listener)
    }
}

impl StreamTransport for Tcp {}
impl InternetTransport for Tcp {}
