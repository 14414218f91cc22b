#![allow(unused)] // 2 errors: rustc too says that there are two

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn bind(&self, name: &str) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
