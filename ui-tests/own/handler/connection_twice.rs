#![allow(unused)]

use socketserver::{Connection, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, one: &mut Connection, other: &mut Connection) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
