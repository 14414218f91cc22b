//! What can go wrong with children, each server a process of its own: crashes, zombies, other people's children,
//! inherited descriptors, paths and output.
#![allow(clippy::unused_self, reason = "a handler need not look at its server")]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write, stdin};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{ExitStatusExt, parent_id};
use std::panic::panic_any;
use std::process::{self, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use socketserver::{
    Address, Forking, Hooks, Iterative, MixIn, Reader, ShutdownHandle, Threading, Transport, Writer, handler,
    socket_server,
};
use support::{Place, Server, ask, ask_packet, connect, wait_until};

/// Does to its child what the line says.
macro_rules! obedient {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, forking, hooks)]
        #[derive(Default)]
        struct $name {
            handled: AtomicUsize,
        }

        impl Hooks for $name {
            fn child_exited(&self, _: u32, status: ExitStatus) {
                println!("exited {:?} {:?}", status.code(), status.signal());
            }

            fn accept_error(&self, error: &io::Error) {
                println!("accept_error {:?}", error.kind());
                limit_processes(None);
            }
        }

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    let line = line.to_owned();
                    let handled = self.handled.fetch_add(1, SeqCst) + 1;
                    obey(&line, handled, output, shutdown)?;
                }
                Ok(())
            }
        }
    )*};
}

obedient! {
    Tcp: tcp;
    UnixStream: unix_stream;
    UnixDatagram: unix_datagram;
}

/// A server of a child's own.
#[socket_server(tcp)]
struct Nested;

#[handler]
impl Nested {
    fn handle(&self) {}
}

fn obey(line: &str, handled: usize, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
    match line {
        "pid" => writeln!(output, "{}", process::id()),
        "parent" => writeln!(output, "{}", parent_id()),
        "handled" => writeln!(output, "{handled}"),
        "fail" => Err(io::Error::other("as asked")),
        "panic" => panic!("as asked"),
        "panic again and again" => panic_any(Relentless(4)),
        "exit" => process::exit(3),
        "say" => {
            print!("child ");
            writeln!(output, "said")
        }
        "shutdown" => {
            shutdown.shutdown();
            writeln!(output, "asked")
        }
        "work" => {
            writeln!(output, "working")?;
            output.flush()?;
            while !shutdown.is_shutting_down() {
                thread::sleep(Duration::from_millis(1));
            }
            writeln!(output, "worked")
        }
        "serve" => {
            let inner = Nested.bind("127.0.0.1:0")?;
            inner.shutdown_handle().shutdown();
            inner.serve_forever()?;
            writeln!(output, "served")
        }
        "SIGKILL" => die_by(libc::SIGKILL),
        "SIGSEGV" => die_by(libc::SIGSEGV),
        "SIGABRT" => process::abort(),
        line => writeln!(output, "{line}"),
    }
}

/// A panic's payload that panics when it is dropped, so many times: more often than panics are contained in a request.
struct Relentless(usize);

impl Drop for Relentless {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Relentless(self.0 - 1));
        }
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("a_hundred_fast_children_leave_no_zombie", a_hundred_fast_children_leave_no_zombie),
            ("a_loop_of_handle_request_leaves_no_zombie", a_loop_of_handle_request_leaves_no_zombie),
            ("the_port_is_free_while_a_child_lives", the_port_is_free_while_a_child_lives),
            (
                "the_port_is_free_when_the_parent_was_killed_and_a_child_lives",
                the_port_is_free_when_the_parent_was_killed_and_a_child_lives,
            ),
            ("a_crash_is_reported_and_the_server_goes_on", a_crash_is_reported_and_the_server_goes_on),
            ("a_panic_never_reaches_the_loop_of_the_parent", a_panic_never_reaches_the_loop_of_the_parent),
            ("a_child_changes_nothing_in_its_parent", a_child_changes_nothing_in_its_parent),
            ("nothing_is_printed_twice", nothing_is_printed_twice),
            ("the_child_of_another_is_not_waited_for", the_child_of_another_is_not_waited_for),
            ("a_child_can_shut_the_server_down", a_child_can_shut_the_server_down),
            ("a_child_can_shut_a_server_of_its_own_down", a_child_can_shut_a_server_of_its_own_down),
            ("other_threads_are_warned_of_once", other_threads_are_warned_of_once),
            ("one_thread_is_not_warned_of", one_thread_is_not_warned_of),
            ("a_failed_fork_costs_one_request", a_failed_fork_costs_one_request),
            ("sigterm_ends_a_child_between_two_requests", sigterm_ends_a_child_between_two_requests),
            ("sigterm_lets_a_child_finish_its_request", sigterm_lets_a_child_finish_its_request),
            ("a_child_leaves_the_path_of_a_stream_server", a_child_leaves_the_path_of_a_stream_server),
            ("a_child_leaves_the_path_of_a_datagram_server", a_child_leaves_the_path_of_a_datagram_server),
            (
                "a_process_that_the_program_forks_leaves_the_path_and_the_listener",
                a_process_that_the_program_forks_leaves_the_path_and_the_listener,
            ),
        ],
        &[
            ("tcp", || serve(Tcp::default().bind("127.0.0.1:0"))),
            ("unix_stream", || serve(UnixStream::default().bind(argument()))),
            ("unix_datagram", || serve(UnixDatagram::default().bind(argument()))),
            ("handle_requests", handle_requests),
            ("closed", closed),
            ("half_a_line", half_a_line),
            ("foreign_child", foreign_child),
            ("with_a_thread", with_a_thread),
            ("with_standard_error", with_standard_error),
            ("unforkable", unforkable),
            ("forked_by_the_program", || forked_by_the_program::<Forking>()),
            ("forked_by_the_program iterative", || forked_by_the_program::<Iterative>()),
            ("forked_by_the_program threading", || forked_by_the_program::<Threading>()),
        ],
    )
}

