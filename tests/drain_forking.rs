//! What a shutdown does about the children in progress.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use signal_hook::low_level::raise;
use socketserver::{Hooks, Reader, ShutdownHandle, Writer, handler, socket_server};
use support::{Conversation, connect, wait_until};

/// Echoes lines. At `work` it waits for the shutdown and then for the word `go`; at `look` it looks at the beginning
/// of the next line; at `stop` it stops the server, at `twice` and `go` without mercy; at `sleep` it sleeps.
#[socket_server(tcp, forking, hooks)]
#[derive(Default)]
struct Echo {
    /// A signal comes when a request has been taken, and has no child yet.
    signalled: bool,
}

impl Hooks for Echo {
    fn service_actions(&self) {
        if self.signalled {
            raise(libc::SIGTERM).unwrap();
        }
    }

    fn child_exited(&self, _: u32, _: std::process::ExitStatus) {}
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            match line {
                "work" => {
                    println!("begun");
                    input.read_exact(&mut [0; 3])?;
                    writeln!(output, "worked, shutting down: {}", shutdown.is_shutting_down())?;
                }
                "look" => {
                    input.fill_buf()?;
                    println!("begun");
                }
                "stop" => {
                    shutdown.shutdown();
                    writeln!(output, "stopping")?;
                }
                "twice" => {
                    println!("begun");
                    input.read_exact(&mut [0; 3])?;
                    shutdown.shutdown();
                    shutdown.shutdown();
                    loop {
                        thread::park();
                    }
                }
                "sleep" => {
                    println!("begun");
                    loop {
                        thread::park();
                    }
                }
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("idle_connections_are_closed_at_once", idle_connections_are_closed_at_once),
            (
                "a_request_in_progress_finishes_and_sees_the_shutdown",
                a_request_in_progress_finishes_and_sees_the_shutdown,
            ),
            ("half_a_line_is_a_request_in_progress", half_a_line_is_a_request_in_progress),
            (
                "what_takes_longer_than_the_drain_is_cut_and_counted",
                what_takes_longer_than_the_drain_is_cut_and_counted,
            ),
            ("a_second_shutdown_cuts_at_once", a_second_shutdown_cuts_at_once),
            ("a_handler_may_shut_its_server_down", a_handler_may_shut_its_server_down),
            ("no_request_is_accepted_after_a_shutdown", no_request_is_accepted_after_a_shutdown),
            ("a_shutdown_right_before_a_fork_cuts_nothing", a_shutdown_right_before_a_fork_cuts_nothing),
            (
                "a_program_that_waits_for_its_signals_drains_its_children",
                a_program_that_waits_for_its_signals_drains_its_children,
            ),
            (
                "what_has_the_number_of_a_child_that_is_gone_is_left_alone",
                what_has_the_number_of_a_child_that_is_gone_is_left_alone,
            ),
            ("without_block_on_close_nothing_is_waited_for", without_block_on_close_nothing_is_waited_for),
        ],
        &[
            ("patient", patient),
            ("impatient", impatient),
            ("indifferent", indifferent),
            ("signalled", signalled),
            ("waiting", waiting),
            ("reaping", reaping),
        ],
    )
}

fn idle_connections_are_closed_at_once() {
    let server = support::Server::start("patient", &[]);
    let mut clients: Vec<_> = (0..4).map(|_| Conversation::with(server.address())).collect();
    for client in &mut clients[..2] {
        client.send("hello\n");
        assert_eq!(client.line(), "hello");
    }
    wait_until("each has its child", || children_of(server.pid()) == clients.len());
    assert_eq!(server.stop(), "accepted 4, finished 4, cut 0, active 0\n");
    clients.into_iter().for_each(Conversation::expect_end);
}

