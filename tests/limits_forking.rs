//! The limit of `forking`: exact, whatever the children do, and no obstacle to a shutdown.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::panic::resume_unwind;
use std::process::{ExitCode, ExitStatus, abort};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use socketserver::{Address, HandlerError, Hooks, Reader, Writer, handler, socket_server};
use support::{ask, connect, wait_until};

/// Ends each request as it is asked to, and counts the children.
#[socket_server(tcp, forking, hooks)]
#[derive(Default)]
struct Gate {
    peak: AtomicUsize,
}

impl Hooks for Gate {
    /// In the parent, for each request, before the child of it is made.
    fn service_actions(&self) {
        self.peak.fetch_max(support::children().len() + 1, SeqCst);
    }

    fn handle_error(&self, _: &HandlerError, _: &Address) {}

    fn child_exited(&self, _: u32, _: ExitStatus) {}
}

#[handler]
impl Gate {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        match input.next_line()? {
            // Without the noise of `panic!`.
            Some("panic") => resume_unwind(Box::new("as asked")),
            Some("abort") => abort(),
            Some("fail") => Err(io::Error::other("as asked")),
            Some("stay") => {
                writeln!(output, "staying")?;
                input.next_line().map(drop)
            }
            Some(line) => writeln!(output, "{line}"),
            None => Ok(()),
        }
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("a_limit_of_one_is_exact", || is_exact(1)),
            ("a_limit_of_four_is_exact", || is_exact(4)),
            (
                "at_the_limit_clients_wait_in_the_kernel_and_are_served_later",
                at_the_limit_clients_wait_in_the_kernel_and_are_served_later,
            ),
            (
                "a_shutdown_at_the_limit_closes_those_who_stay_at_once",
                a_shutdown_at_the_limit_closes_those_who_stay_at_once,
            ),
            (
                "handle_request_waits_at_the_limit_no_longer_than_its_timeout",
                handle_request_waits_at_the_limit_no_longer_than_its_timeout,
            ),
        ],
        &[("gate", gate), ("handle_requests", handle_requests)],
    )
}

/// A hundred crowds of more than there is room for, and after each there still is room for as many as there should be.
fn is_exact(limit: usize) {
    const ROUNDS: usize = 100;
    const ENDS: [&str; 5] = ["panic", "fail", "abort", "", "hello"];

    let server = support::Server::start("gate", &[&limit.to_string()]);
    let address = server.address();
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for line in ENDS {
                scope.spawn(move || {
                    let reply = ask(address, line).unwrap();
                    assert_eq!(reply, if line == "hello" { line } else { "" });
                });
            }
        });
        drop((0..limit).map(|_| stay(address)).collect::<Vec<_>>());
    }
    let (finished, failed) = (ROUNDS * (2 + limit), ROUNDS * 3);
    assert_eq!(server.stop(), format!("peak {limit}, finished {finished}, failed {failed}, cut 0\n"));
}

fn at_the_limit_clients_wait_in_the_kernel_and_are_served_later() {
    let server = support::Server::start("gate", &["1"]);
    let mut staying = stay(server.address());
    let mut waiting = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
    writeln!(waiting, "hello").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);

    writeln!(staying.get_mut(), "go").unwrap();
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(io::read_to_string(waiting).unwrap(), "hello\n");
    assert_eq!(server.stop(), "peak 1, finished 2, failed 0, cut 0\n");
}

fn a_shutdown_at_the_limit_closes_those_who_stay_at_once() {
    let server = support::Server::start("gate", &["2"]);
    let inside = [stay(server.address()), stay(server.address())];
    let outside = connect(server.address()).unwrap();
    // It would wait for ever if it waited for them.
    assert_eq!(server.stop(), "peak 2, finished 2, failed 0, cut 0\n");
    for staying in inside {
        assert_eq!(io::read_to_string(staying).unwrap(), "");
    }
    assert_eq!(io::read_to_string(outside).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

fn handle_request_waits_at_the_limit_no_longer_than_its_timeout() {
    let mut server = support::Server::start("handle_requests", &[]);
    let mut first = stay(server.address());
    assert_eq!(server.line(), "true");
    let address = server.address().clone();
    let second = thread::spawn(move || ask(&address, "hello").unwrap());
    writeln!(server.input(), "again").unwrap();
    assert_eq!(server.line(), "false");
    writeln!(first.get_mut(), "go").unwrap();
    assert_eq!(io::read_to_string(first).unwrap(), "");
    // The child may take its time to end.
    wait_until("the second is taken", || {
        writeln!(server.input(), "again").unwrap();
        server.line() == "true"
    });
    assert_eq!(second.join().unwrap(), "hello");
    writeln!(server.input(), "enough").unwrap();
    assert!(server.wait().0.success());
}

/// A client that is being served until it sends another line.
fn stay(server: &Address) -> BufReader<TcpStream> {
    let mut client = TcpStream::connect(server.socket_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    writeln!(client, "stay").unwrap();
    let mut client = BufReader::new(client);
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "staying\n");
    client
}

fn gate() {
    let limit = env::args().nth(3).unwrap().parse().unwrap();
    let server = Gate::default().builder().max_children(limit).drain_timeout(None).bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    let (stats, peak) = (server.stats(), server.service().peak.load(SeqCst));
    println!("peak {peak}, finished {}, failed {}, cut {}", stats.finished, stats.failed, stats.cut);
}

/// One request, and after each line `again` another.
fn handle_requests() {
    let timeout = Duration::from_millis(500);
    let server = Gate::default().builder().max_children(1).timeout(timeout).bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    // The first client has all the time that it needs.
    while !server.handle_request().unwrap() {}
    println!("true");
    for _ in io::stdin().lines().map_while(|line| line.ok().filter(|line| line == "again")) {
        println!("{}", server.handle_request().unwrap());
    }
}
