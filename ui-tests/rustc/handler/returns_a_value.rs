#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, threading)]
struct Server;

#[handler]
impl Server {
    fn setup(&self) -> Result<u8, std::io::Error> {
        Ok(1)
    }

    fn handle(&self) -> String {
        String::new()
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
