#![allow(unused)]

use socketserver::{Connection, handler, socket_server};

#[socket_server(udp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self, connection: &mut Connection) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
