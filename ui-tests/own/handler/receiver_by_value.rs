#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn setup(self) {}
    fn handle(mut self) {}
    fn finish(self: Box<Self>) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
