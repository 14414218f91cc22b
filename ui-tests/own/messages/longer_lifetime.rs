#![allow(unused)] // 6 mistakes

use socketserver::{OneOrMore, Rest, handler, socket_server};

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
    fn all(&self, keys: Vec<&'static str>) {}

    #[command]
    fn some(&self, key: Option<&'a [u8]>) {}

    #[command]
    fn pairs(&self, pairs: OneOrMore<(u8, &'static str)>) {}

    #[command]
    fn rest<'m>(&self, first: Option<&'m str>, numbers: Option<u8>, rest: Rest<'a>) -> Option<&'m str> {
        first
    }

    #[command]
    fn echo<'m>(&self, key: &'m str) -> &'m str {
        key
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
