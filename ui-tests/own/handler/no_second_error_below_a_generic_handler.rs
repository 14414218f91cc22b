#![allow(unused)]

use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp)]
struct Server<S: Default + Send + Sync + 'static>(S);

struct Session<S>(S);

#[handler(Server<S>)]
impl<S: Default + Send + Sync + 'static> Session<S> {
    fn handle(&mut self, input: &mut Reader, again: &mut Reader) {}
}

fn main() -> std::io::Result<()> {
    Server(0_u8).bind("127.0.0.1:0")?.serve_forever()
}
