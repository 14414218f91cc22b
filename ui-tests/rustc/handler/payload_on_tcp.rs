#![allow(unused)] // 2 mistakes

use socketserver::{Datagram, handler, socket_server};

#[socket_server(tcp, threading)]
struct Server;

#[handler]
impl Server {
    fn setup(&self, packet: &[u8]) {}
    fn handle(&self, packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
