#![allow(unused)]

use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self, input: &mut Reader, more: &mut Reader) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
