#![allow(unused)]

use socketserver::{handler, socket_server};
use std::error::Error;

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
