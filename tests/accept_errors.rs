//! Errors of accept(2): which are survived, which end the server, and who is told.

mod flaky;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use log::{LevelFilter, Log, Metadata, Record};
use socketserver::socket2::SockRef;
use socketserver::{Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server};
use support::{ask, wait_until};

use flaky::{At, Flaky};

/// Those of one connection, or of the network for a moment.
const PASSING: [i32; 7] = [
    libc::ECONNABORTED,
    libc::EPERM,
    libc::EPROTO,
    libc::ENETDOWN,
    libc::EHOSTUNREACH,
    libc::ETIMEDOUT,
    libc::EOPNOTSUPP,
];
/// The system is out of something.
const EXHAUSTION: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
/// No errors at all.
const NOTHING: [i32; 2] = [libc::EINTR, libc::EAGAIN];
/// The listener is gone.
const FINAL: [i32; 3] = [libc::EBADF, libc::EINVAL, libc::ENOTSOCK];

/// A free port of this host.
const ANYWHERE: At<&str> = At("127.0.0.1:0");

/// More than a thread of any system can have.
const NO_STACK: usize = 1 << 46;

/// Echoes one line; two clients that send `meet` wait for each other.
#[socket_server(tcp, hooks)]
struct Echo {
    errors: Mutex<Vec<Option<i32>>>,
    ticks: AtomicUsize,
    meeting: Barrier,
}

impl Hooks for Echo {
    fn accept_error(&self, error: &io::Error) {
        self.errors.lock().unwrap().push(error.raw_os_error());
    }

    fn service_actions(&self) {
        self.ticks.fetch_add(1, SeqCst);
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let line = input.next_line()?.unwrap_or_default();
        if line == "meet" {
            self.meeting.wait();
        }
        writeln!(output, "{line}")
    }
}

impl Echo {
    fn new() -> Self {
        Self { errors: Mutex::default(), ticks: AtomicUsize::new(0), meeting: Barrier::new(2) }
    }

    fn errors(&self) -> Vec<Option<i32>> {
        self.errors.lock().unwrap().clone()
    }
}

/// Leaves the hooks as they are.
#[socket_server(tcp)]
struct Silent;

#[handler]
impl Silent {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        writeln!(output, "here")
    }
}

#[test]
fn an_iterative_server_survives_errors_that_pass() {
    survives_errors_that_pass::<Iterative>();
}

#[test]
fn a_threading_server_survives_errors_that_pass() {
    survives_errors_that_pass::<Threading>();
}

fn survives_errors_that_pass<M: MixIn>() {
    thread::scope(|scope| {
        for errno in PASSING.into_iter().chain(EXHAUSTION) {
            for times in [1, 10] {
                scope.spawn(move || survives::<M>(errno, times, times));
            }
        }
        for errno in NOTHING {
            for times in [1, 10] {
                scope.spawn(move || survives::<M>(errno, times, 0));
            }
        }
    });
}

/// The next client is served, and `told` of the errors were told to the hook and counted.
fn survives<M: MixIn>(errno: i32, times: usize, told: usize) {
    let server = Server::<Echo, Flaky, M>::bind(ANYWHERE, Echo::new()).unwrap();
    flaky::fail(server.local_address(), &vec![errno; times]);
    let running = server.start().unwrap();
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello", "after error {errno}, {times} times");
    // The thread that serves need not be the one that had the last error.
    wait_until("the hook was told of every error", || running.service().errors().len() >= told);
    assert_eq!(running.service().errors(), vec![Some(errno); told]);
    let stats = running.stats();
    assert_eq!((stats.accept_errors, stats.accepted), (told as u64, 1));
    running.shutdown().unwrap();
}

#[test]
fn a_listener_that_is_gone_ends_the_loop_with_its_error() {
    ends_with_the_error::<Iterative>();
    ends_with_the_error::<Threading>();
}

fn ends_with_the_error<M: MixIn>() {
    for errno in FINAL {
        let server = Server::<Echo, Flaky, M>::bind(ANYWHERE, Echo::new()).unwrap();
        flaky::fail(server.local_address(), &[errno]);
        let error = server.serve_forever().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(errno), "{}", M::NAME);
        assert_eq!(server.stats().accept_errors, 1);
    }
}

#[test]
fn errors_take_no_thread_from_the_limit() {
    const LIMIT: usize = 2;

    let server = Server::<Echo, Flaky, Threading>::builder(Echo::new()).max_threads(LIMIT).bind(ANYWHERE).unwrap();
    let address = server.local_address().clone();
    flaky::fail(&address, &[libc::EMFILE; LIMIT + 1]);
    let running = server.start().unwrap();
    assert_eq!(ask(&address, "hello").unwrap(), "hello");
    thread::scope(|scope| {
        // One thread is held by a request, and the other has the errors.
        let held = scope.spawn(|| ask(&address, "meet").unwrap());
        wait_until("the first is in progress", || running.stats().accepted == 2);
        flaky::fail(&address, &[libc::EMFILE; LIMIT + 1]);
        assert_eq!(ask(&address, "hello").unwrap(), "hello");
        assert_eq!(ask(&address, "meet").unwrap(), "meet");
        assert_eq!(held.join().unwrap(), "meet");
    });
    wait_until("all errors are told", || running.service().errors().len() == 2 * (LIMIT + 1));
    running.shutdown().unwrap();
}

