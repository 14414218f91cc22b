//! The replies to packets: one, several, late, from the right address, or none at all.

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram as UnixSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socketserver::{Address, Datagram, HandlerError, Hook, Hooks, Writer, handler, socket_server};
use support::{Place, ask_packet, wait_until};

/// What the handler saw of a packet.
#[derive(Debug, PartialEq)]
struct Seen {
    payload: Vec<u8>,
    peer: Address,
    local: Address,
}

/// What the server tells the test.
struct Reports {
    seen: Receiver<Seen>,
    errors: Receiver<(Hook, io::Error)>,
    writers: Receiver<Writer>,
    /// Lets a handler go on.
    gate: Sender<()>,
}

/// The other ends.
struct Witness {
    seen: Mutex<Sender<Seen>>,
    errors: Mutex<Sender<(Hook, io::Error)>>,
    writers: Mutex<Sender<Writer>>,
    gate: Mutex<Receiver<()>>,
}

impl Witness {
    fn new() -> (Self, Reports) {
        let (seen, seen_end) = channel();
        let (errors, errors_end) = channel();
        let (writers, writers_end) = channel();
        let (gate_end, gate) = channel();
        let witness = Self {
            seen: Mutex::new(seen),
            errors: Mutex::new(errors),
            writers: Mutex::new(writers),
            gate: Mutex::new(gate),
        };
        (witness, Reports { seen: seen_end, errors: errors_end, writers: writers_end, gate: gate_end })
    }

    /// Does what the packet says; any other is echoed.
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        send(
            &self.seen,
            Seen {
                payload: packet.payload().to_vec(),
                peer: packet.peer_address().clone(),
                local: packet.local_address().clone(),
            },
        );
        match packet.payload() {
            b"nothing" => packet.writer().write_all(b""),
            b"gather" => {
                let output = packet.writer();
                output.write_all(b"one ")?;
                output.flush()?;
                let unprintable = fmt::from_fn(|_| Err(fmt::Error));
                catch_unwind(AssertUnwindSafe(|| write!(output, "lost {unprintable}"))).unwrap_err();
                write!(output, "{} {:?}", "reply".len(), ())
            }
            b"gather and fail" => {
                packet.writer().write_all(b"never sent")?;
                Err(io::Error::other("as asked"))
            }
            b"thrice" => {
                packet.writer().write_all(b"third")?;
                packet.reply(b"first")?;
                packet.reply(b"second")
            }
            b"huge" => packet.reply(&vec![0; 300_000]),
            b"huge, gathered" => packet.writer().write_all(&vec![0; 300_000]),
            b"clone" => {
                packet.writer().write_all(b"gathered")?;
                send(&self.writers, packet.writer().try_clone()?);
                Ok(())
            }
            b"wait" => {
                self.gate.lock().unwrap_or_else(PoisonError::into_inner).recv().expect("the test opens it");
                packet.reply(b"late")
            }
            payload => packet.reply(payload),
        }
    }

    fn handle_error(&self, error: &HandlerError) {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
        let source = source.expect("an error of the system or of the handler");
        let copy = source.raw_os_error().map_or_else(|| source.kind().into(), io::Error::from_raw_os_error);
        send(&self.errors, (error.hook(), copy));
    }
}

fn send<T>(sender: &Mutex<Sender<T>>, value: T) {
    // A test that looks only at replies has dropped the other end.
    let _ = sender.lock().unwrap_or_else(PoisonError::into_inner).send(value);
}

macro_rules! witnesses {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, hooks)]
        struct $name(Witness);

        impl Hooks for $name {
            fn handle_error(&self, error: &HandlerError, _: &Address) {
                self.0.handle_error(error);
            }
        }

        #[handler]
        impl $name {
            fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
                self.0.handle(packet)
            }
        }
    )*};
}

witnesses! {
    Udp: udp;
    UnixDatagram: unix_datagram;
}

