//! When the replies to commands are sent: together, before the next command is waited for.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketserver::{handler, socket_server};

/// At `work` it works until it is told to go on.
#[socket_server(tcp, threading)]
struct Worker {
    begun: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

#[handler]
impl Worker {
    #[command]
    fn echo<'m>(&self, word: &'m str) -> &'m str {
        word
    }

    #[command]
    fn work(&self) -> &'static str {
        self.begun.lock().unwrap().send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        "done"
    }
}

#[test]
fn replies_are_gathered_while_there_are_commands_in_the_buffer() {
    let (begun, begins) = channel();
    let (go, go_on) = channel();
    let worker = Worker { begun: Mutex::new(begun), go_on: Mutex::new(go_on) };
    let server = worker.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"echo one\necho two\nwork\n").unwrap();
    begins.recv_timeout(Duration::from_secs(20)).unwrap();
    client.set_nonblocking(true).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    go.send(()).unwrap();
    let mut client = BufReader::new(client);
    let lines: Vec<_> = client.by_ref().lines().take(3).map(io::Result::unwrap).collect();
    assert_eq!(lines, ["one", "two", "done"]);
    drop(client);
    server.shutdown().unwrap();
}

#[test]
fn a_long_pipeline_is_answered_whole_and_in_order() {
    const COMMANDS: usize = 100_000;

    let (begun, _begins) = channel();
    let (_go, go_on) = channel();
    let worker = Worker { begun: Mutex::new(begun), go_on: Mutex::new(go_on) };
    let server = worker.bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = TcpStream::connect(server.local_address()).unwrap();
    let mut input = client.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let commands: Vec<_> = (0..COMMANDS).map(|number| format!("echo {number}\n")).collect();
        input.write_all(commands.concat().as_bytes()).unwrap();
        input.shutdown(Shutdown::Write).unwrap();
    });
    let mut numbers = 0..COMMANDS;
    for line in BufReader::new(client).lines() {
        assert_eq!(line.unwrap(), numbers.next().unwrap().to_string());
    }
    assert_eq!(numbers.next(), None);
    writer.join().unwrap();
    server.shutdown().unwrap();
}
