#![allow(unused)] // 2 mistakes

use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp, threading)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, input: &mut Reader) -> std::io::Result<()> {
        let length: usize = input.next_line()?;
        input.next_lime()
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
