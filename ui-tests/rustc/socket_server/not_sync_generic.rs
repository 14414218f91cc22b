#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp, threading)]
struct Server<T> {
    last: *const T,
}

#[handler]
impl<T: Send + 'static> Server<T> {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server { last: &5_u8 }.bind("127.0.0.1:0")?.serve_forever()
}
