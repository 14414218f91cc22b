#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.builder().max_threads(4).bind("127.0.0.1:0")?.serve_forever()
}
