//! In its steady state a server allocates nothing for a request: neither for a short connection nor for a line,
//! a command or a packet over UDP.
#![allow(unsafe_code, reason = "an allocator is counted by another around it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use socketserver::{
    CommandName, Datagram, Iterative, MixIn, Reader, Rest, Server, Tcp, Threading, Udp, Writer, handler, socket_server,
};
use support::wait_until;

/// The system's, which counts what the threads of a server ask it for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread has served a request.
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    // A thread that is ending has nothing to serve.
    if SERVES.try_with(Cell::get).unwrap_or(false) {
        ALLOCATIONS.fetch_add(1, SeqCst);
    }
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) };
    }
}

#[socket_server(tcp)]
struct Echo;

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        SERVES.set(true);
        while let Some(line) = input.next_line()? {
            writeln!(output, "{line}")?;
        }
        Ok(())
    }
}

#[socket_server(udp)]
struct EchoPackets;

#[handler]
impl EchoPackets {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        SERVES.set(true);
        packet.reply(packet.payload())?;
        let (input, output) = packet.split();
        write!(output, "{}", input.next_line()?.unwrap_or_default())
    }
}

#[socket_server(tcp)]
struct Commands;

#[handler]
impl Commands {
    #[command("echo", "say")]
    fn echo<'m>(&self, _: CommandName, number: &'m str, bytes: &[u8], more: Option<&str>, rest: Rest) -> &'m str {
        SERVES.set(true);
        assert_eq!((bytes, more, &*rest), (&b"a"[..], Some("b"), "c d"));
        number
    }
}

/// The counter is one for all, so this is one test.
#[test]
fn a_warm_server_allocates_nothing() {
    assert!(counts());
    short_connections::<Iterative>();
    short_connections::<Threading>();
    lines::<Iterative>();
    lines::<Threading>();
    commands();
    packets::<Iterative>();
    packets::<Threading>();
}

/// Whether an allocation of a thread that serves is counted: if none were, all would be well.
fn counts() -> bool {
    let allocate = || {
        SERVES.set(true);
        let before = ALLOCATIONS.load(SeqCst);
        drop(std::hint::black_box(vec![0_u8; 100]));
        ALLOCATIONS.load(SeqCst) - before
    };
    thread::spawn(allocate).join().unwrap() == 1
}

fn short_connections<M: MixIn>() {
    let server = Server::<Echo, Tcp, M>::bind("127.0.0.1:0", Echo).unwrap().start().unwrap();
    let address = server.local_address().socket_addr().unwrap();
    settles(|number| {
        let mut stream = connect(address);
        writeln!(stream, "{number}").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(io::read_to_string(stream).unwrap(), format!("{number}\n"));
        // One at a time: that a thread is started for want of others is another matter.
        wait_until("the request is over", || server.stats().active == 0);
    });
    server.shutdown().unwrap();
}

fn lines<M: MixIn>() {
    let server = Server::<Echo, Tcp, M>::bind("127.0.0.1:0", Echo).unwrap().start().unwrap();
    let mut client = BufReader::new(connect(server.local_address().socket_addr().unwrap()));
    settles(|number| {
        let line = format!("{number:063}\n");
        client.get_mut().write_all(line.as_bytes()).unwrap();
        let mut reply = String::new();
        client.read_line(&mut reply).unwrap();
        assert_eq!(reply, line);
    });
    drop(client);
    server.shutdown().unwrap();
}

/// What they borrow from their message, and what is found by their names, costs nothing.
fn commands() {
    let server = Commands.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = BufReader::new(connect(server.local_address().socket_addr().unwrap()));
    settles(|number| {
        writeln!(client.get_mut(), "SAY {number:063} a b c d").unwrap();
        let mut reply = String::new();
        client.read_line(&mut reply).unwrap();
        assert_eq!(reply, format!("{number:063}\n"));
    });
    drop(client);
    server.shutdown().unwrap();
}

/// Those that are answered at once, and those whose reply is gathered.
fn packets<M: MixIn>() {
    let server = Server::<EchoPackets, Udp, M>::bind("127.0.0.1:0", EchoPackets).unwrap().start().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.connect(server.local_address()).unwrap();
    settles(|number| {
        let packet = format!("{number:063}");
        client.send(packet.as_bytes()).unwrap();
        for _ in 0..2 {
            let mut reply = [0; 99];
            let length = client.recv(&mut reply).unwrap();
            assert_eq!(reply[..length], *packet.as_bytes());
        }
        wait_until("the request is over", || server.stats().active == 0);
    });
    server.shutdown().unwrap();
}

/// Asks until a hundred requests in a row have cost the server no allocation.
fn settles(mut ask: impl FnMut(usize)) {
    let mut hundreds = 0..20;
    let allocates_nothing = |hundred: usize| {
        let before = ALLOCATIONS.load(SeqCst);
        (hundred * 100..(hundred + 1) * 100).for_each(&mut ask);
        ALLOCATIONS.load(SeqCst) == before
    };
    assert!(hundreds.any(allocates_nothing), "every hundred requests allocate something");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}
