#![allow(unused)]

use socketserver::{Reader, Writer, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, input: &mut Reader output: &mut Writer) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
