#![allow(unused)] // 2 errors: both impls need it

use socketserver::{Hooks, handler, socket_server};
use std::cell::Cell;

#[socket_server(tcp, threading, hooks)]
#[derive(Default)]
struct Server {
    count: Cell<u32>,
}

impl Hooks for Server {}

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server::default().bind("127.0.0.1:0")?.serve_forever()
}
