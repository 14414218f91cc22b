#![allow(unused)]

use socketserver::{CommandName, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[message]
    fn line(&self, line: &str, name: CommandName) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
