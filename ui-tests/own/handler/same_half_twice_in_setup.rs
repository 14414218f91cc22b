#![allow(unused)]

use socketserver::{Writer, handler, socket_server};

#[socket_server(udp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn setup(output: &mut Writer, again: &mut Writer) -> Self {
        Self
    }

    fn handle(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
