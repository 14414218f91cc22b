#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn setUp(&mut self) {}
    fn on_handle(&mut self) {}
    fn tearDown(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
