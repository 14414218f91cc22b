#![allow(unused)] // 2 errors: both impls need a handler

use socketserver::{Hooks, socket_server};

#[socket_server(tcp, hooks)]
struct Server;

impl Hooks for Server {
    fn handle_timeout(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
