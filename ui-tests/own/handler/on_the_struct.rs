#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
#[handler]
struct Below;

#[handler]
#[socket_server(udp)]
struct Above<S: Send + Sync + 'static>(S);

fn main() -> std::io::Result<()> {
    Below.bind("127.0.0.1:0")?.serve_forever()?;
    Above(5).bind("127.0.0.1:0")?.serve_forever()
}
