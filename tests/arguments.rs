//! What a hook may ask for: each argument, in every order, on every transport that has it.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net as unix;
use std::sync::Mutex;
use std::time::Duration;

use socketserver::{
    Address, Connection, Datagram, FromRequest, Hooks, MixIn, Reader, Request, Server, ShutdownHandle, Tcp, Transport,
    Writer, handler, socket_server,
};
use support::Place;

/// A server for each order of the three arguments; every one must give the expected reply.
macro_rules! in_every_order {
    ($words:tt $a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty => $body:tt, $expected:expr) => {
        in_order!($words ($a: $A, $b: $B, $c: $C) $body, $expected);
        in_order!($words ($a: $A, $c: $C, $b: $B) $body, $expected);
        in_order!($words ($b: $B, $a: $A, $c: $C) $body, $expected);
        in_order!($words ($b: $B, $c: $C, $a: $A) $body, $expected);
        in_order!($words ($c: $C, $a: $A, $b: $B) $body, $expected);
        in_order!($words ($c: $C, $b: $B, $a: $A) $body, $expected);
    };
}

macro_rules! in_order {
    ([$($word:ident),+] ($($argument:ident: $type:ty),*) $body:tt, $expected:expr) => {{
        #[socket_server($($word),+)]
        struct Asks;

        #[handler]
        impl Asks {
            fn handle(&self, $($argument: $type),*) -> io::Result<()> $body
        }

        replies(|address| Asks.bind(address), $expected);
    }};
}

#[test]
fn every_transport_gives_the_halves_and_the_address() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words input: &mut Reader, output: &mut Writer, peer: &Address => {
                write!(output, "{} {peer}", input.next_line()?.unwrap_or_default())
            }, |me| format!("hello {me}"));
        };
    }
    on!([tcp]);
    on!([udp]);
    on!([unix_stream, threading]);
    on!([unix_datagram, threading]);
}

#[test]
fn every_transport_gives_the_shutdown_handle() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words shutdown: &ShutdownHandle, output: &mut Writer, input: &mut Reader => {
                write!(output, "{} {}", input.next_line()?.unwrap_or_default(), shutdown.is_shutting_down())
            }, |_| "hello false".to_owned());
        };
    }
    on!([tcp, threading]);
    on!([udp, threading]);
    on!([unix_stream]);
    on!([unix_datagram]);
}

#[test]
fn internet_transports_give_the_socket_address_by_value() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words input: &mut Reader, output: &mut Writer, peer: SocketAddr => {
                write!(output, "{} {peer}", input.next_line()?.unwrap_or_default())
            }, |me| format!("hello {me}"));
        };
    }
    on!([tcp]);
    on!([udp]);
}

#[test]
fn stream_transports_give_the_connection() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words connection: &mut Connection, peer: &Address, shutdown: &ShutdownHandle => {
                let line = connection.reader().next_line()?.unwrap_or_default().to_owned();
                assert_eq!(connection.peer_address(), peer);
                write!(connection, "{line} {peer} {}", shutdown.is_shutting_down())
            }, |me| format!("hello {me} false"));
        };
    }
    on!([tcp, threading]);
    on!([unix_stream]);
}

#[test]
fn datagram_transports_give_the_datagram() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words packet: &mut Datagram, peer: &Address, shutdown: &ShutdownHandle => {
                assert_eq!((packet.payload(), packet.peer_address()), (&b"hello\n"[..], peer));
                packet.reply(format!("{peer} {}", shutdown.is_shutting_down()).as_bytes())
            }, |me| format!("{me} false"));
        };
    }
    on!([udp]);
    on!([unix_datagram, threading]);
}

#[test]
fn datagram_transports_give_the_bytes_beside_both_halves() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words bytes: &[u8], input: &mut Reader, output: &mut Writer => {
                let line = input.next_line()?.unwrap_or_default();
                write!(output, "{line} of {}", bytes.len())
            }, |_| "hello of 6".to_owned());
        };
    }
    on!([udp, threading]);
    on!([unix_datagram]);
}

/// The first line, on one transport.
struct FirstLine(String);

impl FromRequest<Tcp> for FirstLine {
    type Error = io::Error;

    fn from_request(connection: &mut Connection) -> io::Result<Self> {
        let line = connection.reader().next_line()?;
        Ok(Self(line.ok_or(io::ErrorKind::UnexpectedEof)?.to_owned()))
    }
}

/// How the peer is called, on all transports.
struct PeerName(String);

impl<T: Transport> FromRequest<T> for PeerName {
    type Error = Infallible;

    fn from_request(request: &mut T::Request) -> Result<Self, Infallible> {
        Ok(Self(request.peer_address().to_string()))
    }
}

