#![allow(unused)] // 2 mistakes

use socketserver::{Datagram, handler, socket_server};
use std::path::Path;

#[socket_server(threading)]
struct Local;

#[handler]
impl Local {
    fn handle(&self) {}
}

#[socket_server(max_packet_size = 512)]
struct Packets;

#[handler]
impl Packets {
    fn handle(&self, packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Local.bind(Path::new("/tmp/socket"))?.serve_forever()?;
    Packets.bind("127.0.0.1:0")?.serve_forever()
}
