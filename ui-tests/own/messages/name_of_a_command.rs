#![allow(unused)] // 7 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command("")]
    fn a(&self) {}

    #[command("two words")]
    fn b(&self) {}

    #[command(get)]
    fn c(&self) {}

    #[command()]
    fn d(&self) {}

    #[command = "e"]
    fn e(&self) {}

    #[command("0123456789012345678901234567890123456789012345678901234567890123456789")]
    fn f(&self) {}

    #[command]
    fn g123456789012345678901234567890123456789012345678901234567890123456789(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