fn a_request_in_progress_finishes_and_sees_the_shutdown() {
    let mut server = support::Server::start("patient", &[]);
    let mut client = Conversation::with(server.address());
    client.send("work\n");
    assert_eq!(server.line(), "begun");
    let mut other = Conversation::with(server.address());
    other.send("hello\n");
    assert_eq!(other.line(), "hello");
    server.signal(libc::SIGTERM);
    // The parent has told all its children when it has told one of them; this one was told first.
    other.expect_end();
    client.send("go\n");
    assert_eq!(client.line(), "worked, shutting down: true");
    client.expect_end();
    assert_eq!(server.wait().1, "accepted 2, finished 2, cut 0, active 0\n");
}

fn half_a_line_is_a_request_in_progress() {
    let mut server = support::Server::start("patient", &[]);
    let mut client = with_half_a_line(&mut server);
    server.signal(libc::SIGTERM);
    client.send("f\n");
    assert_eq!(client.line(), "half");
    client.expect_end();
    assert_eq!(server.wait().1, "accepted 1, finished 1, cut 0, active 0\n");
}

fn what_takes_longer_than_the_drain_is_cut_and_counted() {
    let mut server = support::Server::start("impatient", &[]);
    let half = with_half_a_line(&mut server);
    let mut asleep = Conversation::with(server.address());
    asleep.send("sleep\n");
    assert_eq!(server.line(), "begun");
    assert_eq!(server.stop(), "accepted 2, finished 0, cut 2, active 0\n");
    half.expect_end_or_reset();
    asleep.expect_end_or_reset();
}

fn a_second_shutdown_cuts_at_once() {
    let mut server = support::Server::start("patient", &[]);
    let mut clients = [Conversation::with(server.address()), Conversation::with(server.address())];
    // Both calls come from children, and reach the parent.
    for client in &mut clients {
        client.send("twice\n");
        assert_eq!(server.line(), "begun");
    }
    clients[0].send("go\n");
    assert_eq!(server.wait().1, "accepted 2, finished 0, cut 2, active 0\n");
    clients.into_iter().for_each(Conversation::expect_end_or_reset);
}

fn a_handler_may_shut_its_server_down() {
    let server = support::Server::start("patient", &[]);
    let mut client = Conversation::with(server.address());
    client.send("stop\n");
    assert_eq!(client.line(), "stopping");
    client.expect_end();
    let address = server.address().clone();
    assert_eq!(server.wait().1, "accepted 1, finished 1, cut 0, active 0\n");
    assert_eq!(connect(&address).err().expect("nobody is there").kind(), io::ErrorKind::ConnectionRefused);
}

fn no_request_is_accepted_after_a_shutdown() {
    let mut server = support::Server::start("patient", &[]);
    let mut client = Conversation::with(server.address());
    client.send("work\n");
    assert_eq!(server.line(), "begun");
    let mut stopping = Conversation::with(server.address());
    stopping.send("stop\n");
    assert_eq!(stopping.line(), "stopping");
    let late = TcpStream::connect(server.address());
    client.send("go\n");
    assert_eq!(client.line().split(',').next(), Some("worked"));
    assert_eq!(server.wait().1, "accepted 2, finished 2, cut 0, active 0\n");
    if let Ok(mut late) = late {
        // The kernel may have forgotten a handshake that the end of the listener met: it says so when it is spoken to.
        let _ = late.write_all(b"hello\n");
        Conversation::over(late).expect_end_or_reset();
    }
}

/// The child is told to drain, perhaps before it has begun: it has its request, and replies.
fn a_shutdown_right_before_a_fork_cuts_nothing() {
    for _ in 0..50 {
        let mut server = support::Server::start("signalled", &[]);
        let mut client = Conversation::with(server.address());
        client.send("hello\n");
        // The line is there when the connection is accepted.
        writeln!(server.input(), "serve").unwrap();
        let (status, output) = server.wait();
        assert!(status.success(), "{status}");
        assert_eq!(output, "accepted 1, finished 1, cut 0, active 0\n");
        assert_eq!(client.line(), "hello");
    }
}

/// It blocks them in every other thread, and the children inherit that.
fn a_program_that_waits_for_its_signals_drains_its_children() {
    let server = support::Server::start("waiting", &[]);
    let mut client = Conversation::with(server.address());
    client.send("hello\n");
    assert_eq!(client.line(), "hello");
    assert_eq!(server.stop(), "accepted 1, finished 1, cut 0, active 0\n");
    client.expect_end();
}

