//! Arguments are decided by traits: an alias is as good as the name, and the order is free.

#![deny(warnings)]

use socketserver as net;
use socketserver::{Address, Connection, Datagram, FromRequest, Reader, ShutdownHandle, Tcp, Udp, handler, socket_server};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};

type Input<'a> = &'a mut Reader;
type Outcome = Result<(), String>;
type Bytes = [u8];

/// What the user derives from a request.
struct FirstLine(String);

impl FromRequest<Tcp> for FirstLine {
    type Error = io::Error;

    fn from_request(connection: &mut Connection) -> io::Result<Self> {
        Ok(Self(connection.reader().next_line()?.unwrap_or_default().to_owned()))
    }
}

struct Length(usize);

impl FromRequest<Udp> for Length {
    type Error = std::convert::Infallible;

    fn from_request(packet: &mut Datagram) -> Result<Self, Self::Error> {
        Ok(Self(packet.payload().len()))
    }
}

#[socket_server(tcp, threading)]
struct Stream;

struct Session<'a>(std::marker::PhantomData<&'a ()>);

#[handler(Stream)]
impl<'a> Session<'a> {
    fn setup(shutdown: &ShutdownHandle, line: FirstLine, input: &mut net::Reader, peer: SocketAddr) -> Self {
        let _ = (shutdown, line.0, input, peer);
        Self(std::marker::PhantomData)
    }

    fn handle(&mut self, peer: &Address, connection: &mut Connection, stream: &Stream) -> Outcome {
        let _ = (peer, connection, stream);
        Ok(())
    }

    fn finish(&mut self) {}
}

#[socket_server(udp)]
struct Packets;

#[handler]
impl Packets {
    fn setup(&self, Length(length): Length, _: &mut socketserver::Writer) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let _ = length;
        Ok(())
    }

    fn handle(&self, bytes: &Bytes, again: &[u8]) -> Outcome {
        let _ = (bytes, again);
        Err(String::new())
    }
}

#[socket_server(unix_stream)]
struct Aliased;

#[handler]
impl Aliased {
    fn handle(&self, input: Input<'_>) {
        let _ = input;
    }
}

/// An alias of a reference may precede what is made from the request, which is made first all the same.
#[socket_server(tcp)]
struct AliasFirst;

#[handler]
impl AliasFirst {
    fn handle(&self, input: Input<'_>, peer: SocketAddr, line: FirstLine, output: &mut net::Writer) -> io::Result<()> {
        let second = input.next_line()?.unwrap_or_default();
        write!(output, "{peer} {} {second}", line.0)
    }
}

fn main() -> io::Result<()> {
    drop((Stream.builder(), Packets.builder(), Aliased.builder()));

    let running = AliasFirst.bind("127.0.0.1:0")?.start()?;
    let mut client = TcpStream::connect(running.local_address())?;
    client.write_all(b"one\ntwo\n")?;
    let expected = format!("{} one two", client.local_addr()?);
    assert_eq!(io::read_to_string(client)?, expected);
    running.shutdown()
}
