//! `Handler` and `Hooks` by hand, beside the attribute and without it, generic too.

#![deny(warnings)]

use socketserver::{Connection, Handler, HandlerError, Hooks, ShutdownHandle, TcpServer, ThreadingTcpServer, socket_server};
use std::fmt::Display;
use std::io::Write as _;

struct Bare;

impl Handler for Bare {
    type Request = Connection;

    fn finish_request(&self, _: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl Hooks for Bare {}

struct Generic<T>(T);

impl<T: Display + Send + Sync + 'static> Handler for Generic<T> {
    type Request = Connection;

    fn finish_request(&self, request: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        Ok(write!(request, "{}", self.0)?)
    }
}

impl<T: Display + Send + Sync + 'static> Hooks for Generic<T> {}

#[socket_server(tcp)]
struct Marked;

impl Handler for Marked {
    type Request = Connection;

    fn finish_request(&self, _: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        Ok(())
    }
}

#[socket_server(tcp, forking, hooks)]
struct MarkedGeneric<T>(T);

impl<T: Send + Sync + 'static> Handler for MarkedGeneric<T> {
    type Request = Connection;

    fn finish_request(&self, _: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        let _ = &self.0;
        Ok(())
    }
}

impl<T: Send + Sync + 'static> Hooks for MarkedGeneric<T> {}

fn main() {
    drop((TcpServer::builder(Bare), ThreadingTcpServer::builder(Generic("x"))));
    drop((Marked.builder(), MarkedGeneric(1).builder()));
}
