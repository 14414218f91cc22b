#![allow(unused)]

use socketserver::socket_server;

#[socket_server(tcp, threading)]
struct Server;

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
