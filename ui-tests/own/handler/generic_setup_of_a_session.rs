#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn setup<T: Default>() -> Self {
        Self
    }

    fn handle(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
