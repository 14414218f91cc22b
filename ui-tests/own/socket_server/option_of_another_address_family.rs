#![allow(unused)] // 4 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp, socket_mode = 0o600)]
struct Internet;

#[socket_server(unix_stream, nodelay = true, reuse_address = true, only_v6 = true)]
struct Local;

#[handler]
impl Internet {
    fn handle(&self) {}
}

#[handler]
impl Local {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Internet.bind("127.0.0.1:0")?.serve_forever()?;
    Local.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
