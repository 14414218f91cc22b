#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(udp, backlog = 5, read_timeout = None, write_buffer = 0)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
