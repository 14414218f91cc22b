//! Unix-domain sockets of streams.

use std::io;

use super::listener::Listener;
use super::{StreamTransport, Transport, UnixTransport, stream};
use crate::request::Connection;

/// Connections over a Unix-domain socket, at a path or under a name of the abstract namespace: see
/// [`Endpoint`](crate::Endpoint). CPython: `UnixStreamServer`.
///
/// ```
/// use socketserver::{Transport, UnixStream};
/// assert_eq!(UnixStream::NAME, "unix_stream");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UnixStream;

impl Transport for UnixStream {
    type Request = Connection;

    const NAME: &'static str = "unix_stream";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        stream::accept(listener)
    }
}

impl StreamTransport for UnixStream {}
impl UnixTransport for UnixStream {}