#[test]
fn a_users_own_type_is_made_from_the_request() {
    in_every_order!([tcp] first: FirstLine, output: &mut Writer, peer: PeerName => {
        write!(output, "{} {}", first.0, peer.0)
    }, |me| format!("hello {me}"));
    in_every_order!([tcp, threading] first: FirstLine, input: &mut Reader, output: &mut Writer => {
        let mut rest = String::new();
        input.read_to_string(&mut rest)?;
        write!(output, "{} {}", first.0, rest.len())
    }, |_| "hello 0".to_owned());
    in_every_order!([tcp] first: FirstLine, connection: &mut Connection, peer: SocketAddr => {
        write!(connection, "{} {peer}", first.0)
    }, |me| format!("hello {me}"));
}

#[test]
fn a_users_own_type_may_be_for_every_transport() {
    macro_rules! on {
        ($words:tt) => {
            in_every_order!($words peer: PeerName, input: &mut Reader, output: &mut Writer => {
                write!(output, "{} {}", input.next_line()?.unwrap_or_default(), peer.0)
            }, |me| format!("hello {me}"));
        };
    }
    on!([tcp]);
    on!([udp]);
    on!([unix_stream]);
    on!([unix_datagram]);
}

/// The state that all three hooks of a session ask for, in different places.
#[socket_server(tcp)]
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

struct Entry;

#[handler(Log)]
impl Entry {
    #[allow(clippy::needless_pass_by_value, reason = "what is made is given by value")]
    fn setup(first: FirstLine, log: &Log) -> Self {
        log.0.lock().unwrap().push(format!("setup {}", first.0));
        Self
    }

    fn handle(&mut self, log: &Log, output: &mut Writer, peer: SocketAddr) -> io::Result<()> {
        log.0.lock().unwrap().push("handle".into());
        write!(output, "{peer} ")
    }

    fn finish(&mut self, output: &mut Writer, shutdown: &ShutdownHandle, log: &Log) -> io::Result<()> {
        log.0.lock().unwrap().push("finish".into());
        write!(output, "{} {}", log.0.lock().unwrap().join(", "), shutdown.is_shutting_down())
    }
}

#[test]
fn a_session_is_given_its_server() {
    replies(|address| Log::default().bind(address), |me| format!("{me} setup hello, handle, finish false"));
}

/// No hook has to ask for anything.
#[socket_server(udp)]
struct Deaf;

#[handler]
impl Deaf {
    fn setup(&self) {}

    fn handle(&self) {}

    fn finish(&self, output: &mut Writer) -> io::Result<()> {
        output.write_all(b"nothing asked")
    }
}

#[test]
fn a_hook_may_ask_for_nothing() {
    replies(|address| Deaf.bind(address), |_| "nothing asked".to_owned());
}

const PATIENCE: Duration = Duration::from_secs(20);

/// One client says hello; what it must be answered depends on what it is called.
#[track_caller]
fn replies<S, T, M>(bind: impl FnOnce(String) -> io::Result<Server<S, T, M>>, expected: impl FnOnce(&str) -> String)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let place = Place::new();
    let address = match T::NAME {
        "tcp" | "udp" => "127.0.0.1:0".to_owned(),
        _ => place.path("server").to_str().expect("a readable path").to_owned(),
    };
    let running = bind(address).unwrap().start().unwrap();
    let (me, reply) = say_hello(T::NAME, running.local_address(), &place).unwrap();
    assert_eq!(reply, expected(&me), "{} {}", T::NAME, M::NAME);
}

fn say_hello(transport: &str, server: &Address, place: &Place) -> io::Result<(String, String)> {
    let mut packet = [0; 1_024];
    let mut text = String::new();
    let hello = b"hello\n";
    match (transport, server) {
        ("tcp", Address::Inet(server)) => {
            let mut client = TcpStream::connect(server)?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.write_all(hello)?;
            client.shutdown(Shutdown::Write)?;
            client.read_to_string(&mut text)?;
            Ok((client.local_addr()?.to_string(), text))
        }
        ("unix_stream", Address::Path(server)) => {
            let mut client = unix::UnixStream::connect(server)?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.write_all(hello)?;
            client.shutdown(Shutdown::Write)?;
            client.read_to_string(&mut text)?;
            Ok((Address::Unnamed.to_string(), text))
        }
        ("udp", Address::Inet(server)) => {
            let client = UdpSocket::bind("127.0.0.1:0")?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.send_to(hello, server)?;
            let length = client.recv(&mut packet)?;
            Ok((client.local_addr()?.to_string(), String::from_utf8_lossy(&packet[..length]).into_owned()))
        }
        ("unix_datagram", Address::Path(server)) => {
            let path = place.path("client");
            let client = unix::UnixDatagram::bind(&path)?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.send_to(hello, server)?;
            let length = client.recv(&mut packet)?;
            Ok((path.display().to_string(), String::from_utf8_lossy(&packet[..length]).into_owned()))
        }
        (transport, server) => Err(io::Error::other(format!("{transport} on {server}"))),
    }
}
