#![allow(unused)]

use socketserver::{Writer, handler, socket_server};

#[socket_server(udp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn handle(&mut self) {}
    fn finish(&mut self, output: &Writer) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
