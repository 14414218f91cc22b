#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Value;

#[handler]
impl Server {
    #[command]
    fn get(&self) -> Value {
        Value
    }

    #[command]
    fn all(&self) -> Option<Vec<Value>> {
        None
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
