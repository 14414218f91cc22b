#![allow(unused)]

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct NotAnError;

#[handler]
impl Server {
    #[command]
    fn get(&self) -> Result<String, NotAnError> {
        Err(NotAnError)
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
