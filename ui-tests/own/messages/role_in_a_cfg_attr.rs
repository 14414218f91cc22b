#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[cfg_attr(unix, command("get"))]
    fn get(&self) {}

    #[cfg_attr(not(unix), inline, otherwise)]
    fn unknown(&self) {}

    #[cfg_attr(unix, inline)]
    fn helper(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
