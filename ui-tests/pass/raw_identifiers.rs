#![deny(warnings)]

use socketserver::{Reader, handler, socket_server};

#[socket_server(tcp, threading)]
#[allow(non_camel_case_types)]
struct r#type {
    r#match: u8,
}

mod r#mod {
    #[derive(Default)]
    pub struct Session;
}
use r#mod::Session;

#[handler(r#type)]
impl Session {
    fn handle(&mut self, r#type: &r#type, r#in: &mut Reader) {
        let _ = (r#type.r#match, r#in);
    }

    fn r#finish(&mut self) {}
}

fn main() {
    drop(r#type { r#match: 1 }.builder());
}
