#![allow(unused)]

use socketserver::{Reader, Writer, handler};

struct Server;
struct Session;

#[handler(Server)]
impl Session {
    fn setup(server: &Server, output: &mut Writer) -> Self {
        Self
    }

    fn handle(&mut self, input: &mut Reader) {}
}

fn main() {}
