//! What is kept of a long message or reply while the next one is waited for.
#![allow(unsafe_code, reason = "an allocator is counted by another around it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use socketserver::{Answer, LengthPrefixed, Reply, Writer, handler, socket_server};
use support::wait_until;

/// The system's allocator, and how much of it is in use.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[socket_server(tcp, threading)]
struct Echo;

/// The same, formatted.
struct Text(String);

impl Reply for Text {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message_fmt(format_args!("{}", self.0))
    }
}

#[handler(frame = LengthPrefixed<u32>)]
impl Echo {
    #[message]
    fn message(&self, text: String) -> Text {
        Text(text)
    }
}

/// Replies with more than fits a packet.
#[socket_server(udp)]
struct TooMuch;

#[handler]
impl TooMuch {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        output.write_all(&vec![b'x'; LONG])
    }
}

const LONG: usize = 1 << 20;

/// The counter is one for all, so this is one test.
#[test]
fn what_is_long_is_given_back() {
    a_connection_keeps_little();
    a_packet_leaves_little();
}

fn a_packet_leaves_little() {
    let server = TooMuch.bind("127.0.0.1:0").unwrap().start().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_address()).unwrap();
    let before = IN_USE.load(SeqCst);
    client.send(b"").unwrap();
    wait_until("the reply has failed", || server.stats().failed == 1);
    wait_until("its memory is given back", || IN_USE.load(SeqCst) < before + LONG / 2);
    server.shutdown().unwrap();
}

fn a_connection_keeps_little() {
    let server = Echo.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut exchange = |length: usize| {
        let framed = [&u32::try_from(length).unwrap().to_be_bytes(), vec![b'x'; length].as_slice()].concat();
        client.write_all(&framed).unwrap();
        let mut reply = vec![0; framed.len()];
        client.read_exact(&mut reply).unwrap();
        assert!(reply == framed);
    };
    exchange(1);
    let before = IN_USE.load(SeqCst);
    for _ in 0..3 {
        exchange(LONG);
        wait_until("the connection keeps little", || IN_USE.load(SeqCst) < before + LONG / 2);
    }
    exchange(1);
    server.shutdown().unwrap();
}
