#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, backlog = UNKNOWN, max_line = { let size = 5; size.lines() })]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
