#![allow(unused)] // 5 mistakes

use socketserver::{Hooks, handler, socket_server};

#[socket_server(tpc, threadign, max_package_size = 512)]
struct Server;

#[socket_server(unixstream, hook)]
struct Other;

#[handler]
impl Server {
    fn handle(&self) {}
}

#[handler]
impl Other {
    fn handle(&self) {}
}

impl Hooks for Other {}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()?;
    Other.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
