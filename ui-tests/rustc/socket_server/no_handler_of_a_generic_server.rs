#![allow(unused)]

use socketserver::socket_server;

#[socket_server(tcp, threading)]
struct Server<S>(S);

fn main() -> std::io::Result<()> {
    Server(5).bind("127.0.0.1:0")?.serve_forever()
}
