//! The user's own names mean nothing to the generated code.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types, non_upper_case_globals)]

use socketserver::{handler, socket_server};

struct Result;
struct Option;
struct String;
struct Server;
struct Reader;
struct Handler;
struct Hooks;
struct RequestHandler;
struct DefaultHooks;
struct Send;
struct Sync;
struct SocketServer;
struct Box;
struct Some;
struct Ok;
struct Argument;
struct Kind;
struct Self_;
mod core {}
mod std {}
mod io {}

const address: u8 = 0;
const service: u8 = 0;
const request: u8 = 0;
const shutdown: u8 = 0;
const argument: u8 = 0;
const parts: u8 = 0;
const session: u8 = 0;
const setup: u8 = 0;

#[socket_server(tcp, threading, max_line = 80)]
struct Shadows;

#[handler]
impl Shadows {
    fn setup(&self) {}

    fn handle(&self, input: &mut ::socketserver::Reader, output: &mut ::socketserver::Writer) {
        let (_, _) = (input, output);
    }
}

struct Message;
struct Turn;
struct Vec;
struct Entry;
struct Line;
struct Close;
struct Rest;
const words: u8 = 0;
const name: u8 = 0;
const turn: u8 = 0;
const message: u8 = 0;
const order: u8 = 0;
const error: u8 = 0;

#[socket_server(tcp, help = true)]
struct Commands;

#[handler(frame = ::socketserver::Line)]
impl Commands {
    #[command]
    fn get(&self, key: &str, output: &mut ::socketserver::Writer) {
        let (_, _) = (key, output);
    }

    #[otherwise]
    fn otherwise(&self, line: &[u8]) {
        let _ = line;
    }

    #[on_error]
    fn on_error(&self, problem: &::socketserver::CommandError) {
        let _ = problem;
    }
}

/// A parameter has the name that the macro would have taken.
#[socket_server(udp)]
struct Generic<Kind>(Kind);

#[handler]
impl<Kind: ::core::marker::Send + ::core::marker::Sync + 'static> Generic<Kind> {
    fn handle(&self) {}
}

fn main() {
    let bound = Shadows.bind("127.0.0.1:0");
    drop(bound);
    drop(Commands.bind("127.0.0.1:0"));
    drop(Generic(1).bind("127.0.0.1:0"));
}
