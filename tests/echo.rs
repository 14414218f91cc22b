//! CPython's own test of `socketserver`, on every composition that does not fork: one handler, other words.

use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process;
use std::thread;

use socketserver::{Address, Hooks, MixIn, Reader, Server, Transport, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, connect, wait_until};

macro_rules! echo {
    ($($name:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    writeln!(output, "{line}")?;
                }
                Ok(())
            }
        }
    )*};
}

echo! {
    Tcp: tcp;
    Udp: udp;
    UnixStream: unix_stream;
    UnixDatagram: unix_datagram;
    ThreadingTcp: tcp, threading;
    ThreadingUdp: udp, threading;
    ThreadingUnixStream: unix_stream, threading;
    ThreadingUnixDatagram: unix_datagram, threading;
}

const IPV4: &str = "127.0.0.1:0";
const IPV6: &str = "[::1]:0";

#[test]
fn tcp_echoes() {
    echoes(Tcp.bind(IPV4), talk);
    echoes(Tcp.bind(IPV6), talk);
}

#[test]
fn udp_echoes() {
    echoes(Udp.bind(IPV4), exchange);
    echoes(Udp.bind(IPV6), exchange);
}

#[test]
fn unix_stream_echoes() {
    let place = Place::new();
    echoes(UnixStream.bind(place.path("echo")), talk);
    echoes(UnixStream.bind(abstract_name("stream")), talk);
}

#[test]
fn unix_datagram_echoes() {
    let place = Place::new();
    echoes(UnixDatagram.bind(place.path("echo")), exchange);
    echoes(UnixDatagram.bind(abstract_name("datagram")), exchange);
}

#[test]
fn threading_tcp_echoes() {
    echoes(ThreadingTcp.bind(IPV4), talk);
    echoes(ThreadingTcp.bind(IPV6), talk);
}

#[test]
fn threading_udp_echoes() {
    echoes(ThreadingUdp.bind(IPV4), exchange);
    echoes(ThreadingUdp.bind(IPV6), exchange);
}

#[test]
fn threading_unix_stream_echoes() {
    let place = Place::new();
    echoes(ThreadingUnixStream.bind(place.path("echo")), talk);
    echoes(ThreadingUnixStream.bind(abstract_name("threading-stream")), talk);
}

#[test]
fn threading_unix_datagram_echoes() {
    let place = Place::new();
    echoes(ThreadingUnixDatagram.bind(place.path("echo")), exchange);
    echoes(ThreadingUnixDatagram.bind(abstract_name("threading-datagram")), exchange);
}

/// Three clients at once, then a shutdown: all were answered, all were counted, and nobody is there any more.
fn echoes<S, T, M>(server: io::Result<Server<S, T, M>>, client: fn(&Address, &str))
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let running = server.unwrap().start().unwrap();
    let address = running.local_address().clone();
    thread::scope(|scope| {
        for line in ["hello, world", "", "grüße"] {
            scope.spawn(|| client(&address, line));
        }
    });
    wait_until("all three are finished", || running.stats().finished == 3);
    let stats = running.stats();
    assert_eq!((stats.accepted, stats.active), (3, 0));
    assert_eq!((stats.failed, stats.refused, stats.cut, stats.accept_errors), (0, 0, 0, 0));
    running.shutdown().unwrap();
    is_gone(T::NAME, &address);
}

fn talk(server: &Address, line: &str) {
    assert_eq!(ask(server, line).unwrap(), line);
}

fn exchange(server: &Address, line: &str) {
    let packet = format!("{line}\n");
    assert_eq!(ask_packet(server, packet.as_bytes()).unwrap(), packet.as_bytes());
}

fn is_gone(transport: &str, address: &Address) {
    let error = match address {
        Address::Inet(address) if transport == "udp" => nobody_receives(*address).unwrap_err(),
        address => connect(address).err().expect("nobody to connect to"),
    };
    let expected = match address {
        Address::Path(_) => io::ErrorKind::NotFound,
        _ => io::ErrorKind::ConnectionRefused,
    };
    assert_eq!(error.kind(), expected, "{transport} on {address}");
}

/// ICMP says so to a socket that is connected.
fn nobody_receives(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind(if address.is_ipv4() { IPV4 } else { IPV6 })?;
    socket.connect(address)?;
    socket.send(b"anybody?")?;
    socket.recv(&mut [0]).map(drop)
}

fn abstract_name(name: &str) -> PathBuf {
    format!("@socketserver-{name}-{}", process::id()).into()
}
