#![allow(unused)] // 3 mistakes

use socketserver::{Hooks, handler, socket_server};

#[socket_server(tcp, backlog = 1, backlog = 2)]
struct Option;

#[socket_server(tcp, tcp, hooks, hooks)]
struct Words;

#[handler]
impl Option {
    fn handle(&self) {}
}

#[handler]
impl Words {
    fn handle(&self) {}
}

impl Hooks for Words {}

fn main() -> std::io::Result<()> {
    Option.bind("127.0.0.1:0")?.serve_forever()?;
    Words.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
