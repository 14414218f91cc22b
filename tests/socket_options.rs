//! The options of sockets: that each is really set, by the attribute and by the builder, which has the last word. Those
//! of the server itself are in `options.rs`.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use socketserver::socket2::{Domain, SockAddr, SockRef, Socket, Type};
use socketserver::{
    Connection, Datagram, Endpoint, Hooks, Listener, Options, Server, SocketServer, Tcp, Udp, handler, kind,
    socket_server,
};
use support::{Place, ask, ask_packet};

/// Tells its client about the socket of the connection, which has inherited most from the listener.
macro_rules! inspectors {
    ($($name:ident: $($argument:ident $(= $value:expr)?),+;)*) => {$(
        #[socket_server($($argument $(= $value)?),+)]
        struct $name(fn(&Socket) -> io::Result<String>);

        #[handler]
        impl $name {
            fn handle(&self, connection: &mut Connection) -> io::Result<()> {
                let fact = (self.0)(connection.socket())?;
                writeln!(connection, "{fact}")
            }
        }
    )*};
}

inspectors! {
    Inspector: tcp;
    Contrary: tcp, reuse_address = false, reuse_port = true, nodelay = false,
        read_timeout = Duration::from_secs(7), write_timeout = Duration::from_secs(8);
}

const IPV4: &str = "127.0.0.1:0";

/// What the server says about the socket of a connection.
#[track_caller]
fn fact<S>(server: io::Result<Server<S>>) -> String
where
    S: SocketServer<Transport = Tcp> + Hooks<Request = Connection>,
{
    let running = server.unwrap().start().unwrap();
    ask(running.local_address(), "").unwrap()
}

#[test]
fn reuse_address_is_on_for_tcp_and_can_be_off() {
    let reuses = |socket: &Socket| socket.reuse_address().map(|on| on.to_string());
    assert_eq!(fact(Inspector(reuses).bind(IPV4)), "true");
    assert_eq!(fact(Inspector(reuses).builder().reuse_address(false).bind(IPV4)), "false");
    assert_eq!(fact(Contrary(reuses).bind(IPV4)), "false");
    assert_eq!(fact(Contrary(reuses).builder().reuse_address(true).bind(IPV4)), "true");
}

/// Tells its client about the server's own socket.
#[socket_server(udp)]
struct Packets;

#[handler]
impl Packets {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        packet.reply(packet.socket().reuse_address()?.to_string().as_bytes())
    }
}

#[test]
fn reuse_address_is_off_for_udp_and_can_be_on() {
    let running = Packets.bind(IPV4).unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"").unwrap(), b"false");
    let running = Packets.builder().reuse_address(true).bind(IPV4).unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"").unwrap(), b"true");
}

/// Keeps the sockets of its connections beyond its own end.
#[socket_server(tcp)]
struct Keeper(Sender<Socket>);

#[handler]
impl Keeper {
    fn handle(&self, connection: &mut Connection) -> io::Result<()> {
        self.0.send(connection.socket().try_clone()?).map_err(io::Error::other)
    }
}

