#![allow(unused)]

use socketserver::{Writer, handler, socket_server};
use std::io::{self, Write};

#[socket_server(tcp, threading)]
struct Server<'a>(&'a str);

#[handler]
impl Server<'_> {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        output.write_all(self.0.as_bytes())
    }
}

fn main() -> io::Result<()> {
    let greeting = String::from("hello");
    Server(&greeting).bind("127.0.0.1:0")?.serve_forever()
}
