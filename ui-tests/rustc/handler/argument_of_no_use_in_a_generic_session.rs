#![allow(unused)] // 3 mistakes

use socketserver::{Connection, handler, socket_server};

#[socket_server(udp)]
struct Server<S>(S);

struct Session<S>(S);

#[handler(Server<S>)]
impl<S: Default + Send + Sync + 'static> Session<S> {
    fn setup() -> Result<Self, std::io::Error> {
        Ok(Self(S::default()))
    }

    fn handle(&mut self, server: &Server<u8>, connection: &mut Connection) -> Result<(), S> {
        Ok(())
    }
}

fn main() -> std::io::Result<()> {
    Server(5_u8).bind("127.0.0.1:0")?.serve_forever()
}
