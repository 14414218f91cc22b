#![allow(unused)]

use socketserver::{Connection, Handler, HandlerError, ShutdownHandle, handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Handler for Server {
    type Request = Connection;

    fn finish_request(&self, _: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        Ok(())
    }
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
