#![allow(unused)]

use socketserver::{CommandError, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self) {}

    #[on_error]
    fn refused(&self, error: &CommandError, line: &str) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
