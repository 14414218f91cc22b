#![allow(unused)] // 2 errors: rustc drops an impl whose trait it does not find

use socketserver::{handler, socket_server};

#[socket_server(tcp, crate = nowhere)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
