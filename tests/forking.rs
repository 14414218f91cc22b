//! What a fork leaves alone, each server a process of its own: the listener, the output and the memory of the parent;
//! and what stands in its way: other threads, and a limit.

use std::io::{self, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use socketserver::{Address, Hooks, Reader, Writer, handler, socket_server};
use support::{Conversation, Server, ask, wait_until};

/// Does to its child what the line says.
#[socket_server(tcp, forking, hooks)]
#[derive(Default)]
struct Obedient {
    handled: AtomicUsize,
}

impl Hooks for Obedient {
    fn child_exited(&self, _: u32, status: ExitStatus) {
        println!("exited {:?} {:?}", status.code(), status.signal());
    }

    fn accept_error(&self, error: &io::Error) {
        println!("accept_error {:?}", error.kind());
        limit_processes(None);
    }
}

#[handler]
impl Obedient {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            let handled = self.handled.fetch_add(1, SeqCst) + 1;
            match line {
                "handled" => writeln!(output, "{handled}")?,
                "panic" => panic!("as asked"),
                "say" => {
                    print!("child ");
                    writeln!(output, "said")?;
                }
                "serve" => {
                    let inner = Nested.bind("127.0.0.1:0")?;
                    inner.shutdown_handle().shutdown();
                    inner.serve_forever()?;
                    writeln!(output, "served")?;
                }
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
    }
}

/// A server of a child's own.
#[socket_server(tcp)]
struct Nested;

#[handler]
impl Nested {
    fn handle(&self) {}
}

fn main() -> ExitCode {
    support::run(
        &[
            ("the_port_is_free_while_a_child_lives", the_port_is_free_while_a_child_lives),
            (
                "the_port_is_free_when_the_parent_was_killed_and_a_child_lives",
                the_port_is_free_when_the_parent_was_killed_and_a_child_lives,
            ),
            ("a_child_changes_nothing_in_its_parent", a_child_changes_nothing_in_its_parent),
            ("nothing_is_printed_twice", nothing_is_printed_twice),
            ("a_child_can_shut_a_server_of_its_own_down", a_child_can_shut_a_server_of_its_own_down),
            ("other_threads_are_warned_of_once", other_threads_are_warned_of_once),
            ("one_thread_is_not_warned_of", one_thread_is_not_warned_of),
            ("a_failed_fork_costs_one_request", a_failed_fork_costs_one_request),
        ],
        &[
            ("obedient", obedient),
            ("closed", closed),
            ("half_a_line", half_a_line),
            ("with_a_thread", with_a_thread),
            ("with_standard_error", with_standard_error),
            ("unforkable", unforkable),
        ],
    )
}

fn the_port_is_free_while_a_child_lives() {
    let mut server = Server::start("closed", &[]);
    let mut held = Conversation::with(server.address());
    // The reply says that the child has the beginning of the next request, too: they came together.
    held.send("hello\nstill ");
    assert_eq!(held.line(), "hello");
    server.signal(libc::SIGTERM);
    assert_eq!(server.line(), "closed");

    is_free(server.address());
    assert_eq!(held.ask("there?"), "still there?");
    writeln!(server.input(), "leave").unwrap();
    assert!(server.wait().0.success());
}

/// Nobody could shut the listener down: what a child had kept of it would still listen.
fn the_port_is_free_when_the_parent_was_killed_and_a_child_lives() {
    let server = Server::start("obedient", &[]);
    let mut held = Conversation::with(server.address());
    assert_eq!(held.ask("hello"), "hello");
    server.signal(libc::SIGKILL);
    wait_until("the parent is gone", || server.has_ended());

    is_free(server.address());
    assert_eq!(held.ask("still there?"), "still there?");
}

/// A successor can be bound there, and clients reach it.
fn is_free(address: &Address) {
    let successor = TcpListener::bind(address).expect("the port is free");
    let _client = TcpStream::connect(address).unwrap();
    successor.accept().expect("the client reached the successor");
}

fn closed() {
    let server = Obedient::default().builder().block_on_close(false).bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    drop(server);
    println!("closed");
    stdin().read_line(&mut String::new()).unwrap();
}

fn a_child_changes_nothing_in_its_parent() {
    let mut server = Server::start("obedient", &[]);
    for _ in 0..3 {
        let mut conversation = Conversation::with(server.address());
        assert_eq!(conversation.ask("handled"), "1");
        assert_eq!(conversation.ask("handled"), "2");
        conversation.end();
        assert_eq!(server.line(), "exited Some(0) None");
    }
    assert_eq!(server.stop(), "finished 3, failed 0, active 0\nhandled 0\n");
}

fn nothing_is_printed_twice() {
    let server = Server::start("half_a_line", &[]);
    for _ in 0..3 {
        assert_eq!(ask(server.address(), "say").unwrap(), "said");
    }
    let output = server.stop().replace("exited Some(0) None\n", "");
    assert_eq!(output, "half a line child child child finished 3, failed 0, active 0\nhandled 0\nfarewell\n");
}

fn half_a_line() {
    let server = Obedient::default().bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    // It waits in the buffer of this process.
    print!("half a line ");
    at_exit_say_farewell();
    serve(&server);
}

/// Has an `atexit` function, as C libraries do: it is this process's, not its children's.
#[allow(unsafe_code, reason = "std knows no such functions")]
fn at_exit_say_farewell() {
    extern "C" fn farewell() {
        // SAFETY: write(2) reads as many bytes as the slice has.
        unsafe { libc::write(libc::STDOUT_FILENO, b"farewell\n".as_ptr().cast(), 9) };
    }
    // SAFETY: the function has no preconditions, and lives as long as the process.
    assert_eq!(unsafe { libc::atexit(farewell) }, 0);
}

fn a_child_can_shut_a_server_of_its_own_down() {
    let mut server = Server::start("obedient", &[]);
    assert_eq!(ask(server.address(), "serve").unwrap(), "served");
    assert_eq!(server.line(), "exited Some(0) None");
    // The server itself serves on.
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    assert_eq!(server.line(), "exited Some(0) None");
    server.stop();
}

fn other_threads_are_warned_of_once() {
    let server = Server::start("with_a_thread", &[]);
    for _ in 0..3 {
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    }
    let output = server.stop();
    assert_eq!(output.matches("forking while the process has other threads (1)").count(), 1, "{output}");
}

fn with_a_thread() {
    thread::spawn(thread::park);
    with_standard_error();
}

fn one_thread_is_not_warned_of() {
    let server = Server::start("with_standard_error", &[]);
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    // What is said is seen here.
    assert_eq!(ask(server.address(), "panic").unwrap(), "");
    let output = server.stop();
    assert!(output.contains("as asked"), "{output}");
    assert!(!output.contains("other threads"), "{output}");
}

/// What goes to the standard error, the test reads.
fn with_standard_error() {
    // SAFETY: dup2(2) takes any numbers.
    #[allow(unsafe_code, reason = "std cannot redirect the output of its own process")]
    let duplicate = unsafe { libc::dup2(libc::STDOUT_FILENO, libc::STDERR_FILENO) };
    assert_eq!(duplicate, libc::STDERR_FILENO);
    obedient();
}

fn a_failed_fork_costs_one_request() {
    let mut server = Server::start("unforkable", &[]);
    assert_eq!(ask(server.address(), "hello").unwrap_or_default(), "");
    assert_eq!(server.line(), "accept_error WouldBlock");
    // The hook has raised the limit.
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 1, active 0\nhandled 0\n");
}

fn unforkable() {
    let server = Obedient::default().bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    // SAFETY: these take any numbers. The limit does not bind root, so that root becomes nobody first.
    #[allow(unsafe_code, reason = "std knows neither users nor limits")]
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setuid(65_534), 0);
        }
    }
    limit_processes(Some(0));
    serve(&server);
}

/// Sets how many processes the user may have, or lifts the limit.
#[allow(unsafe_code, reason = "std does not know limits")]
fn limit_processes(limit: Option<libc::rlim_t>) {
    // SAFETY: an all-zero `rlimit` is a valid one.
    let mut limits: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live `rlimit`.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NPROC, &raw mut limits) }, 0);
    limits.rlim_cur = limit.unwrap_or(limits.rlim_max);
    // SAFETY: the pointer is to a live `rlimit`.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const limits) }, 0);
}

/// In the server process: serves until a signal, and reports.
fn obedient() {
    let server = Obedient::default().bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    serve(&server);
}

fn serve(server: &socketserver::Server<Obedient>) {
    server.shutdown_on_signals().unwrap();
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("finished {}, failed {}, active {}", stats.finished, stats.failed, stats.active);
    println!("handled {}", server.service().handled.load(SeqCst));
}
