#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn setup(&self) -> impl Sized {}
    fn handle(&self, output: &mut impl std::io::Write) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
