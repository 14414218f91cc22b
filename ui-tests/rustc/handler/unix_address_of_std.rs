#![allow(unused)]

use socketserver::{handler, socket_server};
use std::os::unix::net::SocketAddr;

#[socket_server(unix_stream)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, peer: SocketAddr) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
