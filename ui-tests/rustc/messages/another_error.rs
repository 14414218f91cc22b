#![allow(unused)]

use socketserver::{handler, socket_server};
use std::io;

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self, number: usize) {}

    #[on_error]
    fn explain(&self, error: &io::Error) -> String {
        error.to_string()
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
