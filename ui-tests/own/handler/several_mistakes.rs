#![allow(unused)] // 6 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[derive(Default)]
struct Session;

#[handler(Server)]
impl Session {
    async fn handle<T>(session: &mut T) {}
    fn setup(self) {}
    unsafe fn finish(&mut self, output: impl std::io::Write) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