/// A program may wait for all children, and the number of one that was waited for goes to another process.
fn what_has_the_number_of_a_child_that_is_gone_is_left_alone() {
    let mut server = support::Server::start("reaping", &[]);
    drop(Conversation::with(server.address()));
    match &*server.line() {
        "no choice" => println!("the numbers of processes cannot be chosen here"),
        line => assert_eq!(line, "its end: Some(0)"),
    }
    assert!(server.wait().0.success());
}

fn without_block_on_close_nothing_is_waited_for() {
    let mut server = support::Server::start("indifferent", &[]);
    let mut client = Conversation::with(server.address());
    client.send("work\n");
    assert_eq!(server.line(), "begun");
    server.signal(libc::SIGTERM);
    assert_eq!(server.line(), "accepted 1, finished 0, cut 0, active 1");
    client.send("go\n");
    assert_eq!(client.line().split(',').next(), Some("worked"));
    drop(client);
    assert!(server.wait().0.success());
}

/// A client whose handler has seen the beginning of a line.
fn with_half_a_line(server: &mut support::Server) -> Conversation {
    let mut client = Conversation::with(server.address());
    client.send("look\n");
    client.send("hal");
    assert_eq!(server.line(), "begun");
    client
}

fn children_of(pid: u32) -> usize {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().count()
}

fn patient() {
    serve(Echo::default().builder().drain_timeout(None).bind(ADDRESS));
}

fn impatient() {
    serve(Echo::default().builder().drain_timeout(Duration::from_millis(50)).bind(ADDRESS));
}

fn indifferent() {
    serve(Echo::default().builder().block_on_close(false).drain_timeout(None).bind(ADDRESS));
}

fn signalled() {
    let server = Echo { signalled: true }.builder().drain_timeout(None).bind(ADDRESS).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    io::stdin().read_line(&mut String::new()).unwrap();
    serve_until_shutdown(&server);
}

#[allow(unsafe_code, reason = "std knows no signals")]
fn waiting() {
    let server = Echo::default().builder().drain_timeout(None).bind(ADDRESS).unwrap();
    let shutdown = server.shutdown_handle();
    // SAFETY: each call gets valid places, and a valid signal.
    let signals = unsafe {
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        signals
    };
    thread::spawn(move || {
        let mut signal = 0;
        // SAFETY: both are valid places.
        let result = unsafe { libc::sigwait(&raw const signals, &raw mut signal) };
        assert_eq!(result, 0);
        shutdown.shutdown();
    });
    support::serves(server.local_address());
    serve_until_shutdown(&server);
}

fn reaping() {
    let server = Echo::default().builder().drain_timeout(None).bind(ADDRESS).unwrap();
    support::serves(server.local_address());
    assert!(server.handle_request().unwrap());
    // SAFETY: nobody asks for the status.
    #[allow(unsafe_code, reason = "std waits for its own children only")]
    let child = unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
    // Another process may be quicker.
    let namesake = (0..100).find_map(|_| {
        std::fs::write("/proc/sys/kernel/ns_last_pid", (child - 1).to_string()).ok()?;
        let mut namesake = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        if i64::from(namesake.id()) == i64::from(child) {
            return Some(namesake);
        }
        namesake.kill().unwrap();
        namesake.wait().unwrap();
        None
    });
    drop(server);
    match namesake {
        None => println!("no choice"),
        Some(mut namesake) => {
            drop(namesake.stdin.take());
            println!("its end: {:?}", namesake.wait().unwrap().code());
        }
    }
}

const ADDRESS: &str = "127.0.0.1:0";

fn serve(server: io::Result<socketserver::Server<Echo>>) {
    let server = server.unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    serve_until_shutdown(&server);
}

fn serve_until_shutdown(server: &socketserver::Server<Echo>) {
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("accepted {}, finished {}, cut {}, active {}", stats.accepted, stats.finished, stats.cut, stats.active);
}
