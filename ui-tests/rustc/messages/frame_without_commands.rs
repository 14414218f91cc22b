#![allow(unused)]

use socketserver::{Decoded, Frame, FrameError, MessageOptions, handler, socket_server};

#[socket_server(tcp)]
struct Server;

struct Own;

impl Frame for Own {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        1
    }

    fn decode(&mut self, _: &[u8]) -> Result<Decoded, FrameError> {
        Ok(Decoded::Message { body: 0..1, length: 1 })
    }
}

#[handler(frame = Own)]
impl Server {
    #[command]
    fn get(&self) {}
}

fn main() -> std::io::Result<()> {
    Server.bind("127.0.0.1:0")?.serve_forever()
}
