#![allow(unused)] // 3 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn setup(&self) {}

    #[command]
    fn handle(&self) {}

    #[on_error]
    fn finish(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