fn a_hundred_fast_children_leave_no_zombie() {
    let mut server = Server::start("tcp", &[]);
    for number in 0..100 {
        assert_eq!(ask(server.address(), &number.to_string()).unwrap(), number.to_string());
    }
    // Nothing else happens, and yet they are waited for.
    wait_until("the server has no child left", || children_of(server.pid()).is_empty());
    for _ in 0..100 {
        assert_eq!(server.line(), "exited Some(0) None");
    }
    assert_eq!(server.stop(), "finished 100, failed 0, active 0\nhandled 0\n");
}

fn a_loop_of_handle_request_leaves_no_zombie() {
    let mut server = Server::start("handle_requests", &[]);
    for _ in 0..100 {
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    }
    // Each call waits for those that had ended before.
    let most: usize = server.line().parse().unwrap();
    assert!((1..40).contains(&most), "there were {most} children at once");
    let (status, rest) = server.wait();
    assert!(status.success());
    assert_eq!(rest, "children: []\n");
}

fn handle_requests() {
    let server = UnhookedTcp.builder().timeout(Duration::from_millis(20)).bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    let mut most = 0;
    while server.stats().accepted < 100 {
        server.handle_request().unwrap();
        most = most.max(support::children().len());
    }
    println!("{most}");
    // The next wait in vain takes the last ones.
    while !support::children().is_empty() {
        assert!(!server.handle_request().unwrap());
    }
    assert_eq!(server.stats().finished, 100);
    println!("children: {:?}", support::children());
}

#[socket_server(tcp, forking)]
struct UnhookedTcp;

#[handler]
impl UnhookedTcp {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let line = input.next_line()?.unwrap_or_default();
        writeln!(output, "{line}")
    }
}

fn the_port_is_free_while_a_child_lives() {
    let mut server = Server::start("closed", &[]);
    let mut held = Conversation::with(server.address());
    // The reply says that the child has the beginning of the next request, too: they came together.
    held.0.get_ref().write_all(b"hello\nstill ").unwrap();
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
    let server = Server::start("tcp", &[]);
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
    let server = Tcp::default().builder().block_on_close(false).bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    drop(server);
    println!("closed");
    stdin().read_line(&mut String::new()).unwrap();
}

fn a_crash_is_reported_and_the_server_goes_on() {
    let mut server = Server::start("tcp", &[]);
    for (line, signal) in [("SIGKILL", libc::SIGKILL), ("SIGSEGV", libc::SIGSEGV), ("SIGABRT", libc::SIGABRT)] {
        assert_eq!(ask(server.address(), line).unwrap_or_default(), "");
        assert_eq!(server.line(), format!("exited None Some({signal})"));
    }
    assert_eq!(ask(server.address(), "exit").unwrap_or_default(), "");
    assert_eq!(server.line(), "exited Some(3) None");
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 4, active 0\nhandled 0\n");
}

