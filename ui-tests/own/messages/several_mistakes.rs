#![allow(unused)] // 5 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self, key: &str) {}

    #[command("get")]
    async fn fetch(&self) {}

    #[message]
    fn line() {}

    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