#[test]
fn an_unnamed_peer_is_an_error_only_when_it_is_answered() {
    let place = Place::new();
    let (witness, reports) = Witness::new();
    let server = UnixDatagram(witness).bind(place.path("server")).unwrap().start().unwrap();
    let client = UnixSocket::unbound().unwrap();
    for packet in ["nothing", "echo", "gather"] {
        client.send_to(packet.as_bytes(), place.path("server")).unwrap();
        assert_eq!(next(&reports.seen).peer, Address::Unnamed);
    }
    for hook in [Hook::Handle, Hook::Finish] {
        let (failed, error) = next(&reports.errors);
        assert_eq!((failed, error.kind()), (hook, io::ErrorKind::AddrNotAvailable));
    }
    assert_eq!(ask_packet(server.local_address(), b"named").unwrap(), b"named");
    wait_until("it is finished", || server.stats().active == 0);
    assert_eq!((server.stats().finished, server.stats().failed), (2, 2));
}

#[test]
fn what_was_written_is_one_reply_and_sent_if_the_handler_succeeds() {
    let (witness, reports) = Witness::new();
    let server = Udp(witness).bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = client("127.0.0.1:0", server.local_address());
    for packet in ["gather", "nothing", "gather and fail", "end"] {
        client.send(packet.as_bytes()).unwrap();
    }
    // The server takes one after the other: whatever it sent before is before the echo.
    assert_eq!(receive(&client), b"one 5 ()");
    assert_eq!(receive(&client), b"end");
    assert_eq!(next(&reports.errors).0, Hook::Handle);
}

#[test]
fn a_packet_may_be_answered_several_times() {
    let (witness, _reports) = Witness::new();
    let server = Udp(witness).bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = client("127.0.0.1:0", server.local_address());
    for packet in ["thrice", "end"] {
        client.send(packet.as_bytes()).unwrap();
    }
    for reply in ["first", "second", "third", "end"] {
        assert_eq!(receive(&client), reply.as_bytes());
    }
}

#[test]
fn a_reply_that_fits_no_packet_is_an_error_and_the_server_goes_on() {
    let (witness, reports) = Witness::new();
    let server = Udp(witness).bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = client("127.0.0.1:0", server.local_address());
    refuses_what_is_too_long(&reports, |packet| client.send(packet));
    assert_eq!(ask_packet(server.local_address(), b"next").unwrap(), b"next");

    let place = Place::new();
    let (witness, reports) = Witness::new();
    let server = UnixDatagram(witness).bind(place.path("server")).unwrap().start().unwrap();
    let client = UnixSocket::bind(place.path("client")).unwrap();
    refuses_what_is_too_long(&reports, |packet| client.send_to(packet, place.path("server")));
    assert_eq!(ask_packet(server.local_address(), b"next").unwrap(), b"next");
}

fn refuses_what_is_too_long(reports: &Reports, send: impl Fn(&[u8]) -> io::Result<usize>) {
    for (packet, hook) in [("huge", Hook::Handle), ("huge, gathered", Hook::Finish)] {
        send(packet.as_bytes()).unwrap();
        let (failed, error) = next(&reports.errors);
        assert_eq!((failed, error.raw_os_error()), (hook, Some(libc::EMSGSIZE)));
    }
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    let (witness, reports) = Witness::new();
    let everywhere = Udp(witness).bind("0.0.0.0:0").unwrap().start().unwrap();
    for server in ["127.0.0.1", "127.0.0.2", "127.1.2.3"] {
        is_answered_from(everywhere.local_address(), server, "127.0.0.1:0", &reports);
    }

    let (witness, reports) = Witness::new();
    let everywhere = Udp(witness).bind("[::]:0").unwrap().start().unwrap();
    is_answered_from(everywhere.local_address(), "::1", "[::1]:0", &reports);
    for server in ["127.0.0.1", "127.0.0.2"] {
        is_answered_from(everywhere.local_address(), server, "127.0.0.1:0", &reports);
    }
}

fn is_answered_from(bound: &Address, ip: &str, client_address: &str, reports: &Reports) {
    let server = SocketAddr::new(ip.parse().unwrap(), bound.port().unwrap());
    // A connected socket receives from this address only.
    let client = client(client_address, &server.into());
    let expected = |payload: &[u8]| Seen {
        payload: payload.to_vec(),
        peer: client.local_addr().unwrap().into(),
        local: server.into(),
    };
    for packet in [&b"echo"[..], b"gather", b"clone"] {
        client.send(packet).unwrap();
        assert_eq!(next(&reports.seen), expected(packet));
    }
    assert_eq!(receive(&client), b"echo");
    assert_eq!(receive(&client), b"one 5 ()");
    assert_eq!(receive(&client), b"gathered");
    next(&reports.writers).write_all(b"later").unwrap();
    assert_eq!(receive(&client), b"later");
}

