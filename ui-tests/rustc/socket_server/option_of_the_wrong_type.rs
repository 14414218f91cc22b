#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(udp, max_packet_size = "8k", reuse_port = 1)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
