#![no_implicit_prelude]
#![deny(warnings)]

use ::socketserver::{Reader, handler, socket_server};

#[socket_server(tcp, forking, max_children = 4)]
struct Server;

struct Session;

#[handler(Server)]
impl Session {
    fn setup(_server: &Server) -> ::std::io::Result<Self> {
        ::std::result::Result::Ok(Self)
    }

    fn handle(&mut self, input: &mut Reader) -> ::std::io::Result<()> {
        while let ::std::option::Option::Some(_line) = input.next_line()? {}
        ::std::result::Result::Ok(())
    }

    fn finish(&mut self) {}
}

fn main() {
    let _builder = Server.builder();
}
