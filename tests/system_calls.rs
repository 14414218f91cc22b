//! What a short connection asks of the kernel, as strace(1) sees it: nothing but what it takes to serve it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write, stdin};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use socketserver::{Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server};
use support::{Place, wait_until};

#[socket_server(tcp)]
struct Upper;

#[handler]
impl Upper {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let mut request = [0; 16];
        input.read_exact(&mut request)?;
        request.make_ascii_uppercase();
        output.write_all(&request)
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("a_connection_of_a_threading_server_makes_six_calls", || makes_six_calls("threading", &[])),
            // The serving thread waits in poll(2), for a shutdown too; and bounds the wait of its reads, `SO_RCVTIMEO`.
            ("a_connection_of_an_iterative_server_makes_two_more", || {
                makes_six_calls("iterative", &["poll", "setsockopt"]);
            }),
        ],
        &[("threading", serve::<Threading>), ("iterative", serve::<Iterative>)],
    )
}

/// Serves until its input ends.
fn serve<M: MixIn>() {
    let server = Server::<Upper, Tcp, M>::bind("127.0.0.1:0", Upper).unwrap().start().unwrap();
    support::serves(server.local_address());
    stdin().read_to_end(&mut Vec::new()).unwrap();
    server.shutdown().unwrap();
}

const CONNECTIONS: usize = 200;

fn makes_six_calls(name: &str, also: &[&str]) {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        println!("there is no strace");
        return;
    }
    let place = Place::new();
    let calls = trace(name, &place.path("calls"));
    // The last waits, and what ends them, come with the shutdown.
    let times = |call: &str| calls.get(call).copied().unwrap_or_default() / CONNECTIONS;
    let served = ["sendto", "shutdown", "close"];
    assert!(served.iter().all(|call| times(call) == 1), "{calls:?}");
    // The request, and a look for input that would reset the connection.
    assert_eq!(times("recvfrom"), 2, "{calls:?}");
    // In a debug build std asks of each descriptor whether it is open.
    let std = if cfg!(debug_assertions) { &["fcntl"][..] } else { &[] };
    for (call, count) in &calls {
        if ![&served, &["accept4", "recvfrom"][..], std, also].iter().any(|known| known.contains(&&**call)) {
            // To begin and to end, and now and then because a connection came before the one before it was closed.
            assert!(*count < CONNECTIONS / 2, "{call} {count} times, of {calls:?}");
        }
    }
}

/// How often a server makes each system call while it serves so many connections, one after the other.
fn trace(name: &str, file: &Path) -> BTreeMap<String, usize> {
    let mut strace = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(file)
        .arg(env::current_exe().unwrap())
        .args(["--serve", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(strace.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let address = address.trim_end().parse().unwrap();
    // The first word of the first line is the server's process id.
    let traced = fs::read_to_string(file).unwrap();
    let descriptors = Path::new("/proc").join(traced.split_whitespace().next().unwrap()).join("fd");
    let open = || fs::read_dir(&descriptors).unwrap().count();
    let before = open();
    for _ in 0..CONNECTIONS {
        ask(address);
        wait_until("the connection is closed", || open() == before);
    }
    drop(strace.stdin.take());
    assert!(strace.wait().unwrap().success());
    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        // `pid call(arguments..`, and other lines for signals, ends and what is resumed.
        let Some((call, _)) = line.split_whitespace().nth(1).and_then(|text| text.split_once('(')) else { continue };
        *calls.entry(call.to_owned()).or_default() += 1;
    }
    calls
}

fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&[b'a'; 16]).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, [b'A'; 16]);
    // Else it would be the one to end the connection, and the server would see that.
    let _ = stream.shutdown(Shutdown::Write);
}
