#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp, crate = nowhere)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() {}
