#![allow(unused)]

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

fn main() {}
