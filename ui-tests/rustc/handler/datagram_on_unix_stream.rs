#![allow(unused)]

use socketserver::{Datagram, handler, socket_server};

#[socket_server(unix_stream, threading)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
