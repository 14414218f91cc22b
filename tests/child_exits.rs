//! How children end, each server a process of its own: every one is waited for, and nobody else's; what ended it is
//! reported, and the server goes on.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::{ExitStatusExt, parent_id};
use std::panic::panic_any;
use std::process::{self, Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use socketserver::{Hooks, Reader, ShutdownHandle, Writer, handler, socket_server};
use support::{Conversation, Server, ask, kill, wait_until};

/// Does to its child what the line says.
#[socket_server(tcp, forking, hooks)]
struct Obedient;

impl Hooks for Obedient {
    fn child_exited(&self, _: u32, status: ExitStatus) {
        println!("exited {:?} {:?}", status.code(), status.signal());
    }
}

#[handler]
impl Obedient {
    fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            match line {
                "pid" => writeln!(output, "{}", process::id())?,
                "parent" => writeln!(output, "{}", parent_id())?,
                "fail" => return Err(io::Error::other("as asked")),
                "panic" => panic!("as asked"),
                "panic again and again" => panic_any(Relentless(4)),
                "exit" => process::exit(3),
                "work" => {
                    writeln!(output, "working")?;
                    output.flush()?;
                    wait_until("there is a shutdown", || shutdown.is_shutting_down());
                    writeln!(output, "worked")?;
                }
                "SIGKILL" => die_by(libc::SIGKILL),
                "SIGSEGV" => die_by(libc::SIGSEGV),
                "SIGABRT" => process::abort(),
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
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
            ("a_child_that_ends_late_is_waited_for", a_child_that_ends_late_is_waited_for),
            ("a_loop_of_handle_request_leaves_no_zombie", a_loop_of_handle_request_leaves_no_zombie),
            ("a_crash_is_reported_and_the_server_goes_on", a_crash_is_reported_and_the_server_goes_on),
            ("a_panic_never_reaches_the_loop_of_the_parent", a_panic_never_reaches_the_loop_of_the_parent),
            ("the_child_of_another_is_not_waited_for", the_child_of_another_is_not_waited_for),
            ("sigterm_ends_a_child_between_two_requests", sigterm_ends_a_child_between_two_requests),
            ("sigterm_lets_a_child_finish_its_request", sigterm_lets_a_child_finish_its_request),
        ],
        &[("obedient", obedient), ("handle_requests", handle_requests), ("foreign_child", foreign_child)],
    )
}

fn a_hundred_fast_children_leave_no_zombie() {
    let mut server = Server::start("obedient", &[]);
    for number in 0..100 {
        assert_eq!(ask(server.address(), &number.to_string()).unwrap(), number.to_string());
    }
    // Nothing else happens, and yet they are waited for.
    wait_until("the server has no child left", || children_of(server.pid()).is_empty());
    for _ in 0..100 {
        assert_eq!(server.line(), "exited Some(0) None");
    }
    assert_eq!(server.stop(), "finished 100, failed 0, active 0\n");
}

fn a_child_that_ends_late_is_waited_for() {
    let mut server = Server::start("obedient", &[]);
    let mut conversation = Conversation::with(server.address());
    assert_eq!(conversation.ask("hello"), "hello");
    wait_until("the server waits", || server.sleeps());
    drop(conversation);
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 0, active 0\n");
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

fn a_crash_is_reported_and_the_server_goes_on() {
    let mut server = Server::start("obedient", &[]);
    for (line, signal) in [("SIGKILL", libc::SIGKILL), ("SIGSEGV", libc::SIGSEGV), ("SIGABRT", libc::SIGABRT)] {
        assert_eq!(ask(server.address(), line).unwrap_or_default(), "");
        assert_eq!(server.line(), format!("exited None Some({signal})"));
    }
    assert_eq!(ask(server.address(), "exit").unwrap_or_default(), "");
    assert_eq!(server.line(), "exited Some(3) None");
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 4, active 0\n");
}

fn a_panic_never_reaches_the_loop_of_the_parent() {
    let mut server = Server::start("obedient", &[]);
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
    assert_eq!(server.stop(), "finished 10, failed 3, active 0\n");
}

fn the_child_of_another_is_not_waited_for() {
    let server = Server::start("foreign_child", &[]);
    for _ in 0..20 {
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
    }
    let output = server.stop().replace("exited Some(0) None\n", "");
    assert_eq!(output, "finished 20, failed 0, active 0\nthe foreign one: Some(72)\n");
}

fn foreign_child() {
    let mut command = Command::new("sh");
    let mut foreign = command.args(["-c", "exit 72"]).stdin(Stdio::null()).spawn().unwrap();
    wait_until("it has ended", || support::children() == [(foreign.id(), 'Z')]);
    obedient();
    assert_eq!(support::children(), [(foreign.id(), 'Z')]);
    println!("the foreign one: {:?}", foreign.wait().unwrap().code());
}

fn sigterm_ends_a_child_between_two_requests() {
    let mut server = Server::start("obedient", &[]);
    let mut conversation = Conversation::with(server.address());
    let child = conversation.ask("pid").parse().unwrap();
    kill(child, libc::SIGTERM);
    conversation.expect_end();
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(ask(server.address(), "the parent serves on").unwrap(), "the parent serves on");
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 2, failed 0, active 0\n");
}

fn sigterm_lets_a_child_finish_its_request() {
    let mut server = Server::start("obedient", &[]);
    let mut conversation = Conversation::with(server.address());
    let child = conversation.ask("pid").parse().unwrap();
    assert_eq!(conversation.ask("work"), "working");
    kill(child, libc::SIGTERM);
    assert_eq!(conversation.line(), "worked");
    conversation.expect_end();
    assert_eq!(server.line(), "exited Some(0) None");
    assert_eq!(server.stop(), "finished 1, failed 0, active 0\n");
}

/// In the server process: serves until a signal, and reports.
fn obedient() {
    let server = Obedient.bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("finished {}, failed {}, active {}", stats.finished, stats.failed, stats.active);
}

/// Children of another process, zombies too.
fn children_of(parent: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("the server is there");
    children.split_whitespace().map(str::to_owned).collect()
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
