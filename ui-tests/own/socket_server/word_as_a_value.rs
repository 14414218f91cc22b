#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(transport = tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
