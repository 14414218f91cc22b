#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, timeout = 5, service_interval = "1s", drain_timeout = Some(30))]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
