#![allow(unused)] // 4 mistakes

use socketserver::{handler, socket_server};

#[socket_server(threadign, max_threads = 0, max_line, udp, backlog = 1, tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
