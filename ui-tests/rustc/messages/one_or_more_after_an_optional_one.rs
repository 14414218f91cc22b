#![allow(unused)]

use socketserver::{OneOrMore, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn del(&self, by: Option<u8>, keys: OneOrMore<String>) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
