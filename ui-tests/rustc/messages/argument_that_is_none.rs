#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Key;

#[handler]
impl Server {
    #[command]
    fn get(&self, key: Key) {}

    #[command]
    fn set(&self, key: String, value: &mut Key) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
