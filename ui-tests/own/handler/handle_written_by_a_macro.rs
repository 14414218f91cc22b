#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

macro_rules! handle {
    () => {
        fn handle(&self) {}
    };
}

#[handler]
impl Server {
    handle!();
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
