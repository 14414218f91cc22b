#![allow(unused)] // 6 mistakes

use socketserver::{handler, socket_server};

#[socket_server(tcp)]
enum Enum {
    Variant,
}

#[socket_server(tcp)]
union Union {
    field: u8,
}

#[socket_server(tcp)]
fn function() {}

#[socket_server(tcp)]
impl Enum {}

#[socket_server(tcp)]
pub trait Trait {}

#[socket_server(tcp)]
mod module {}

#[handler]
impl Enum {
    fn handle(&self) {}
}

#[handler]
impl Union {
    fn handle(&self) {}
}

fn main() {}