fn a_panic_never_reaches_the_loop_of_the_parent() {
    let mut server = Server::start("tcp", &[]);
    for line in ["panic", "panic again and again", "fail"] {
        assert_eq!(ask(server.address(), line).unwrap_or_default(), "");
        assert_eq!(server.line(), "exited Some(1) None");
    }
    // A child that had come back into the loop would be the parent of some.
    for _ in 0..10 {
        assert_eq!(ask(server.address(), "parent").unwrap(), server.pid().to_string());
        assert_eq!(server.line(), "exited Some(0) None");
    }
    assert!(children_of(server.pid()).is_empty());
    assert_eq!(server.stop(), "finished 10, failed 3, active 0\nhandled 0\n");
}

fn a_child_changes_nothing_in_its_parent() {
    let mut server = Server::start("tcp", &[]);
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
    let server = Tcp::default().bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    // It waits in the buffer of this process.
    print!("half a line ");
    at_exit_say_farewell();
    serve_on(&server);
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

fn the_child_of_another_is_not_waited_for() {
    let server = Server::start("foreign_child", &[]);
    for _ in 0..20 {
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    }
    let output = server.stop().replace("exited Some(0) None\n", "");
    assert_eq!(output, "finished 20, failed 0, active 0\nhandled 0\nthe foreign one: Some(72)\n");
}

fn foreign_child() {
    let mut command = Command::new("sh");
    let mut foreign = command.args(["-c", "exit 72"]).stdin(Stdio::null()).spawn().unwrap();
    wait_until("it has ended", || support::children() == [(foreign.id(), 'Z')]);
    serve(Tcp::default().bind("127.0.0.1:0"));
    assert_eq!(support::children(), [(foreign.id(), 'Z')]);
    println!("the foreign one: {:?}", foreign.wait().unwrap().code());
}

fn a_child_can_shut_the_server_down() {
    let server = Server::start("tcp", &[]);
    let address = server.address().clone();
    assert_eq!(ask(&address, "shutdown").unwrap(), "asked");
    let (status, rest) = server.wait();
    assert!(status.success());
    assert_eq!(rest, "exited Some(0) None\nfinished 1, failed 0, active 0\nhandled 0\n");
    assert_eq!(connect(&address).err().expect("nobody is there").kind(), io::ErrorKind::ConnectionRefused);
}

fn a_child_can_shut_a_server_of_its_own_down() {
    let mut server = Server::start("tcp", &[]);
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
    serve(Tcp::default().bind("127.0.0.1:0"));
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
    let server = Tcp::default().bind("127.0.0.1:0").unwrap();
    support::serves(server.local_address());
    // SAFETY: these take any numbers. The limit does not bind root, so that root becomes nobody first.
    #[allow(unsafe_code, reason = "std knows neither users nor limits")]
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setuid(65_534), 0);
        }
    }
    limit_processes(Some(0));
    serve_on(&server);
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

fn sigterm_ends_a_child_between_two_requests() {
    let mut server = Server::start("tcp", &[]);
    let mut conversation = Conversation::with(server.address());
    let child = conversation.ask("pid").parse().unwrap();
    send_signal(child, libc::SIGTERM);
    conversation.expect_end();
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(ask(server.address(), "the parent serves on").unwrap(), "the parent serves on");
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 2, failed 0, active 0\nhandled 0\n");
}

fn sigterm_lets_a_child_finish_its_request() {
    let mut server = Server::start("tcp", &[]);
    let mut conversation = Conversation::with(server.address());
    let child = conversation.ask("pid").parse().unwrap();
    assert_eq!(conversation.ask("work"), "working");
    send_signal(child, libc::SIGTERM);
    assert_eq!(conversation.line(), "worked");
    conversation.expect_end();
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 0, active 0\nhandled 0\n");
}

fn a_child_leaves_the_path_of_a_stream_server() {
    leaves_the_path("unix_stream", |address, line| ask(address, line).unwrap_or_default());
}

fn a_child_leaves_the_path_of_a_datagram_server() {
    leaves_the_path("unix_datagram", |address, line| {
        let reply = match line {
            "hello" => ask_packet(address, format!("{line}\n").as_bytes()).unwrap(),
            // There is no reply to wait for.
            line => {
                let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
                let Address::Path(path) = address else { panic!("{address} is no path") };
                socket.send_to(line.as_bytes(), path).unwrap();
                Vec::new()
            }
        };
        String::from_utf8(reply).unwrap().trim_end().to_owned()
    });
}

