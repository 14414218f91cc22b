#![allow(unused)] // 5 mistakes

use socketserver::{handler, socket_server};

#[socket_server(udp, max_packet_size)]
struct Missing;

#[socket_server(tcp, timeout = , threading)]
struct HalfTyped;

#[socket_server(tcp, max_line(512), read_buffer: 512)]
struct OtherSyntax;

#[socket_server(tcp, crate)]
struct Crate;

#[handler]
impl Missing {
    fn handle(&self) {}
}

#[handler]
impl HalfTyped {
    fn handle(&self) {}
}

#[handler]
impl OtherSyntax {
    fn handle(&self) {}
}

#[handler]
impl Crate {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Missing.bind("127.0.0.1:0")?.serve_forever()?;
    HalfTyped.bind("127.0.0.1:0")?.serve_forever()?;
    OtherSyntax.bind("127.0.0.1:0")?.serve_forever()?;
    Crate.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
