#![allow(unused)] // 7 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
struct Server;

#[handler]
impl Server {
    #[command]
    async fn a(&self) {}

    #[command]
    fn b<T>(&self) {}

    #[command]
    fn c() {}

    #[command]
    fn d(&mut self) {}

    #[command]
    fn e(&self, text: impl ToString) {}

    #[command]
    fn f(&self) -> impl ToString {
        1
    }

    #[command]
    unsafe fn g(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
