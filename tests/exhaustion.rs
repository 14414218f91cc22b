//! A process that is out of descriptors, or of room for threads: nothing spins, what is open works on, and service
//! resumes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write, stdin};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use socketserver::{
    Address, Forking, Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server,
};
use support::wait_until;

/// So many descriptors the server processes may have.
const DESCRIPTORS: u64 = 24;

/// Echoes lines, and prints the errors of accept(2).
#[socket_server(tcp, hooks)]
struct Echo;

impl Hooks for Echo {
    fn accept_error(&self, error: &io::Error) {
        println!("{}", error.raw_os_error().unwrap_or_default());
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            writeln!(output, "{line}")?;
        }
        Ok(())
    }
}

/// Echoes lines, and tells how many requests were in progress at once so far.
#[socket_server(tcp, threading)]
#[derive(Default)]
struct Crowd {
    present: AtomicUsize,
    peak: AtomicUsize,
}

#[handler]
impl Crowd {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let present = self.present.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(present, SeqCst);
        while let Some(line) = input.next_line()? {
            if line == "starve" {
                // Room for what the threads need who are there, not for the stack of another.
                limit(libc::RLIMIT_AS, address_space() + STACK / 2);
            }
            writeln!(output, "{}", self.peak.load(SeqCst))?;
        }
        self.present.fetch_sub(1, SeqCst);
        Ok(())
    }
}

const STACK: u64 = 256 << 20;

fn main() -> ExitCode {
    support::run(
        &[
            ("an_iterative_server_outlasts_a_lack_of_descriptors", an_iterative_server_outlasts_a_lack_of_descriptors),
            ("a_threading_server_outlasts_a_lack_of_descriptors", a_threading_server_outlasts_a_lack_of_descriptors),
            ("a_forking_server_outlasts_a_lack_of_descriptors", a_forking_server_outlasts_a_lack_of_descriptors),
            (
                "a_forking_server_may_have_more_children_than_descriptors",
                a_forking_server_may_have_more_children_than_descriptors,
            ),
            ("a_crew_that_cannot_grow_serves_on", a_crew_that_cannot_grow_serves_on),
        ],
        &[
            ("iterative", serve::<Iterative>),
            ("threading", serve::<Threading>),
            ("forking", serve::<Forking>),
            ("crowd", serve_crowd),
        ],
    )
}

/// One connection at a time takes no table full of descriptors: the program does.
fn an_iterative_server_outlasts_a_lack_of_descriptors() {
    let mut server = support::Server::start("iterative", &[]);
    take_all_descriptors(&mut server);
    let mut client = Client::new(server.address());
    client.send("hello");
    does_not_spin(&mut server);
    writeln!(server.input(), "give").unwrap();
    assert_eq!(client.line(), "hello");
    server.stop();
}

/// Each child takes one descriptor of its parent, and the connection goes to the child: again the program takes them.
fn a_forking_server_outlasts_a_lack_of_descriptors() {
    let mut server = support::Server::start("forking", &[]);
    let alone = sockets(server.pid());
    let mut inside = Client::new(server.address());
    inside.send("one");
    assert_eq!(inside.line(), "one");
    wait_until("the parent has given up the connection", || sockets(server.pid()) == alone);
    take_all_descriptors(&mut server);
    let mut outside = Client::new(server.address());
    outside.send("hello");
    does_not_spin(&mut server);
    inside.send("two");
    assert_eq!(inside.line(), "two");
    writeln!(server.input(), "give").unwrap();
    assert_eq!(outside.line(), "hello");
    server.stop();
}

/// To the last ones the kernel gives no descriptor that would tell of their end, and poll(2) takes no more entries than
/// there may be descriptors.
fn a_forking_server_may_have_more_children_than_descriptors() {
    let server = support::Server::start("forking", &[]);
    let mut clients = Vec::new();
    for _ in 0..DESCRIPTORS + 8 {
        let mut client = Client::new(server.address());
        client.send("hello");
        assert_eq!(client.line(), "hello");
        clients.push(client);
    }
    drop(clients);
    let mut next = Client::new(server.address());
    next.send("hello");
    assert_eq!(next.line(), "hello");
    server.stop();
}

