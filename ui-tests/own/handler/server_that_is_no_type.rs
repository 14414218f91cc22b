#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Quoted;

#[socket_server(tcp)]
struct Borrowed;

#[derive(Default)]
struct Session;

#[derive(Default)]
struct Other;

#[handler("Quoted")]
impl Session {
    fn handle(&mut self, server: &Quoted) {}
}

#[handler(&Borrowed)]
impl Other {
    fn handle(&mut self, server: &Borrowed) {}
}

fn main() -> std::io::Result<()> {
    Quoted.bind("127.0.0.1:0")?.serve_forever()?;
    Borrowed.bind("127.0.0.1:0")?.serve_forever()
}
