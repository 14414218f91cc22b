#![allow(unused)]

use socketserver::{handler, socket_server};
use std::net::SocketAddr;

#[socket_server(unix_stream)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, peer: SocketAddr) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("/tmp/socket")?.serve_forever()
}
