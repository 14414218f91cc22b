#![allow(unused)]

use socketserver::{OneOrMore, handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Value;

#[handler]
impl Server {
    #[command]
    fn set(&self, pairs: OneOrMore<(String, Value)>) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
