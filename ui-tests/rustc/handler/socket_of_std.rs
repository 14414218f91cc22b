#![allow(unused)]

use socketserver::{handler, socket_server};
use std::net::TcpStream;

#[socket_server(tcp, forking)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, stream: &mut TcpStream) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
