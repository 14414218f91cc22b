//! A connection whose two halves are in two threads: neither is to hold up the other.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{Connection, Running, Writer, handler, socket_server};
use support::wait_until;

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads lines in one thread, while the other writes. Its drain has no end of its own.
#[socket_server(tcp, threading, drain_timeout = None)]
struct Halves<W: Fn(&mut Writer, &Sleeper, Receiver<String>) + Send + Sync + 'static> {
    /// Gets the output, the thread that reads, and what that has read.
    write: W,
}

#[handler]
impl<W: Fn(&mut Writer, &Sleeper, Receiver<String>) + Send + Sync + 'static> Halves<W> {
    fn handle(&self, connection: &mut Connection) -> io::Result<()> {
        let (input, output) = connection.split();
        let reader = Sleeper::this_thread();
        let (read, lines): (Sender<String>, _) = channel();
        thread::scope(|scope| {
            scope.spawn(move || (self.write)(output, &reader, lines));
            while let Some(line) = input.next_line()? {
                let _ = read.send(line.to_owned());
            }
            drop(read);
            Ok(())
        })
    }
}

fn start<W>(write: W) -> (Running<Halves<W>>, TcpStream)
where
    W: Fn(&mut Writer, &Sleeper, Receiver<String>) + Send + Sync + 'static,
{
    let server = Halves { write }.bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = TcpStream::connect(server.local_address()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    (server, client)
}

/// A thread, known by the file that tells its state.
struct Sleeper(PathBuf);

impl Sleeper {
    fn this_thread() -> Self {
        Self(PathBuf::from("/proc").join(fs::read_link("/proc/thread-self").unwrap()).join("stat"))
    }

    /// Waits until it sleeps: it waits for its peer, if there is nothing else that it could wait for.
    fn wait(&self) {
        wait_until("the thread sleeps", || fs::read_to_string(&self.0).unwrap().contains(") S "));
    }
}

#[test]
fn what_is_written_while_the_reader_waits_is_sent() {
    let (server, client) = start(|output, reader, lines| {
        reader.wait();
        output.write_all(b"by bytes\n").unwrap();
        reader.wait();
        writeln!(output, "by format").unwrap();
        // The end of the handler would send it too.
        lines.recv().unwrap_err();
    });
    let mut client = BufReader::new(client);
    for expected in ["by bytes\n", "by format\n"] {
        let mut line = String::new();
        client.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
    }
    client.get_mut().shutdown(Shutdown::Both).unwrap();
    server.shutdown().unwrap();
}

#[test]
fn a_peer_that_does_not_read_is_still_read() {
    let (is_full, full) = channel();
    let (server, mut client) = start(move |output, _, lines| {
        // What the kernel takes at once, and then until it waits for the peer.
        while SockRef::from(&*output).send_with_flags(&[b'x'; 16_384], libc::MSG_DONTWAIT).is_ok() {}
        is_full.send((Sleeper::this_thread(), lines)).unwrap();
        while output.write_all(&[b'x'; 16_384]).is_ok() {}
    });
    let (writer, lines) = full.recv_timeout(PATIENCE).unwrap();
    for line in ["one", "two", "three"] {
        writer.wait();
        writeln!(client, "{line}").unwrap();
        assert_eq!(lines.recv_timeout(PATIENCE).as_deref(), Ok(line));
    }
    drop(client);
    server.shutdown().unwrap();
}

#[test]
fn a_reply_from_another_thread_leaves_the_connection_idle() {
    let (server, client) = start(|output, reader, lines| {
        lines.recv().unwrap();
        reader.wait();
        output.write_all(b"reply\n").unwrap();
        lines.recv().unwrap_err();
    });
    let mut client = BufReader::new(client);
    client.get_mut().write_all(b"request\n").unwrap();
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "reply\n");
    server.shutdown().unwrap();
    assert_eq!(client.read_line(&mut line).unwrap(), 0);
}

#[test]
fn a_reply_from_another_thread_during_the_drain_ends_the_connection() {
    let (go_on, goes_on) = channel();
    let goes_on = Mutex::new(goes_on);
    let (is_read, was_read) = channel();
    let (server, client) = start(move |output, reader, lines| {
        is_read.send(lines.recv().unwrap()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
        reader.wait();
        output.write_all(b"reply\n").unwrap();
        lines.recv().unwrap_err();
    });
    let mut client = BufReader::new(client);
    client.get_mut().write_all(b"request\n").unwrap();
    was_read.recv_timeout(PATIENCE).unwrap();
    server.shutdown_handle().shutdown();
    go_on.send(()).unwrap();
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "reply\n");
    assert_eq!(client.read_line(&mut line).unwrap(), 0);
    server.shutdown().unwrap();
}
