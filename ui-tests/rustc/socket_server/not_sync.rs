#![allow(unused)]

use socketserver::{handler, socket_server};
use std::cell::Cell;

#[socket_server(tcp, threading)]
#[derive(Default)]
struct Server {
    count: Cell<u32>,
}

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server::default().bind("127.0.0.1:0")?.serve_forever()
}
