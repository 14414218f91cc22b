#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server<T>(T);

#[handler]
impl Server<T> {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server(5).bind("127.0.0.1:0")?.serve_forever()
}
