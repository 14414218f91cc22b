//! The end of a connection of commands: between two it is idle, and half a command is not done, whatever ends its
//! connection, unless it is the peer that has no more to say.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketserver::{Iterative, MixIn, Server, ShutdownHandle, Tcp, Threading, handler, socket_server};
use support::{ask, wait_until};

/// Takes notes, and gives no reply to them. Its drain has no end of its own.
#[socket_server(tcp, drain_timeout = None)]
struct Notes(Mutex<Sender<String>>);

#[handler]
impl Notes {
    #[command]
    fn note(&self, what: String) {
        self.0.lock().unwrap().send(what).unwrap();
    }

    #[command]
    fn stop(&self, shutdown: &ShutdownHandle) -> &'static str {
        shutdown.shutdown();
        "stopping"
    }
}

fn notes<M: MixIn>() -> (Server<Notes, Tcp, M>, Receiver<String>) {
    let (sender, notes) = channel();
    (Server::bind("127.0.0.1:0", Notes(Mutex::new(sender))).unwrap(), notes)
}

/// A connection that waits between two commands is idle, whether the last one had a reply or not; `drain_timeout` is
/// none, so the shutdown would wait for ever for one that is not.
#[test]
fn a_shutdown_ends_connections_between_two_commands() {
    let (server, notes) = notes::<Threading>();
    let server = server.start().unwrap();
    let mut idle = TcpStream::connect(server.local_address()).unwrap();
    idle.write_all(b"note this\n").unwrap();
    assert_eq!(notes.recv_timeout(Duration::from_secs(20)).unwrap(), "this");
    assert_eq!(ask(server.local_address(), "stop").unwrap(), "stopping");
    server.shutdown().unwrap();
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_shutdown_that_cuts_a_command_has_it_not_done() {
    cuts_a_command::<Iterative>();
    cuts_a_command::<Threading>();
}

fn cuts_a_command<M: MixIn>() {
    let (server, notes) = notes::<M>();
    let shutdown = server.shutdown_handle();
    let server = server.start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"note one\nnote half").unwrap();
    assert_eq!(notes.recv_timeout(Duration::from_secs(20)).unwrap(), "one");
    shutdown.shutdown();
    shutdown.shutdown();
    let _ = client.read(&mut [0]);
    wait_until("the connection has ended", || server.stats().active == 0);
    assert_eq!((server.stats().failed, server.stats().cut), (1, 1));
    server.shutdown().unwrap();
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_last_line_of_a_peer_may_lack_its_ending() {
    let (server, notes) = notes::<Threading>();
    let server = server.start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"note one\nnote whole").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert_eq!(notes.try_iter().collect::<Vec<_>>(), ["one", "whole"]);
    server.shutdown().unwrap();
}
