#![allow(unused)] // 8 mistakes

use socketserver::{handler, socket_server};

#[socket_server(
    tcp,
    request_queue_size = 5,
    allow_reuse_address = true,
    allow_reuse_port = true,
    disable_nagle_algorithm = true,
    rbufsize = -1,
    wbufsize = 0,
    poll_interval = 0.5,
    address_family = AF_INET,
)]
struct Server;

#[handler]
impl Server {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
