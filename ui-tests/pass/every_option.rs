//! Every option of every composition, once.

#![deny(warnings)]

use socketserver::{handler, socket_server};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[socket_server(
    tcp,
    timeout = MINUTE,
    service_interval = Some(MINUTE),
    drain_timeout = None,
    max_line = 1 << 10,
    max_message = 1 << 20,
    backlog = 128,
    read_timeout = MINUTE,
    write_timeout = MINUTE * 2,
    request_deadline = if cfg!(test) { None } else { Some(MINUTE) },
    read_buffer = 4096,
    write_buffer = 0,
    reuse_address = true,
    reuse_port = false,
    only_v6 = true,
    nodelay = !true,
)]
struct Tcp;

#[socket_server(
    udp,
    threading,
    timeout = None,
    max_line = 80,
    max_message = 4_096,
    reuse_address = false,
    reuse_port = true,
    only_v6 = false,
    max_packet_size = usize::from(u16::MAX),
    max_threads = std::thread::available_parallelism().map_or(4, |cores| cores.get() * 2),
    stack_size = 256 * 1024,
    daemon_threads = true,
    block_on_close = false
)]
struct Udp;

#[socket_server(
    forking,
    unix_stream,
    backlog = 1,
    read_timeout = None,
    write_timeout = None,
    request_deadline = MINUTE,
    read_buffer = 1,
    write_buffer = 1,
    socket_mode = 0o660,
    max_children = 1,
    block_on_close = true
)]
struct UnixStream;

#[socket_server(unix_datagram, iterative, max_packet_size = 1, socket_mode = 0, hooks)]
struct UnixDatagram;

impl socketserver::Hooks for UnixDatagram {
    fn service_actions(&self) {}
}

macro_rules! handlers {
    ($($server:ident)*) => {
        $(
            #[handler]
            impl $server {
                fn handle(&self) {}
            }
        )*
    };
}

handlers!(Tcp Udp UnixStream UnixDatagram);

fn main() {
    assert_eq!((Tcp::TRANSPORT, Tcp::MIX_IN), ("tcp", "iterative"));
    assert_eq!((Udp::TRANSPORT, Udp::MIX_IN), ("udp", "threading"));
    assert_eq!((UnixStream::TRANSPORT, UnixStream::MIX_IN), ("unix_stream", "forking"));
    assert_eq!((UnixDatagram::TRANSPORT, UnixDatagram::MIX_IN), ("unix_datagram", "iterative"));
    drop((Tcp.builder(), Udp.builder(), UnixStream.builder(), UnixDatagram.builder()));
}
