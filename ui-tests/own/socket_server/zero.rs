#![allow(unused)] // 5 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, threading, max_threads = 0, max_line = 0, read_buffer = (0x0), write_buffer = 0)]
struct Threads;

#[socket_server(udp, forking, max_children = 0usize, max_packet_size = 0)]
struct Children;

#[handler]
impl Threads {
    fn handle(&self) {}
}

#[handler]
impl Children {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Threads.bind("127.0.0.1:0")?.serve_forever()?;
    Children.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