#[test]
fn a_broadcast_is_answered() {
    for everywhere in ["0.0.0.0:0", "[::]:0"] {
        let (witness, reports) = Witness::new();
        let everywhere = Udp(witness).bind(everywhere).unwrap().start().unwrap();
        let port = everywhere.local_address().port().unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(b"anybody?", ("127.255.255.255", port)).unwrap();
        let seen = next(&reports.seen);
        assert_eq!(
            (&*seen.payload, seen.local),
            (&b"anybody?"[..], Address::from(SocketAddr::from(([127, 0, 0, 1], port))))
        );
        wait_until("it is answered", || everywhere.stats().active == 0);
        assert_eq!(everywhere.stats().failed, 0);
        assert_eq!(receive(&client), b"anybody?");
    }
}

#[test]
fn a_peer_that_is_gone_before_its_reply_ends_nothing() {
    let (witness, reports) = Witness::new();
    let server = Udp(witness).bind("127.0.0.1:0").unwrap().start().unwrap();
    for _ in 0..20 {
        let client = client("127.0.0.1:0", server.local_address());
        for packet in [&b"clone"[..], b"wait"] {
            client.send(packet).unwrap();
            next(&reports.seen);
        }
        drop(client);
        reports.gate.send(()).unwrap();
        // ICMP says that the port is closed, to whom it may concern.
        let mut writer = next(&reports.writers);
        for _ in 0..3 {
            let _ = writer.write_all(b"later");
        }
        assert_eq!(ask_packet(server.local_address(), b"next").unwrap(), b"next");
        next(&reports.seen);
    }
    assert_eq!(server.stats().accepted, 20 * 3);
}

#[test]
fn a_peer_that_has_closed_its_unix_socket_is_an_error_of_its_own_request() {
    let place = Place::new();
    let (witness, reports) = Witness::new();
    let server = UnixDatagram(witness).bind(place.path("server")).unwrap().start().unwrap();
    let client = UnixSocket::bind(place.path("client")).unwrap();
    client.send_to(b"wait", place.path("server")).unwrap();
    next(&reports.seen);
    drop(client);
    reports.gate.send(()).unwrap();
    assert_eq!(next(&reports.errors).1.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(ask_packet(server.local_address(), b"next").unwrap(), b"next");
}

#[test]
fn a_cloned_writer_sends_each_write_as_a_packet_of_its_own() {
    let (witness, reports) = Witness::new();
    let server = Udp(witness).bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = client("127.0.0.1:0", server.local_address());
    client.send(b"clone").unwrap();
    assert_eq!(receive(&client), b"gathered");
    let mut writer = next(&reports.writers);
    let clone_of_clone = writer.try_clone().unwrap();
    for mut writer in [&mut writer, &mut { clone_of_clone }] {
        writer.write_all(b"one").unwrap();
        write!(&mut writer, "{}{:?}", 2, ()).unwrap();
        writer.write_all(b"").unwrap();
        writer.write_all(b"three").unwrap();
        // An empty `write_all` writes nothing, an empty write is a packet.
        assert_eq!(writer.write(b"").unwrap(), 0);
        for packet in ["one", "2()", "three", ""] {
            assert_eq!(receive(&client), packet.as_bytes());
        }
    }
    // A handle holds the socket, not the server.
    server.shutdown().unwrap();
    writer.write_all(b"after the end").unwrap();
    assert_eq!(receive(&client), b"after the end");
}

const PATIENCE: Duration = Duration::from_secs(20);

/// A socket that sends to and receives from `server` only.
fn client(address: &str, server: &Address) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut packet = vec![0; 65_536];
    let length = client.recv(&mut packet).expect("a packet");
    packet.truncate(length);
    packet
}

fn next<T>(reports: &Receiver<T>) -> T {
    reports.recv_timeout(PATIENCE).expect("the server reports")
}
