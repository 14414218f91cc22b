#![allow(unused)]

use socketserver::{Hooks, handler, socket_server};

#[socket_server(tcp)]
struct Server;

impl Hooks for Server {
    fn handle_timeout(&self) {}
}

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
