//! The same text of a command server as elsewhere, in child processes.

#[macro_use]
#[path = "commands/text.rs"]
mod text;

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use socketserver::{Close, CommandError, Transport, handler, socket_server};
use support::{Place, ask_packet, connect};

counters! {
    Tcp: tcp, forking;
    UnixStream: unix_stream, forking;
    Udp: udp, forking;
    UnixDatagram: unix_datagram, forking;
}

fn main() -> ExitCode {
    support::run(
        &[
            ("one_text_serves_connections_in_children", one_text_serves_connections_in_children),
            ("one_text_serves_packets_in_children", one_text_serves_packets_in_children),
        ],
        &[
            ("tcp", || serve(Tcp::default().bind(argument()))),
            ("unix_stream", || serve(UnixStream::default().bind(argument()))),
            ("udp", || serve(Udp::default().bind(argument()))),
            ("unix_datagram", || serve(UnixDatagram::default().bind(argument()))),
        ],
    )
}

/// What a child counts, the next one does not see.
fn one_text_serves_connections_in_children() {
    let place = Place::new();
    for (server, address) in [("tcp", "127.0.0.1:0"), ("unix_stream", place.path("text").to_str().unwrap())] {
        let server = support::Server::start(server, &[address]);
        for _ in 0..2 {
            let mut client = connect(server.address()).unwrap();
            client.write_all(b"add a\nADD a 4\nlist\nadd a x\nwhat\nquit\nadd a\n").unwrap();
            let mut replies = String::new();
            client.read_to_string(&mut replies).unwrap();
            let invalid = "no: add: `by` cannot be `x`: invalid digit found in string";
            assert_eq!(replies, format!("1\n5\na=5\n{invalid}\nwhat is what?\nbye\n"));
        }
        server.stop();
    }
}

fn one_text_serves_packets_in_children() {
    let place = Place::new();
    for (server, address) in [("udp", "127.0.0.1:0"), ("unix_datagram", place.path("text").to_str().unwrap())] {
        let server = support::Server::start(server, &[address]);
        for _ in 0..2 {
            assert_eq!(ask_packet(server.address(), b"add a 5\n").unwrap(), b"5\n");
        }
        assert_eq!(ask_packet(server.address(), b"quit").unwrap(), b"bye\n");
        server.stop();
    }
}

fn argument() -> String {
    env::args().next_back().expect("an address")
}

fn serve<S, T: Transport, M>(server: std::io::Result<socketserver::Server<S, T, M>>) {
    let server = server.unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}
