#![allow(unused)] // 4 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[comand]
    fn get(&self) {}

    #[on_message]
    fn message(&self) {}

    #[onerror]
    fn refused(&self) {}

    #[fallback]
    fn unknown(&self) {}

    #[command]
    fn set(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
