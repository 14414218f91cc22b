//! Packets as they are received: empty, cut, or as long as can be. Those that answer them are in `datagram_replies.rs`.

use std::io::{self, BufRead, Write};
use std::net::UdpSocket;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketserver::{Address, Datagram, Reader, Writer, handler, socket_server};
use support::{Place, ask_packet, connect};

/// What the handler saw of a packet.
struct Seen {
    payload: Vec<u8>,
    truncated: bool,
}

/// Echoes packets, and tells the test what it saw; one that begins with a line `read` it answers with its lines.
macro_rules! echo {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport)]
        struct $name(Mutex<Sender<Seen>>);

        #[handler]
        impl $name {
            fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
                let seen = Seen { payload: packet.payload().to_vec(), truncated: packet.is_truncated() };
                // A test that looks only at replies has dropped the other end.
                let _ = self.0.lock().unwrap().send(seen);
                if !packet.payload().starts_with(b"read\n") {
                    return packet.reply(packet.payload());
                }
                let mut lines = Vec::new();
                while let Some(line) = packet.reader().next_line()? {
                    lines.push(line.to_owned());
                }
                packet.reply(lines.join(", ").as_bytes())
            }
        }
    )*};
}

echo! {
    Udp: udp;
    UnixDatagram: unix_datagram;
}

#[test]
fn an_empty_packet_is_a_request() {
    let (tell, seen) = channel();
    let server = Udp(Mutex::new(tell)).bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(server.local_address(), b"").unwrap(), b"");
    assert_eq!(next(&seen).payload, b"");

    let place = Place::new();
    let (tell, seen) = channel();
    let server = UnixDatagram(Mutex::new(tell)).bind(place.path("server")).unwrap().start().unwrap();
    assert_eq!(ask_packet(server.local_address(), b"").unwrap(), b"");
    assert_eq!(next(&seen).payload, b"");
}

#[test]
fn a_packet_that_is_too_long_is_cut_and_says_so() {
    let (tell, seen) = channel();
    let server = Udp(Mutex::new(tell)).builder().max_packet_size(10).bind("127.0.0.1:0").unwrap().start().unwrap();
    is_cut_at_10(server.local_address(), &seen);

    let place = Place::new();
    let (tell, seen) = channel();
    let server = UnixDatagram(Mutex::new(tell)).builder().max_packet_size(10).bind(place.path("server")).unwrap();
    let server = server.start().unwrap();
    is_cut_at_10(server.local_address(), &seen);
}

fn is_cut_at_10(server: &Address, seen: &Receiver<Seen>) {
    for (payload, whole) in
        [(&b"123456789"[..], true), (b"1234567890", true), (b"12345678901", false), (&[b'1'; 5_000], false)]
    {
        let expected = &payload[..payload.len().min(10)];
        assert_eq!(ask_packet(server, payload).unwrap(), expected);
        let Seen { payload, truncated } = next(seen);
        assert_eq!((&*payload, truncated), (expected, !whole));
    }
}

#[test]
fn the_longest_packets_are_received_whole() {
    let (tell, seen) = channel();
    let server = Udp(Mutex::new(tell)).bind("127.0.0.1:0").unwrap().start().unwrap();
    let longest: Vec<u8> = (0..=u8::MAX).cycle().take(65_507).collect();
    assert!(ask_packet(server.local_address(), &longest).unwrap() == longest);
    assert!(!next(&seen).truncated);

    // On a Unix-domain socket they may be longer than `max_packet_size`.
    let place = Place::new();
    let (tell, seen) = channel();
    let server = UnixDatagram(Mutex::new(tell)).bind(place.path("server")).unwrap().start().unwrap();
    let long: Vec<u8> = (0..=u8::MAX).cycle().take(65_536).collect();
    assert!(ask_packet(server.local_address(), &long[..65_535]).unwrap() == long[..65_535]);
    assert!(!next(&seen).truncated);
    assert!(ask_packet(server.local_address(), &long).unwrap() == long[..65_535]);
    assert!(next(&seen).truncated);
}

#[test]
fn a_packet_can_be_read_like_a_connection() {
    let (tell, _seen) = channel();
    let server = Udp(Mutex::new(tell)).bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(
        ask_packet(server.local_address(), b"read\nline by line\r\n\nto the end").unwrap(),
        b"read, line by line, , to the end"
    );
}

/// A thread keeps the buffer of one request for the next, of whatever kind.
#[test]
fn a_connection_after_a_short_packet_has_a_long_first_read() {
    #[socket_server(tcp)]
    struct FirstRead;

    #[handler]
    impl FirstRead {
        fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
            write!(output, "{}", input.fill_buf()?.len())
        }
    }

    let packets = Udp(Mutex::new(channel().0)).bind("127.0.0.1:0").unwrap();
    let connections = FirstRead.bind("127.0.0.1:0").unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"read\n", packets.local_address().socket_addr().unwrap()).unwrap();
    assert!(packets.handle_request().unwrap());

    let mut client = connect(connections.local_address()).unwrap();
    client.write_all(&[b'x'; 1_000]).unwrap();
    assert!(connections.handle_request().unwrap());
    assert_eq!(io::read_to_string(client).unwrap(), "1000");
}

fn next(seen: &Receiver<Seen>) -> Seen {
    seen.recv_timeout(Duration::from_secs(20)).expect("the server has received it")
}
