#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn set_up(&mut self) {}
    fn handle(&mut self) {}
    fn tear_down(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
