#![allow(unused)] // 2 mistakes

use socketserver::{Reader, Writer, handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Session<'a> {
    input: &'a mut Reader,
}

#[handler(Server)]
impl<'a> Session<'a> {
    fn setup(input: &'a mut Reader) -> Self {
        Self { input }
    }

    fn handle(&mut self, output: &'static mut Writer) {}

    fn finish<'b>(&'b self, output: &'b mut Writer) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
