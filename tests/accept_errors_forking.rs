//! Errors of accept(2) under `forking`, and what every mix-in does after one: sleep.

mod flaky;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::{
    Connection, Endpoint, Forking, Hooks, Iterative, Listener, MixIn, Options, Reader, Server, Tcp, Threading,
    Transport, Writer, handler, socket_server,
};
use support::{ask, connect};

use flaky::{At, Flaky};

/// Echoes one line, and prints the errors.
#[socket_server(tcp, forking, hooks)]
struct Echo;

impl Hooks for Echo {
    fn accept_error(&self, error: &io::Error) {
        println!("{}", error.raw_os_error().unwrap_or_default());
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let line = input.next_line()?.unwrap_or_default();
        writeln!(output, "{line}")
    }
}

/// TCP that loses every connection to its peer before it is accepted.
struct Aborted;

impl Transport for Aborted {
    type Request = Connection;
    const NAME: &'static str = "aborted";

    fn get_request(listener: &Listener) -> io::Result<Connection> {
        Tcp::get_request(listener)?;
        Err(io::Error::from_raw_os_error(libc::ECONNABORTED))
    }
}

impl Endpoint<Aborted> for At<&str> {
    fn open(self, options: &Options) -> io::Result<Listener> {
        Endpoint::<Tcp, _>::open(self.0, options)
    }
}

/// A free port of this host.
const ANYWHERE: At<&str> = At("127.0.0.1:0");

fn main() -> ExitCode {
    support::run(
        &[
            ("errors_that_pass_are_survived", errors_that_pass_are_survived),
            ("interruptions_are_not_told", interruptions_are_not_told),
            (
                "a_listener_that_is_gone_ends_the_loop_with_its_error",
                a_listener_that_is_gone_ends_the_loop_with_its_error,
            ),
            ("a_shutdown_ends_the_back_off_at_once", a_shutdown_ends_the_back_off_at_once),
            ("an_iterative_server_sleeps_after_an_error", || sleeps_after_an_error("lost_iterative")),
            ("a_threading_server_sleeps_after_an_error", || sleeps_after_an_error("lost_threading")),
            ("a_forking_server_sleeps_after_an_error", || sleeps_after_an_error("lost_forking")),
        ],
        &[
            ("flaky", serve_flaky),
            ("lost_iterative", serve_aborted::<Iterative>),
            ("lost_threading", serve_aborted::<Threading>),
            ("lost_forking", serve_aborted::<Forking>),
        ],
    )
}

fn errors_that_pass_are_survived() {
    let passing = [libc::ECONNABORTED, libc::EPERM, libc::EPROTO, libc::ENETDOWN, libc::EHOSTUNREACH, libc::ETIMEDOUT];
    let exhaustion = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    thread::scope(|scope| {
        for errno in passing.into_iter().chain(exhaustion) {
            for times in [1, 10] {
                scope.spawn(move || survives(errno, times, times));
            }
        }
    });
}

fn interruptions_are_not_told() {
    for errno in [libc::EINTR, libc::EAGAIN] {
        survives(errno, 1, 0);
        survives(errno, 10, 0);
    }
}

/// The next client is served, and `told` of the errors were told to the hook and counted.
fn survives(errno: i32, times: usize, told: usize) {
    let server = support::Server::start("flaky", &[&errno.to_string(), &times.to_string()]);
    assert_eq!(ask(server.address(), "hello").unwrap(), "hello", "after error {errno}, {times} times");
    let expected = format!("{errno}\n").repeat(told) + &format!("Ok(()), accepted 1, accept_errors {told}\n");
    assert_eq!(server.stop(), expected);
}

fn a_listener_that_is_gone_ends_the_loop_with_its_error() {
    for errno in [libc::EBADF, libc::EINVAL, libc::ENOTSOCK] {
        let server = support::Server::start("flaky", &[&errno.to_string(), "1"]);
        // The server may have gone, and reset it, before connect(2) returns.
        let _client = connect(server.address());
        let (status, output) = server.wait();
        assert!(status.success());
        assert_eq!(output, format!("Err(Some({errno})), accepted 0, accept_errors 1\n"));
    }
}

/// A pause that did not hear of the shutdown would take its second every time; on a machine that is busy, a prompt end
/// may take long once.
fn a_shutdown_ends_the_back_off_at_once() {
    let shut_down_took = || {
        let mut server = support::Server::start("flaky", &[&libc::EMFILE.to_string(), "1000"]);
        let _client = connect(server.address()).unwrap();
        for _ in 0..9 {
            assert_eq!(server.line(), libc::EMFILE.to_string());
        }
        // A pause of a second has begun just now.
        let begun = Instant::now();
        server.stop();
        begun.elapsed()
    };
    assert!((0..3).any(|_| shut_down_took() < Duration::from_millis(600)));
}

fn sleeps_after_an_error(name: &str) {
    let mut server = support::Server::start(name, &[]);
    drop(connect(server.address()).unwrap());
    assert_eq!(server.line(), libc::ECONNABORTED.to_string());
    let before = processor_time(server.pid());
    thread::sleep(Duration::from_millis(500));
    let used = processor_time(server.pid()).saturating_sub(before);
    assert!(used < Duration::from_millis(100), "the server was busy for {used:?} of 500 ms, with nothing to do");
    server.stop();
}

/// What a process has used so far, from the 14th and 15th field of its `stat`; a tick is 10 ms on every Linux.
fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

fn serve_flaky() {
    let mut arguments = env::args().skip(3);
    let errno = arguments.next().unwrap().parse().unwrap();
    let times = arguments.next().unwrap().parse().unwrap();
    let server = Server::<Echo, Flaky, Forking>::bind(ANYWHERE, Echo).unwrap();
    flaky::fail(server.local_address(), &vec![errno; times]);
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    let outcome = server.serve_forever().map_err(|error| error.raw_os_error());
    let stats = server.stats();
    println!("{outcome:?}, accepted {}, accept_errors {}", stats.accepted, stats.accept_errors);
}

fn serve_aborted<M: MixIn>() {
    let server = Server::<Echo, Aborted, M>::bind(ANYWHERE, Echo).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}