fn leaves_the_path(name: &str, client: fn(&Address, &str) -> String) {
    let place = Place::new();
    let path = place.path("server");
    let mut server = Server::start(name, &[path.to_str().unwrap()]);
    let inode = fs::metadata(&path).unwrap().ino();
    for (line, reply, end) in [
        ("hello", "hello", "exited Some(0) None"),
        ("panic", "", "exited Some(1) None"),
        ("exit", "", "exited Some(3) None"),
        ("SIGABRT", "", "exited None Some(6)"),
        ("hello", "hello", "exited Some(0) None"),
    ] {
        assert_eq!(client(server.address(), line), reply);
        assert_eq!(server.line(), end);
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    }
    server.stop();
    assert!(!path.exists(), "the parent takes it away");
}

fn a_process_that_the_program_forks_leaves_the_path_and_the_listener() {
    for name in ["forked_by_the_program", "forked_by_the_program iterative", "forked_by_the_program threading"] {
        let place = Place::new();
        let path = place.path("server");
        let mut server = Server::start(name, &[path.to_str().unwrap()]);
        assert_eq!(server.line(), "still there: true");
        // It has begun to serve, and neither spins nor ends.
        wait_until("the server waits", || server.sleeps());
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello", "{name}");
        assert_eq!(ask(server.address(), "shutdown").unwrap(), "asked");
        assert!(server.wait().0.success());
        assert!(!path.exists());
    }
}

fn forked_by_the_program<M: MixIn>() {
    let server =
        socketserver::Server::<UnixStream, socketserver::UnixStream, M>::bind(argument(), UnixStream::default());
    let server = server.unwrap();
    support::serves(server.local_address());
    // SAFETY: this process has one thread, and the child drops a value and leaves.
    #[allow(unsafe_code, reason = "std cannot fork")]
    unsafe {
        match libc::fork() {
            0 => {
                drop(server);
                libc::_exit(0);
            }
            child => assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child),
        }
    }
    println!("still there: {}", fs::exists(argument()).unwrap());
    server.serve_forever().unwrap();
}

/// A client that says one line after the other.
struct Conversation(BufReader<TcpStream>);

impl Conversation {
    fn with(address: &Address) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.0.get_ref(), "{line}").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut reply = String::new();
        self.0.read_line(&mut reply).unwrap();
        assert!(reply.ends_with('\n'), "the server has closed after {reply:?}");
        reply.trim_end().to_owned()
    }

    fn expect_end(&mut self) {
        assert_eq!(self.0.fill_buf().unwrap(), b"");
    }

    /// Ends the input, and waits for the end of the output.
    fn end(mut self) {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
        self.expect_end();
    }
}

/// In the server process: serves until a signal, and reports.
fn serve<S, T>(server: io::Result<socketserver::Server<S, T, Forking>>)
where
    S: Hooks<Request = T::Request> + Handled,
    T: Transport,
{
    let server = server.unwrap();
    support::serves(server.local_address());
    serve_on(&server);
}

fn serve_on<S, T>(server: &socketserver::Server<S, T, Forking>)
where
    S: Hooks<Request = T::Request> + Handled,
    T: Transport,
{
    server.shutdown_on_signals().unwrap();
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("finished {}, failed {}, active {}", stats.finished, stats.failed, stats.active);
    println!("handled {}", server.service().handled());
}

/// How many lines this process has handled.
trait Handled {
    fn handled(&self) -> usize;
}

macro_rules! handled {
    ($($name:ident)*) => {$(
        impl Handled for $name {
            fn handled(&self) -> usize {
                self.handled.load(SeqCst)
            }
        }
    )*};
}

handled!(Tcp UnixStream UnixDatagram);

fn argument() -> String {
    env::args().nth(3).expect("an address")
}

/// Children of another process, zombies too.
fn children_of(parent: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("the server is there");
    children.split_whitespace().map(str::to_owned).collect()
}

fn send_signal(process: i32, signal: i32) {
    // SAFETY: kill(2) takes any numbers; the process is a child of the server's, which waits for us.
    #[allow(unsafe_code, reason = "std cannot send a signal but SIGKILL")]
    let result = unsafe { libc::kill(process, signal) };
    assert_eq!(result, 0, "the child is there");
}

fn die_by(signal: i32) -> ! {
    // SAFETY: both take any numbers; the default of these signals ends the process.
    #[allow(unsafe_code, reason = "std cannot raise a signal")]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
    unreachable!("signal {signal} ends the process")
}
