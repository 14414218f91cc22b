//! Servers that are started and stopped from outside, over all four transports, and whose handler is whatever can be
//! called: as the `ControlMixin` of CPython's `test_logging`, which needs an event `ready`, where here `bind` has returned.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use socketserver::{Hooks, MixIn, Reader, Server, Transport, Writer, handler, socket_server};
use support::{Place, ask_packet, connect, wait_until};

/// A handler that can be called: takes a record, and returns what is to be sent back, if anything.
trait Callable: Fn(&str) -> String + Send + Sync + 'static {}

impl<F: Fn(&str) -> String + Send + Sync + 'static> Callable for F {}

macro_rules! controlled {
    ($($server:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, threading)]
        struct $server<F: Callable>(F);

        #[handler]
        impl<F: Callable> $server<F> {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                while let Some(record) = input.next_line()? {
                    output.write_all((self.0)(record).as_bytes())?;
                }
                Ok(())
            }

            /// CPython's has to send replies that are not empty only, and to pass over errors after the close.
            fn finish(&self, output: &mut Writer) -> io::Result<()> {
                output.flush()
            }
        }
    )*};
}

controlled! {
    TcpControlled: tcp;
    UdpControlled: udp;
    UnixStreamControlled: unix_stream;
    UnixDatagramControlled: unix_datagram;
}

/// A callable that logs what it is called with, and answers what is a question.
fn logging() -> (impl Callable, Receiver<String>) {
    let (log, logged): (Sender<String>, _) = channel();
    let callable = move |record: &str| {
        log.send(record.to_owned()).expect("the test reads the log");
        if record.ends_with('?') { format!("{record} yes\n") } else { String::new() }
    };
    (callable, logged)
}

#[test]
fn a_controller_starts_and_stops_a_tcp_server() {
    let (callable, logged) = logging();
    streams(TcpControlled(callable).bind("127.0.0.1:0"), &logged);
}

#[test]
fn a_controller_starts_and_stops_a_unix_stream_server() {
    let (callable, logged) = logging();
    let place = Place::new();
    streams(UnixStreamControlled(callable).bind(place.path("server")), &logged);
}

#[test]
fn a_controller_starts_and_stops_a_udp_server() {
    let (callable, logged) = logging();
    packets(UdpControlled(callable).bind("127.0.0.1:0"), &logged);
}

#[test]
fn an_empty_reply_is_not_sent() {
    let (callable, logged) = logging();
    let controller = UdpControlled(callable).bind("127.0.0.1:0").expect("a server").start().expect("a thread");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client.connect(controller.local_address()).expect("a server");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    client.send(b"spam").expect("room for a packet");
    wait_until("the first packet is finished", || controller.stats().finished == 1);
    client.send(b"eggs?").expect("room for a packet");
    let mut first = [0; 64];
    let length = client.recv(&mut first).expect("a reply");
    assert_eq!(&first[..length], b"eggs? yes\n");
    assert_eq!([logged.recv(), logged.recv()].map(Result::unwrap), ["spam", "eggs?"]);
}

#[test]
fn a_controller_starts_and_stops_a_unix_datagram_server() {
    let (callable, logged) = logging();
    let place = Place::new();
    packets(UnixDatagramControlled(callable).bind(place.path("server")), &logged);
}

fn streams<S, T, M>(server: io::Result<Server<S, T, M>>, logged: &Receiver<String>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let server = server.expect("a server");
    // It is ready, although nobody serves yet.
    let mut early = connect(server.local_address()).expect("a connection");
    early.write_all(b"spam\neggs?\n").expect("room for two records");
    let controller = server.start().expect("a thread for it");
    let mut early = BufReader::new(early);
    let mut reply = String::new();
    early.read_line(&mut reply).expect("a reply");
    assert_eq!(reply, "eggs? yes\n");
    assert_eq!([logged.recv(), logged.recv()].map(Result::unwrap), ["spam", "eggs?"]);
    let address = controller.local_address().clone();
    // The client keeps its connection, and does not hinder the stop.
    controller.shutdown().expect("a server that ends well");
    assert_eq!(early.read(&mut [0]).expect("the end, and no reset"), 0);
    assert!(connect(&address).is_err(), "the server is gone");
}

fn packets<S, T, M>(server: io::Result<Server<S, T, M>>, logged: &Receiver<String>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let server = server.expect("a server");
    let address = server.local_address().clone();
    let early = thread::spawn(move || ask_packet(&address, b"eggs?"));
    let controller = server.start().expect("a thread for it");
    assert_eq!(early.join().expect("no panic").expect("a reply"), b"eggs? yes\n");
    assert_eq!(logged.recv().unwrap(), "eggs?");
    controller.shutdown().expect("a server that ends well");
    assert!(logged.recv().is_err(), "the callable is gone with the server");
}
