#![allow(unused)]

use socketserver::{LengthPrefixed, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler(frame = LengthPrefixed)]
impl Server {
    #[message]
    fn echo(&self, message: &[u8]) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
