#![allow(unused)]

use socketserver::{Connection, FromRequest, Tcp, handler, socket_server};

struct Line;

impl FromRequest<Tcp> for Line {
    type Error = std::io::Error;

    fn from_request(_: &mut Connection) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

#[socket_server(udp)]
struct Server;

#[handler]
impl Server {
    fn handle(&self, line: Line) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
