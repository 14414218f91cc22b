#![allow(unused)] // 3 mistakes

use socketserver::{Hooks, handler, socket_server};

#[socket_server(tcp = 9999, threading(4), hooks = true)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

impl Hooks for Server {}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
