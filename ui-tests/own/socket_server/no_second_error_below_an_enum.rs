#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
#[derive(Clone, Copy)]
enum Server {
    Only,
}

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server::Only.bind("127.0.0.1:0")?.serve_forever()
}
