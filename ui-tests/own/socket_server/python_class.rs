#![allow(unused)] // 8 mistakes

use socketserver::{handler, socket_server};

#[socket_server(ThreadingTCPServer)]
struct Mixed;

#[socket_server(ThreadingMixIn, TCPServer)]
struct Bases;

#[socket_server(ForkingMixIn, UDPServer)]
struct Forking;

#[socket_server(UnixStreamServer)]
struct Unix;

#[socket_server(UnixDatagramServer, RequestHandlerClass = Unix)]
struct Datagram;

#[handler]
impl Mixed {
    fn handle(&self) {}
}

#[handler]
impl Bases {
    fn handle(&self) {}
}

#[handler]
impl Forking {
    fn handle(&self) {}
}

#[handler]
impl Unix {
    fn handle(&self) {}
}

#[handler]
impl Datagram {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Mixed.bind("127.0.0.1:0")?.serve_forever()?;
    Bases.bind("127.0.0.1:0")?.serve_forever()?;
    Forking.bind("127.0.0.1:0")?.serve_forever()?;
    Unix.bind("127.0.0.1:0")?.serve_forever()?;
    Datagram.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