#[test]
fn a_shutdown_ends_the_back_off_at_once() {
    backs_off_and_is_shut_down::<Iterative>(1);
    backs_off_and_is_shut_down::<Threading>(thread::available_parallelism().unwrap().get());
}

/// The pauses are short at first: one of `threads` has had nine errors then, and pauses for a second. Where it did not
/// hear of the shutdown, that would take the rest of the second every time; on a machine that is busy, a prompt end may
/// take long once.
fn backs_off_and_is_shut_down<M: MixIn>(threads: usize) {
    let shut_down_took = || {
        let server = Server::<Echo, Flaky, M>::bind(ANYWHERE, Echo::new()).unwrap();
        flaky::fail(server.local_address(), &[libc::EMFILE; 1_000]);
        let running = server.start().unwrap();
        wait_until("the pauses are long", || running.service().errors().len() > 8 * threads);
        let begun = Instant::now();
        running.shutdown().unwrap();
        begun.elapsed()
    };
    assert!((0..3).any(|_| shut_down_took() < Duration::from_millis(600)), "{}", M::NAME);
}

/// More than there are pauses in any time that a test has.
static LASTING: [i32; 10_000] = [libc::EMFILE; 10_000];

#[test]
fn handle_request_gives_up_after_its_timeout_while_errors_last() {
    gives_up_while_errors_last::<Iterative>();
    gives_up_while_errors_last::<Threading>();
}

fn gives_up_while_errors_last<M: MixIn>() {
    let server = Server::<Echo, Flaky, M>::builder(Echo::new()).timeout(Duration::from_millis(20));
    let server = server.bind(ANYWHERE).unwrap();
    flaky::fail(server.local_address(), &LASTING);
    let _client = TcpStream::connect(server.local_address()).unwrap();
    assert!(!server.handle_request().unwrap(), "{}", M::NAME);
    let errors = server.service().errors().len();
    assert!(errors > 0 && errors < LASTING.len(), "{errors} errors");
}

#[test]
fn service_actions_tick_while_errors_last() {
    let server = Server::<Echo, Flaky, Iterative>::builder(Echo::new()).service_interval(Duration::from_millis(10));
    let server = server.bind(ANYWHERE).unwrap();
    flaky::fail(server.local_address(), &LASTING);
    let running = server.start().unwrap();
    wait_until("there are some ticks", || running.service().ticks.load(SeqCst) > 3);
    let errors = running.service().errors().len();
    assert!(errors < LASTING.len(), "{errors} errors");
    running.shutdown().unwrap();
}

#[test]
fn the_default_report_is_one_line_a_second_at_the_most() {
    static LINES: Lines = Lines(Mutex::new(Vec::new()));
    log::set_logger(&LINES).unwrap();
    log::set_max_level(LevelFilter::Error);

    let server = Server::<Silent, Flaky, Iterative>::bind(ANYWHERE, Silent).unwrap();
    let address = server.local_address().clone();
    flaky::fail(&address, &[libc::ENETDOWN; 100]);
    let begun = Instant::now();
    let running = server.start().unwrap();
    assert_eq!(ask(&address, "").unwrap(), "here");
    let lines = LINES.about_requests();
    let most = 1 + begun.elapsed().as_secs();
    assert_eq!(running.stats().accept_errors, 100);
    assert!(lines.len() as u64 >= 1 && lines.len() as u64 <= most, "{lines:?}");

    // What was not said is made up for by the next line.
    let said = lines.len();
    wait_until("there is another line", || {
        flaky::fail(&address, &[libc::ENETDOWN]);
        ask(&address, "").unwrap();
        LINES.about_requests().len() > said
    });
    assert!(LINES.about_requests().last().unwrap().contains("more errors before"), "{:?}", LINES.about_requests());
    running.shutdown().unwrap();
}

struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn about_requests(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| line.starts_with("cannot take a request")).cloned().collect()
    }
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn a_client_that_resets_before_it_is_accepted_costs_nothing() {
    survives_a_reset::<Iterative>();
    survives_a_reset::<Threading>();
}

fn survives_a_reset<M: MixIn>() {
    let server = Server::<Echo, Tcp, M>::bind("127.0.0.1:0", Echo::new()).unwrap();
    let address = server.local_address().clone();
    for _ in 0..10 {
        let client = TcpStream::connect(address.socket_addr().unwrap()).unwrap();
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    }
    let running = server.start().unwrap();
    assert_eq!(ask(&address, "hello").unwrap(), "hello");
    running.shutdown().unwrap();
}

#[test]
fn a_server_that_can_start_no_thread_says_so() {
    let server = Server::<Echo, Tcp, Threading>::builder(Echo::new()).stack_size(NO_STACK);
    let server = server.bind("127.0.0.1:0").unwrap();
    let error = server.serve_forever().unwrap_err();
    assert!(error.to_string().contains("thread"), "{error}");
}

#[test]
fn handle_request_closes_the_request_that_it_has_no_thread_for() {
    let server = Server::<Echo, Tcp, Threading>::builder(Echo::new()).stack_size(NO_STACK);
    let server = server.bind("127.0.0.1:0").unwrap();
    for failed in 1..=2 {
        let mut client = TcpStream::connect(server.local_address().socket_addr().unwrap()).unwrap();
        assert!(server.handle_request().unwrap());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        let stats = server.stats();
        assert_eq!((stats.accepted, stats.failed, stats.active), (failed, failed, 0));
        assert_eq!(server.service().errors().len() as u64, failed);
    }
}
