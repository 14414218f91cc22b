#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self) {}

    #[otherwise]
    fn unknown(&self) {}

    #[otherwise]
    fn other(&self) {}

    #[on_error]
    fn refused(&self) {}

    #[on_error]
    fn failed(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
