#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Other;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    #[command]
    fn get(&self, server: &Other) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
