//! The options of a server: that each does what it says, by the attribute and by the builder, which has the last word;
//! and that values without sense are refused. Those of sockets are in `socket_options.rs`.

use std::fmt::Debug;
use std::hint::black_box;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use socketserver::{Datagram, Reader, Running, Writer, handler, socket_server};
use support::{Place, ask, ask_packet, connect, wait_until};

const IPV4: &str = "127.0.0.1:0";

/// Says what it has received of a packet, and whether that is all.
#[socket_server(udp, max_packet_size = 4)]
struct Packets;

#[handler]
impl Packets {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        let payload = String::from_utf8_lossy(packet.payload()).into_owned();
        packet.reply(format!("{payload} {}", packet.is_truncated()).as_bytes())
    }
}

#[test]
fn a_packet_is_as_long_as_max_packet_size_at_the_most() {
    let running = Packets.bind(IPV4).unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"1234").unwrap(), b"1234 false");
    assert_eq!(ask_packet(running.local_address(), b"12345").unwrap(), b"1234 true");
    let running = Packets.builder().max_packet_size(5).bind(IPV4).unwrap().start().unwrap();
    assert_eq!(ask_packet(running.local_address(), b"12345").unwrap(), b"12345 false");
}

#[socket_server(tcp, max_line = 4, read_buffer = 16)]
struct Lines;

#[handler]
impl Lines {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let buffered = input.fill_buf()?.len();
        match input.next_line() {
            Ok(line) => writeln!(output, "{} of {buffered}", line.unwrap_or_default().len()),
            Err(error) => writeln!(output, "{:?} of {buffered}", error.kind()),
        }
    }
}

#[test]
fn a_line_is_as_long_as_max_line_at_the_most() {
    let running = Lines.bind(IPV4).unwrap().start().unwrap();
    assert_eq!(send_at_once(&running, "1234\n"), "4 of 5\n");
    assert_eq!(send_at_once(&running, "12345\n"), "InvalidData of 6\n");
    let running = Lines.builder().max_line(5).bind(IPV4).unwrap().start().unwrap();
    assert_eq!(send_at_once(&running, "12345\n"), "5 of 6\n");
}

#[test]
fn so_much_is_received_at_once_as_the_read_buffer_holds() {
    let line = format!("{}\n", "x".repeat(99));
    let running = Lines.builder().max_line(200).bind(IPV4).unwrap().start().unwrap();
    assert_eq!(send_at_once(&running, &line), "99 of 16\n");
    let running = Lines.builder().max_line(200).read_buffer(50).bind(IPV4).unwrap().start().unwrap();
    assert_eq!(send_at_once(&running, &line), "99 of 50\n");
}

/// Sends in one write, so that the server can receive it in one read.
fn send_at_once(running: &Running<Lines>, text: &str) -> String {
    let mut client = TcpStream::connect(running.local_address()).unwrap();
    client.write_all(text.as_bytes()).unwrap();
    io::read_to_string(client).unwrap()
}

/// Writes a piece whenever it is told to, without waiting for its client in between.
#[socket_server(tcp, write_buffer = 0)]
struct Pieces {
    pieces: Mutex<Receiver<&'static str>>,
    written: Sender<()>,
}

#[handler]
impl Pieces {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        for piece in self.pieces.lock().unwrap().iter() {
            output.write_all(piece.as_bytes())?;
            let _ = self.written.send(());
        }
        Ok(())
    }
}

#[test]
fn without_a_write_buffer_every_write_is_sent_by_itself() {
    let (tell, pieces) = channel();
    let (written, _ignored) = channel();
    let running = Pieces { pieces: Mutex::new(pieces), written }.bind(IPV4).unwrap().start().unwrap();
    let mut client = connect(running.local_address()).unwrap();
    for piece in ["one", "two", "three"] {
        tell.send(piece).unwrap();
        assert_eq!(read(&mut client, piece.len()), piece);
    }
    // The handler ends with its pieces.
    drop(tell);
}

#[test]
fn what_is_written_is_gathered_up_to_the_write_buffer() {
    let (tell, pieces) = channel();
    let (written, was_written) = channel();
    let service = Pieces { pieces: Mutex::new(pieces), written };
    let running = service.builder().write_buffer(4).bind(IPV4).unwrap().start().unwrap();
    let mut client = TcpStream::connect(running.local_address()).unwrap();
    tell.send("ab").unwrap();
    was_written.recv().unwrap();
    client.set_nonblocking(true).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    tell.send("cde").unwrap();
    assert_eq!(read(&mut client, 2), "ab");
    tell.send("123456789").unwrap();
    assert_eq!(read(&mut client, 12), "cde123456789");
    tell.send("end").unwrap();
    drop(tell);
    assert_eq!(io::read_to_string(client).unwrap(), "end");
}

/// Needs more stack than a thread has by default.
#[socket_server(tcp, threading, stack_size = 48 << 20)]
struct Deep;

