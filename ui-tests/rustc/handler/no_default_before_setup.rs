#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp, threading)]
struct Server;

struct Session {
    nick: String,
}

#[handler(Server)]
impl Session {
    fn setup(&mut self) {}
    fn handle(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
