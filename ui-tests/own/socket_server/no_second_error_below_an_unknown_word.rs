#![allow(unused)]

use socketserver::{Datagram, handler, socket_server};

#[socket_server(quic)]
struct Server<T>(T);

#[handler]
impl<T: Send + Sync + 'static> Server<T> {
    #[message]
    fn answer(&self, payload: &[u8], packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Server(5).bind("127.0.0.1:0")?.serve_forever()
}
