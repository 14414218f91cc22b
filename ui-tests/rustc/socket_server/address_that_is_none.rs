#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind(9999)?.serve_forever()
}
