#![allow(unused)]

use socketserver::{handler, socket_server};
use std::error::Error;

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    fn get(&self, key: &str) -> Result<String, Box<dyn Error>> {
        Ok(key.to_owned())
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