/// What the option is for: to the kernel a connection that somebody still has is as one in `TIME_WAIT`. Both servers
/// must have the option, so it has to be on from the first start on.
#[test]
fn a_server_can_be_restarted_while_a_connection_of_it_is_left() {
    let restart = |reuse_address: bool| {
        let (keep, kept) = channel();
        let bind = |address| Keeper(keep.clone()).builder().reuse_address(reuse_address).bind(address);
        let running = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap().start().unwrap();
        let address = running.local_address().socket_addr().unwrap();
        let _client = TcpStream::connect(address).unwrap();
        let _left = kept.recv().unwrap();
        running.shutdown().unwrap();
        bind(address).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(restart(true), Ok(()));
    assert_eq!(restart(false), Err(io::ErrorKind::AddrInUse));
}

#[test]
fn reuse_port_is_off_and_can_be_on() {
    let reuses = |socket: &Socket| socket.reuse_port().map(|on| on.to_string());
    assert_eq!(fact(Inspector(reuses).bind(IPV4)), "false");
    assert_eq!(fact(Inspector(reuses).builder().reuse_port(true).bind(IPV4)), "true");
    assert_eq!(fact(Contrary(reuses).bind(IPV4)), "true");
    assert_eq!(fact(Contrary(reuses).builder().reuse_port(false).bind(IPV4)), "false");
}

#[test]
fn two_servers_share_an_address_with_reuse_port_only() {
    let shares = |socket: &Socket| socket.reuse_port().map(|on| on.to_string());
    let first = Contrary(shares).bind(IPV4).unwrap();
    let second = Contrary(shares).bind(first.local_address()).unwrap();
    assert_eq!(first.local_address(), second.local_address());
    let error = Inspector(shares).bind(first.local_address()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn nodelay_is_on_for_accepted_sockets_and_can_be_off() {
    let nodelay = |socket: &Socket| socket.tcp_nodelay().map(|on| on.to_string());
    assert_eq!(fact(Inspector(nodelay).bind(IPV4)), "true");
    assert_eq!(fact(Inspector(nodelay).builder().nodelay(false).bind(IPV4)), "false");
    assert_eq!(fact(Contrary(nodelay).bind(IPV4)), "false");
    assert_eq!(fact(Contrary(nodelay).builder().nodelay(true).bind(IPV4)), "true");
    let given = || std::net::TcpListener::bind(IPV4).unwrap();
    assert_eq!(fact(Inspector(nodelay).bind(given())), "true");
    assert_eq!(fact(Contrary(nodelay).bind(given())), "false");
}

#[test]
fn timeouts_are_those_of_the_accepted_socket() {
    let timeouts = |socket: &Socket| Ok(format!("{:?} {:?}", socket.read_timeout()?, socket.write_timeout()?));
    // Without a mix-in.
    assert_eq!(fact(Inspector(timeouts).bind(IPV4)), "Some(60s) None");
    let builder = Inspector(timeouts).builder().read_timeout(Duration::from_secs(3));
    assert_eq!(fact(builder.write_timeout(Duration::from_secs(4)).bind(IPV4)), "Some(3s) Some(4s)");
    assert_eq!(fact(Contrary(timeouts).bind(IPV4)), "Some(7s) Some(8s)");
    assert_eq!(fact(Contrary(timeouts).builder().read_timeout(None).bind(IPV4)), "None Some(8s)");
}

#[test]
fn only_v6_is_off_and_can_be_on() {
    // The kernel sets it by itself on a socket that is bound to one IPv6 address.
    for on in [false, true] {
        let options = Options::new().only_v6(on);
        let tcp: Listener = Endpoint::<Tcp, kind::Address>::open("[::]:0", &options).unwrap();
        let udp: Listener = Endpoint::<Udp, kind::Address>::open("[::]:0", &options).unwrap();
        for listener in [tcp, udp] {
            assert_eq!(SockRef::from(&listener).only_v6().unwrap(), on);
        }
    }
}

#[socket_server(unix_stream, backlog = 2, socket_mode = 0o640)]
struct Narrow;

#[handler]
impl Narrow {
    fn handle(&self) {}
}

#[test]
fn the_mode_of_the_path_is_what_was_asked_for() {
    let place = Place::new();
    let mode = |name| fs::metadata(place.path(name)).unwrap().mode() & 0o7777;
    let _server = Narrow.bind(place.path("attribute")).unwrap();
    assert_eq!(mode("attribute"), 0o640);
    let _server = Narrow.builder().socket_mode(0o600).bind(place.path("builder")).unwrap();
    assert_eq!(mode("builder"), 0o600);
}

#[test]
fn the_backlog_is_as_long_as_was_asked_for() {
    let place = Place::new();
    let connects = |name| {
        let address = SockAddr::unix(place.path(name)).unwrap();
        let mut clients = Vec::new();
        // A Unix-domain socket says at once that the queue is full. The kernel takes one more than the backlog.
        while clients.len() < 40 {
            let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            match client.connect(&address) {
                Ok(()) => clients.push(client),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        clients.len()
    };
    let _server = Narrow.bind(place.path("attribute")).unwrap();
    assert_eq!(connects("attribute"), 3);
    let _server = Narrow.builder().backlog(5).bind(place.path("builder")).unwrap();
    assert_eq!(connects("builder"), 6);
    let _server = Plain.bind(place.path("default")).unwrap();
    assert_eq!(connects("default"), 40);
}

#[socket_server(unix_stream)]
struct Plain;

#[handler]
impl Plain {
    fn handle(&self) {}
}

/// What cannot be connected to a full queue of TCP has no answer at all.
#[test]
fn the_backlog_of_tcp_is_as_long_as_was_asked_for() {
    let server = Inspector(|_| Ok(String::new())).builder().backlog(2).bind(IPV4).unwrap();
    let address: SocketAddr = server.local_address().socket_addr().unwrap();
    let connect = |timeout| TcpStream::connect_timeout(&address, timeout);
    let clients: Vec<_> = (0..3).map(|_| connect(Duration::from_secs(20)).unwrap()).collect();
    assert_eq!(connect(Duration::from_millis(100)).unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(clients);
}
