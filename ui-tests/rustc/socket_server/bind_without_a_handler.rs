#![allow(unused)] // 2 mistakes

use socketserver::ThreadingTcpServer;

struct Service;

fn main() -> std::io::Result<()> {
    ThreadingTcpServer::bind("127.0.0.1:0", Service)?.serve_forever()
}
