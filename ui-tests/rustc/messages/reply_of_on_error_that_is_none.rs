#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Value;

#[handler]
impl Server {
    #[command]
    fn get(&self) {}

    #[otherwise]
    fn unknown(&self) -> Value {
        Value
    }

    #[on_error]
    fn refused(&self) -> Result<Value, String> {
        Ok(Value)
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
