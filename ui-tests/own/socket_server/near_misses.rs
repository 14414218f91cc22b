#![allow(unused)] // 5 mistakes

use socketserver::{handler, socket_server};

#[socket_server(TCP, threads, request_queue_size = 5)]
struct Server;

#[socket_server(UDPServer, ThreadingMixIn)]
struct Other;

#[handler]
impl Server {
    fn handle(&self) {}
}

#[handler]
impl Other {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()?;
    Other.bind("127.0.0.1:0")?.serve_forever()
}
