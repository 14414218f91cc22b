#![allow(unused)] // 4 mistakes

use socketserver::{Connection, Datagram, Reader, Writer, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    fn setup(&self, input: &mut Reader, connection: &mut Connection) {}
    fn handle(&self, connection: &mut Connection, output: &mut Writer) {}
}

#[socket_server(udp)]
struct Packets;

#[handler]
impl Packets {
    fn setup(&self, packet: &mut Datagram, bytes: &[u8]) {}
    fn handle(&self, bytes: &[u8], same_bytes: &[u8], packet: &mut Datagram) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
