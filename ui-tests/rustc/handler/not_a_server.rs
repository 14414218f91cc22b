#![allow(unused)]

use socketserver::{Reader, handler};

struct Server;

#[handler]
impl Server {
    fn handle(&self, input: &mut Reader) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {}
