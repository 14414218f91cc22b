#![allow(unused)]

use socketserver::{Line, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler(frame = Line::new())]
impl Server {
    #[message]
    fn echo(&self, line: &str) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
