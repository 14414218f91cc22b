#![allow(unused)] // 2 errors: no macro can know whose handler it was to be

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler]
impl Session {
    fn handle(&mut self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
