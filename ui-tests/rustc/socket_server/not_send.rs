#![allow(unused)] // 2 errors: `Send` is one trait, `Sync` another

use socketserver::{Reader, handler, socket_server};
use std::rc::Rc;

#[socket_server(tcp, forking)]
struct Server {
    greeting: Rc<str>,
}

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    fn handle(&mut self, server: &Server, input: &mut Reader) {}
}

fn main() -> std::io::Result<()> {
    Server { greeting: "hello".into() }.bind("127.0.0.1:0")?.serve_forever()
}
