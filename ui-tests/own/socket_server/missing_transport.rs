#![allow(unused)] // 2 mistakes

use socketserver::{handler, socket_server};

#[socket_server]
struct Nothing;

#[socket_server(threading, max_threads = 5)]
struct MixInOnly;

#[handler]
impl Nothing {
    fn handle(&self) {}
}

#[handler]
impl MixInOnly {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Nothing.bind("127.0.0.1:0")?.serve_forever()?;
    MixInOnly.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
