#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session<'a> {
    last: &'a str,
}

#[handler(Server)]
impl<'a> Session<'a> {
    #[command]
    fn set(&mut self, key: &'a str) {
        self.last = key;
    }

    #[command]
    fn get(&self, key: &'static [u8]) {}

    #[command]
    fn echo<'m>(&self, key: &'m str) -> &'m str {
        key
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
