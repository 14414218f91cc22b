#![allow(unused)] // 9 mistakes

use socketserver::{handler, socket_server};

#[socket_server(TCP, threaded)]
struct Case;

#[socket_server(unix, sync)]
struct Unix;

#[socket_server(datagram, async)]
struct Async;

#[socket_server(tcp, threads = 4, daemon = true)]
struct Threads;

#[socket_server(tcp, threading, workers = 4)]
struct Workers;

#[handler]
impl Case {
    fn handle(&self) {}
}

#[handler]
impl Unix {
    fn handle(&self) {}
}

#[handler]
impl Async {
    fn handle(&self) {}
}

#[handler]
impl Threads {
    fn handle(&self) {}
}

#[handler]
impl Workers {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Case.bind("127.0.0.1:0")?.serve_forever()?;
    Unix.bind("127.0.0.1:0")?.serve_forever()?;
    Async.bind("127.0.0.1:0")?.serve_forever()?;
    Threads.bind("127.0.0.1:0")?.serve_forever()?;
    Workers.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
