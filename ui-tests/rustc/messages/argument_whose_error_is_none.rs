#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Key;

impl std::str::FromStr for Key {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        Err(())
    }
}

#[handler]
impl Server {
    #[command]
    fn get(&self, key: Key) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