fn a_threading_server_outlasts_a_lack_of_descriptors() {
    let mut server = support::Server::start("threading", &[]);
    let mut clients: Vec<Client> = (0..2 * DESCRIPTORS).map(|_| Client::new(server.address())).collect();
    for client in &mut clients {
        client.send("one");
    }
    does_not_spin(&mut server);

    // Those who came in are served on.
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for mut client in clients {
        if client.has_line() {
            assert_eq!(client.line(), "one");
            inside.push(client);
        } else {
            outside.push(client);
        }
    }
    assert!(inside.len() > 2 && outside.len() > 2, "{} inside, {} outside", inside.len(), outside.len());
    for client in &mut inside {
        client.send("two");
        assert_eq!(client.line(), "two");
    }

    // When they leave, the others come in, in their order.
    drop(inside);
    for mut next in outside {
        assert_eq!(next.line(), "one");
    }
    server.stop();
}

fn take_all_descriptors(server: &mut support::Server) {
    writeln!(server.input(), "take").unwrap();
    // accept(2) needs a descriptor even to find that nobody is there.
    loop {
        match server.line() {
            line if line == "taken" => return,
            line => assert_eq!(line, libc::EMFILE.to_string()),
        }
    }
}

/// The errors of a second are few.
fn does_not_spin(server: &mut support::Server) {
    assert_eq!(server.line(), libc::EMFILE.to_string());
    let begun = Instant::now();
    let mut errors = 1;
    while begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(server.line(), libc::EMFILE.to_string());
        errors += 1;
    }
    // Each of the threads that wait in accept(2) backs off for itself.
    let threads = thread::available_parallelism().unwrap().get();
    assert!(errors <= 10 * threads, "{errors} errors in {:?}", begun.elapsed());
}

fn a_crew_that_cannot_grow_serves_on() {
    let server = support::Server::start("crowd", &[]);
    let mut first = Client::new(server.address());
    // As many threads as there are processors are there from the beginning; a first one of one has its successor.
    let threads = thread::available_parallelism().unwrap().get().max(2);
    wait_until("these threads are there, beside the main one", || {
        fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().count() == threads + 1
    });
    first.send("starve");
    assert_eq!(first.line(), "1");
    let mut inside = vec![first];
    for _ in 1..threads {
        let mut client = Client::new(server.address());
        client.send("hello");
        client.line();
        inside.push(client);
    }
    let mut outside: Vec<_> = (0..2 * threads).map(|_| Client::new(server.address())).collect();
    for client in &mut outside {
        client.send("hello");
    }
    // Each place that is left is taken by another, and there are never more.
    for mut next in outside {
        drop(inside.remove(0));
        assert_eq!(next.line(), threads.to_string());
        inside.push(next);
    }
    drop(inside);
    server.stop();
}

/// So many of the descriptors of a process are sockets.
fn sockets(process: u32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(server: &Address) -> Self {
        let stream = TcpStream::connect(server.socket_addr().unwrap()).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.stream.get_mut(), "{line}").unwrap();
    }

    fn line(&mut self) -> String {
        self.stream.get_ref().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Whether a line comes soon.
    fn has_line(&mut self) -> bool {
        self.stream.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        self.stream.fill_buf().is_ok()
    }
}

fn serve<M: MixIn>() {
    limit(libc::RLIMIT_NOFILE, DESCRIPTORS);
    thread::spawn(take_descriptors);
    let server = Server::<Echo, Tcp, M>::bind("127.0.0.1:0", Echo).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}

fn serve_crowd() {
    let server = Crowd::default().builder().stack_size(usize::try_from(STACK).unwrap());
    let server = server.bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}

/// Takes all descriptors that are left, and gives them back, when it is told to.
fn take_descriptors() {
    let mut taken = Vec::new();
    for line in stdin().lines() {
        if line.unwrap() == "take" {
            taken.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
            println!("taken");
        } else {
            taken.clear();
        }
    }
}

fn limit(resource: libc::__rlimit_resource_t, value: u64) {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: `limit` is a valid `rlimit`, which setrlimit(2) only reads.
    #[allow(unsafe_code, reason = "std cannot set a limit")]
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// How much of it this process uses, in bytes.
fn address_space() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