#[handler]
impl Deep {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        writeln!(output, "{}", deep())
    }
}

#[allow(clippy::large_stack_arrays, reason = "to use the stack is the point")]
fn deep() -> usize {
    let large = black_box([1_u8; 8 << 20]);
    large.iter().map(|byte| usize::from(*byte)).sum()
}

#[test]
fn the_threads_have_the_stack_that_was_asked_for() {
    let running = Deep.bind(IPV4).unwrap().start().unwrap();
    assert_eq!(ask(running.local_address(), "").unwrap(), (8 << 20).to_string());

    let server = Deep.builder().stack_size(32 << 20).timeout(Duration::from_secs(20)).bind(IPV4).unwrap();
    let mut client = connect(server.local_address()).unwrap();
    assert!(server.handle_request().unwrap());
    assert_eq!(read(&mut client, 7), (8 << 20).to_string());
}

#[socket_server(tcp, threading, max_threads = 2)]
struct Few {
    both: Barrier,
    inside: AtomicUsize,
    most: AtomicUsize,
}

#[handler]
impl Few {
    fn handle(&self, input: &mut Reader) -> io::Result<()> {
        self.most.fetch_max(self.inside.fetch_add(1, SeqCst) + 1, SeqCst);
        // Each waits for the others, so that so many at once there must be.
        self.both.wait();
        input.next_line()?;
        self.inside.fetch_sub(1, SeqCst);
        Ok(())
    }
}

#[test]
fn max_threads_requests_are_handled_at_once_and_no_more() {
    let count =
        |limit: usize| Few { both: Barrier::new(limit), inside: AtomicUsize::new(0), most: AtomicUsize::new(0) };
    for (limit, server) in [(2, count(2).bind(IPV4)), (3, count(3).builder().max_threads(3).bind(IPV4))] {
        // The first threads find requests at once, while others are still being started.
        let server = server.unwrap();
        let clients: Vec<_> = (0..limit * 4).map(|_| connect(server.local_address()).unwrap()).collect();
        let running = server.start().unwrap();
        wait_until("as many as may be are inside", || running.service().inside.load(SeqCst) >= limit);
        let stats = running.stats();
        assert_eq!((stats.accepted, stats.active), (limit as u64, limit as u64));
        drop(clients);
        wait_until("all are finished", || running.stats().finished == 4 * limit as u64);
        assert_eq!(running.service().most.load(SeqCst), limit);
    }
}

#[test]
fn zero_is_refused_by_name() {
    fn is_refused(name: &str, bound: io::Result<impl Debug>) {
        let error = bound.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (io::ErrorKind::InvalidInput, format!("`{name}` must be at least 1"))
        );
    }
    is_refused("max_line", Lines.builder().max_line(0).bind(IPV4));
    is_refused("max_message", Lines.builder().max_message(0).bind(IPV4));
    is_refused("read_buffer", Lines.builder().read_buffer(0).bind(IPV4));
    is_refused("max_packet_size", Packets.builder().max_packet_size(0).bind(IPV4));
    is_refused("max_threads", Deep.builder().max_threads(0).bind(IPV4));
    is_refused("max_children", Forks.builder().max_children(0).bind(IPV4));
    is_refused("max_line", Never.bind(IPV4));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    fn is_refused(why: &str, bound: io::Result<impl Debug>) {
        let error = bound.unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::InvalidInput, why.to_owned()));
    }
    for too_short in [Duration::ZERO, Duration::from_nanos(999)] {
        let why = |name| format!("`{name}` must be at least a microsecond, or `None`");
        is_refused(&why("service_interval"), Deep.builder().service_interval(too_short).bind(IPV4));
        is_refused(&why("read_timeout"), Deep.builder().read_timeout(too_short).bind(IPV4));
        is_refused(&why("write_timeout"), Deep.builder().write_timeout(too_short).bind(IPV4));
        is_refused(&why("request_deadline"), Deep.builder().request_deadline(too_short).bind(IPV4));
    }
    let why = "`max_packet_size` must be at most 2147483647";
    is_refused(why, Packets.builder().max_packet_size(usize::MAX).bind(IPV4));
    // What was meant is 0o660.
    let place = Place::new();
    let why = "`socket_mode` must be permission bits, such as `0o660`";
    is_refused(why, UnixStream.builder().socket_mode(660).bind(place.path("server")));
    assert!(!place.path("server").exists());
}

#[socket_server(unix_stream)]
struct UnixStream;

#[handler]
impl UnixStream {
    fn handle(&self) {}
}

#[socket_server(tcp, forking)]
struct Forks;

#[handler]
impl Forks {
    fn handle(&self) {}
}

const NONE: usize = 0;

#[socket_server(udp, max_line = NONE)]
struct Never;

#[handler]
impl Never {
    fn handle(&self) {}
}

fn read(client: &mut impl Read, length: usize) -> String {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
