//! Binding: addresses that cannot be, in words that say which and why, and sockets that are bound already.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net as unix;
use std::path::PathBuf;
use std::{ffi, fs};

use socketserver::socket2::{Domain, SockAddr, Socket, Type};
use socketserver::{Endpoint, Hooks, MixIn, Reader, Server, Transport, Writer, handler, socket_server};
use support::{Place, ask, ask_packet};

macro_rules! echo {
    ($($name:ident: $($word:ident),+;)*) => {$(
        #[socket_server($($word),+)]
        #[derive(Debug)]
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
    Tcp: tcp, threading;
    Udp: udp, threading;
    UnixStream: unix_stream, threading;
    UnixDatagram: unix_datagram, threading;
}

const IPV4: &str = "127.0.0.1:0";

#[test]
fn an_address_that_does_not_parse_is_named() {
    is_refused(Tcp.bind("nonsense"), ErrorKind::InvalidInput, "nonsense");
    is_refused(Udp.bind("127.0.0.1:99999"), ErrorKind::InvalidInput, "127.0.0.1:99999");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = Tcp.bind(IPV4).unwrap();
    is_refused(Tcp.bind(server.local_address()), ErrorKind::AddrInUse, &server.local_address().to_string());
    let server = Udp.bind(IPV4).unwrap();
    is_refused(Udp.bind(server.local_address()), ErrorKind::AddrInUse, &server.local_address().to_string());
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    // From the block that is for documentation.
    is_refused(Tcp.bind("192.0.2.1:9999"), ErrorKind::AddrNotAvailable, "192.0.2.1:9999");
    is_refused(Udp.bind("192.0.2.1:9999"), ErrorKind::AddrNotAvailable, "192.0.2.1:9999");
}

#[test]
fn a_privileged_port_is_refused_and_named() {
    if TcpListener::bind("127.0.0.1:1").is_ok() {
        return println!("left out: this user may bind port 1");
    }
    is_refused(Tcp.bind("127.0.0.1:1"), ErrorKind::PermissionDenied, "127.0.0.1:1");
}

#[test]
fn a_path_that_cannot_be_is_named() {
    let place = Place::new();
    let (file, link) = (place.path("file"), place.path("link"));
    fs::write(&file, "precious").unwrap();
    symlink(&file, &link).unwrap();
    let long = place.path(&"x".repeat(200));
    let nowhere = place.path("nowhere/socket");
    for (path, kind) in [
        (&file, ErrorKind::AddrInUse),
        (&link, ErrorKind::AddrInUse),
        (&place.directory().to_owned(), ErrorKind::AddrInUse),
        (&long, ErrorKind::InvalidInput),
        (&nowhere, ErrorKind::NotFound),
    ] {
        is_refused(UnixStream.bind(path), kind, &path.display().to_string());
        is_refused(UnixDatagram.bind(path), kind, &path.display().to_string());
    }
    assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_path_that_is_empty_or_has_a_nul_is_refused() {
    let nul = PathBuf::from(ffi::OsString::from_vec(b"a\0b".to_vec()));
    is_refused(UnixStream.bind(&nul), ErrorKind::InvalidInput, "NUL");
    is_refused(UnixDatagram.bind(&nul), ErrorKind::InvalidInput, "NUL");
    is_refused(UnixStream.bind(""), ErrorKind::InvalidInput, "empty");
    is_refused(UnixDatagram.bind(""), ErrorKind::InvalidInput, "empty");
}

#[test]
fn port_0_is_resolved() {
    let server = Tcp.bind(IPV4).unwrap();
    assert!(server.local_address().port().is_some_and(|port| port != 0));
    let server = Udp.bind(("127.0.0.1", 0)).unwrap();
    assert!(server.local_address().port().is_some_and(|port| port != 0));
}

#[test]
fn a_socket_that_is_bound_already_is_served() {
    let place = Place::new();
    serves(|| Tcp.bind(TcpListener::bind(IPV4).unwrap()));
    serves(|| Tcp.bind(Socket::from(TcpListener::bind(IPV4).unwrap())));
    serves(|| Udp.bind(UdpSocket::bind(IPV4).unwrap()));
    serves(|| Udp.bind(Socket::from(UdpSocket::bind(IPV4).unwrap())));
    serves(|| UnixStream.bind(unix::UnixListener::bind(place.path("1")).unwrap()));
    serves(|| UnixStream.bind(Socket::from(unix::UnixListener::bind(place.path("2")).unwrap())));
    serves(|| UnixDatagram.bind(unix::UnixDatagram::bind(place.path("3")).unwrap()));
    serves(|| UnixDatagram.bind(Socket::from(unix::UnixDatagram::bind(place.path("4")).unwrap())));
    for path in ["1", "2", "3", "4"] {
        assert!(place.path(path).exists(), "a path that was given stays");
    }
}

#[test]
fn a_socket_of_the_wrong_kind_is_refused() {
    let place = Place::new();
    let tcp = || Socket::from(TcpListener::bind(IPV4).unwrap());
    let udp = || Socket::from(UdpSocket::bind(IPV4).unwrap());
    let stream = Socket::from(unix::UnixListener::bind(place.path("stream")).unwrap());
    let packets = Socket::from(unix::UnixDatagram::bind(place.path("packets")).unwrap());
    let not_listening = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    not_listening.bind(&SockAddr::unix(place.path("silent")).unwrap()).unwrap();
    is_refused(Tcp.bind(udp()), ErrorKind::InvalidInput, "its type is another transport's");
    is_refused(Udp.bind(tcp()), ErrorKind::InvalidInput, "its type is another transport's");
    is_refused(Tcp.bind(stream), ErrorKind::InvalidInput, "its address family is another transport's");
    is_refused(Udp.bind(packets), ErrorKind::InvalidInput, "its address family is another transport's");
    is_refused(UnixStream.bind(tcp()), ErrorKind::InvalidInput, "its address family is another transport's");
    is_refused(UnixDatagram.bind(udp()), ErrorKind::InvalidInput, "its address family is another transport's");
    is_refused(UnixStream.bind(not_listening), ErrorKind::InvalidInput, "it does not listen");
}

#[test]
fn bind_is_generic_over_what_is_bound_to() {
    fn bind<Kind>(address: impl Endpoint<socketserver::Tcp, Kind>) -> bool {
        Tcp.bind(address).is_ok()
    }
    assert!(bind(IPV4) && bind(IPV4.to_owned()) && bind(("127.0.0.1", 0)) && bind(TcpListener::bind(IPV4).unwrap()));
}

#[track_caller]
fn is_refused(bound: io::Result<impl Debug>, kind: ErrorKind, named: &str) {
    let error = bound.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(named), "{error}");
}

fn serves<S, T, M>(bind: impl FnOnce() -> io::Result<Server<S, T, M>>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let running = bind().unwrap().start().unwrap();
    match T::NAME {
        "tcp" | "unix_stream" => assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello"),
        _ => assert_eq!(ask_packet(running.local_address(), b"hello").unwrap(), b"hello\n"),
    }
    running.shutdown().unwrap();
}
