//! Clients, written on `std` alone.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, SocketAddr};
use std::time::Duration;

use socketserver::Address;

use crate::Place;

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream to a server, whatever it runs over.
pub trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// Connects to a `tcp` or `unix_stream` server.
pub fn connect(address: &Address) -> io::Result<Box<dyn Stream>> {
    match address {
        Address::Inet(address) => {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Box::new(stream))
        }
        local => {
            let stream = unix::UnixStream::connect_addr(&unix_address(local)?)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Box::new(stream))
        }
    }
}

/// Connects, sends one line, and reads the line that is the reply.
pub fn ask(address: &Address, line: &str) -> io::Result<String> {
    let mut stream = connect(address)?;
    writeln!(stream, "{line}")?;
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply)?;
    Ok(reply.trim_end().to_owned())
}

/// Connects to a `tcp` server, sends `input` and ends it; all that the server says, until it ends the connection.
pub fn talk(address: &Address, input: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(input)?;
    stream.shutdown(Shutdown::Write)?;
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies)?;
    Ok(replies)
}

/// Sends one packet to a `udp` or `unix_datagram` server, from a socket of its own, and receives the reply.
pub fn ask_packet(address: &Address, payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut reply = vec![0; 65_536];
    let length = match address {
        Address::Inet(server) => {
            let local = if server.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
            let socket = UdpSocket::bind((local, 0))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.send_to(payload, server)?;
            socket.recv(&mut reply)?
        }
        local => {
            let place = Place::new();
            let socket = unix::UnixDatagram::bind(place.path("client"))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.send_to_addr(payload, &unix_address(local)?)?;
            socket.recv(&mut reply)?
        }
    };
    reply.truncate(length);
    Ok(reply)
}

fn unix_address(address: &Address) -> io::Result<SocketAddr> {
    match address {
        Address::Path(path) => SocketAddr::from_pathname(path),
        Address::Abstract(name) => SocketAddr::from_abstract_name(name),
        other => Err(io::Error::other(format!("no Unix-domain address: {other}"))),
    }
}
