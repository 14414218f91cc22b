//! A server may borrow what lives for ever.

#![deny(warnings, unused_lifetimes, clippy::all, clippy::pedantic)]

use socketserver::{Hooks, Writer, handler, socket_server};
use std::io::{self, Write as _};

#[socket_server(tcp, threading)]
struct Greeter<'a>(&'a str);

#[handler]
impl Greeter<'_> {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        output.write_all(self.0.as_bytes())
    }
}

#[socket_server(udp, hooks)]
struct Pair<'a, 'b: 'a, T>(&'a str, &'b T)
where
    T: Sync;

impl<T: Sync> Hooks for Pair<'static, 'static, T> {}

#[handler]
impl<T: Sync> Pair<'_, '_, T> {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        let _ = self.1;
        output.write_all(self.0.as_bytes())
    }
}

fn main() {
    drop((Greeter("hello").builder(), Pair("hello", &1).builder()));
}
