#![allow(unused)] // 5 mistakes

use socketserver::{handler, socket_server};
use std::time::Duration;

#[socket_server(tcp, timeout = Duration::)]
struct Expression;

#[socket_server("tcp", threading)]
struct Literal;

#[socket_server(tcp threading)]
struct Comma;

#[socket_server(tcp, , threading)]
struct Commas;

#[socket_server(tcp, max_line = 5 6, threading)]
struct Values;

#[handler]
impl Expression {
    fn handle(&self) {}
}

#[handler]
impl Literal {
    fn handle(&self) {}
}

#[handler]
impl Comma {
    fn handle(&self) {}
}

#[handler]
impl Commas {
    fn handle(&self) {}
}

#[handler]
impl Values {
    fn handle(&self) {}
}

fn main() -> std::io::Result<()> {
    Expression.bind("127.0.0.1:0")?.serve_forever()?;
    Literal.bind("127.0.0.1:0")?.serve_forever()?;
    Comma.bind("127.0.0.1:0")?.serve_forever()?;
    Commas.bind("127.0.0.1:0")?.serve_forever()?;
    Values.bind("127.0.0.1:0")?.serve_forever()?;
    Ok(())
}
