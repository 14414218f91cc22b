#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(upd, threadign, max_threads = 0)]
struct Server;

#[handler]
impl Server {
    fn setup(&self, packet: &mut socketserver::Datagram) {}
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
