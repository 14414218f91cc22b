#![allow(unused)]

use socketserver::{Datagram, Hooks, handler, socket_server};

#[socket_server(threading, hooks)]
struct Server;

impl Hooks for Server {
    fn verify_request(&self, request: &Datagram) -> bool {
        !request.payload().is_empty()
    }
}

#[handler]
impl Server {
    fn setup(&self, payload: &[u8]) {}
    fn handle(&self, packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
