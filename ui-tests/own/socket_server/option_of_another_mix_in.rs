#![allow(unused)] // 4 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, daemon_threads = true, block_on_close = false)]
struct Iterative;

#[socket_server(udp, threading, max_children = 4)]
struct Threading;

#[socket_server(unix_datagram, forking, max_threads = 4)]
struct Forking;

#[handler]
impl Iterative {
    fn handle(&self) {}
}

#[handler]
impl Threading {
    fn handle(&self) {}
}

#[handler]
impl Forking {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Iterative.bind("127.0.0.1:0")?.serve_forever()?;
    Threading.bind("127.0.0.1:0")?.serve_forever()?;
    Forking.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
