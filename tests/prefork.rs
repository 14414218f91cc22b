//! A program that binds a server, forks processes by itself, and serves in them: one ends, and the others go on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use std::{env, fs, ptr};

use signal_hook::low_level::raise;
use socketserver::{
    Address, Forking, Hooks, Iterative, MixIn, Reader, Server, ShutdownHandle, Stats, Threading, Transport, Writer,
    handler, socket_server,
};
use support::{Conversation, ask, ask_packet, kill, wait_until};

/// Tells which process serves it. At `stop` it stops the server, at `work` it waits for the shutdown and then for `go`.
macro_rules! workers {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, threading)]
        #[derive(Default)]
        struct $name {
            worker: AtomicU32,
        }

        impl Worker for $name {
            fn worker(&self) -> &AtomicU32 {
                &self.worker
            }
        }

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    match line {
                        "stop" => shutdown.shutdown(),
                        "work" => {
                            println!("begun");
                            wait_until("there is a shutdown", || shutdown.is_shutting_down());
                            println!("draining");
                            input.read_exact(&mut [0; 3])?;
                        }
                        _ => {}
                    }
                    writeln!(output, "{}", self.worker.load(SeqCst))?;
                }
                Ok(())
            }
        }
    )*};
}

workers! {
    Tcp: tcp;
    Udp: udp;
    UnixStream: unix_stream;
}

trait Worker {
    /// The process that serves, for a `forking` one too.
    fn worker(&self) -> &AtomicU32;
}

fn main() -> ExitCode {
    support::run(
        &[
            ("a_signal_ends_the_process_that_gets_it", a_signal_ends_the_process_that_gets_it),
            ("packets_and_paths_are_shared_too", packets_and_paths_are_shared_too),
            ("of_a_given_socket_the_parent_may_serve_too", of_a_given_socket_the_parent_may_serve_too),
            ("a_handler_ends_the_process_that_it_is_in", a_handler_ends_the_process_that_it_is_in),
            ("a_process_that_drains_hears_its_own_bell", a_process_that_drains_hears_its_own_bell),
            ("a_signal_before_it_serves_is_not_lost", a_signal_before_it_serves_is_not_lost),
            ("a_copy_that_is_shut_down_is_one_of_several", a_copy_that_is_shut_down_is_one_of_several),
            ("a_copy_has_no_requests_in_progress", a_copy_has_no_requests_in_progress),
            ("the_first_signal_of_each_process_drains", the_first_signal_of_each_process_drains),
        ],
        &[
            ("iterative", || prefork(&bind::<Iterative>())),
            ("threading", || prefork(&bind::<Threading>())),
            ("forking", || prefork(&bind::<Forking>())),
            ("given threading", || prefork(&given())),
            ("parent too", || parent_too(&given())),
            ("udp threading", || prefork(&Udp::default().bind(ADDRESS).unwrap())),
            ("unix_stream threading", || prefork(&UnixStream::default().bind(argument()).unwrap())),
            ("early iterative", early::<Iterative>),
            ("early threading", early::<Threading>),
            ("early forking", early::<Forking>),
            ("late", late),
            ("copied iterative", copied::<Iterative>),
            ("copied threading", copied::<Threading>),
            ("copied forking", copied::<Forking>),
            ("dropped threading", || in_progress::<Threading>(drop)),
            ("dropped forking", || in_progress::<Forking>(drop)),
            ("served forking", || in_progress::<Forking>(|server| serve_in_vain(&server))),
        ],
    )
}

const ADDRESS: &str = "127.0.0.1:0";
const MIXINS: [&str; 3] = ["iterative", "threading", "forking"];

fn a_signal_ends_the_process_that_gets_it() {
    for name in ["iterative", "threading", "forking", "given threading"] {
        one_after_the_other(support::Server::start(name, &[]), |address| ask(address, "who").unwrap());
    }
}

fn packets_and_paths_are_shared_too() {
    one_after_the_other(support::Server::start("udp threading", &[]), |address| {
        String::from_utf8(ask_packet(address, b"who\n").unwrap()).unwrap().trim_end().to_owned()
    });
    let place = support::Place::new();
    let path = place.path("server");
    let server = support::Server::start("unix_stream threading", &[path.to_str().unwrap()]);
    one_after_the_other(server, |address| ask(address, "who").unwrap());
    assert!(!path.exists(), "the process that has bound it takes it away");
}

fn of_a_given_socket_the_parent_may_serve_too() {
    let mut server = support::Server::start("parent too", &[]);
    let worker = server.line();
    assert!([&worker, &server.pid().to_string()].contains(&&ask(server.address(), "who").unwrap()));
    server.signal(libc::SIGTERM);
    assert_eq!(server.line(), "the parent has served");
    for _ in 0..20 {
        assert_eq!(ask(server.address(), "who").unwrap(), worker);
    }
    signal(&worker);
    assert_eq!(server.line(), "the child has ended: 0");
    assert!(server.wait().0.success());
}

fn one_after_the_other(mut server: support::Server, who: fn(&Address) -> String) {
    let one = who(server.address());
    signal(&one);
    assert_eq!(server.line(), format!("{one} has ended: 0"));
    let other = who(server.address());
    assert_ne!(one, other);
    wait_until("the other waits", || sleeps(&other));
    for _ in 0..20 {
        assert_eq!(who(server.address()), other);
    }
    signal(&other);
    assert_eq!(server.line(), format!("{other} has ended: 0"));
    assert!(server.wait().0.success());
}

fn a_handler_ends_the_process_that_it_is_in() {
    for mixin in MIXINS {
        let mut server = support::Server::start(mixin, &[]);
        let one = ask(server.address(), "stop").unwrap();
        assert_eq!(server.line(), format!("{one} has ended: 0"), "{mixin}");
        let other = ask(server.address(), "stop").unwrap();
        assert_eq!(server.line(), format!("{other} has ended: 0"), "{mixin}");
        assert_ne!(one, other);
        assert!(server.wait().0.success());
    }
}

fn a_process_that_drains_hears_its_own_bell() {
    for mixin in MIXINS {
        let mut server = support::Server::start(mixin, &[]);
        let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut replies = BufReader::new(client.try_clone().unwrap()).lines();
        writeln!(client, "who").unwrap();
        let one = replies.next().unwrap().unwrap();
        writeln!(client, "work").unwrap();
        assert_eq!(server.line(), "begun");
        signal(&one);
        assert_eq!(server.line(), "draining");
        let other = ask(server.address(), "who").unwrap();
        assert_ne!(one, other, "{mixin}");
        client.write_all(b"go\n").unwrap();
        assert_eq!(replies.next().unwrap().unwrap(), one);
        assert!(replies.next().is_none(), "it is closed");
        assert_eq!(server.line(), format!("{one} has ended: 0"), "{mixin}");
        signal(&other);
        assert_eq!(server.line(), format!("{other} has ended: 0"), "{mixin}");
        assert!(server.wait().0.success());
    }
}

fn a_signal_before_it_serves_is_not_lost() {
    goes_on_after("early", "serves: Ok(())");
}

fn the_first_signal_of_each_process_drains() {
    let mut server = support::Server::start("late", &[]);
    let mut client = Conversation::with(server.address());
    let worker = client.ask("who");
    client.send("work\n");
    assert_eq!(server.line(), "begun");
    signal(&worker);
    assert_eq!(server.line(), "draining");
    client.send("go\n");
    assert_eq!(client.line(), worker);
    assert_eq!(server.line(), "the child has ended: 0");
}

fn a_copy_that_is_shut_down_is_one_of_several() {
    goes_on_after("copied", "is shutting down: true");
}

fn goes_on_after(what: &str, says: &str) {
    for mixin in MIXINS {
        let mut server = support::Server::start(&format!("{what} {mixin}"), &[]);
        assert_eq!(server.line(), says, "{mixin}");
        assert_eq!(server.line(), "the child has ended: 0", "{mixin}");
        let pid = server.pid().to_string();
        assert_eq!(ask(server.address(), "who").unwrap(), pid, "{mixin}");
        wait_until("the server waits", || sleeps(&pid));
        server.stop();
    }
}

fn a_copy_has_no_requests_in_progress() {
    for name in ["dropped threading", "dropped forking", "served forking"] {
        let mut server = support::Server::start(name, &[]);
        let client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let pid = server.pid().to_string();
        let mut replies = BufReader::new(&client).lines();
        let mut ask = || {
            writeln!(&client, "who").unwrap();
            replies.next().unwrap().unwrap()
        };
        assert_eq!(ask(), pid, "{name}");
        writeln!(server.input()).unwrap();
        assert_eq!(server.line(), "the child has ended: 0", "{name}");
        assert_eq!(ask(), pid, "{name}");
        writeln!(server.input()).unwrap();
        assert!(replies.next().is_none(), "it is idle as the parent drops its own");
        assert!(server.wait().0.success(), "{name}");
    }
}

/// In the server process: forks two that serve, and tells how they end.
fn prefork<S, T, M>(server: &Server<S, T, M>)
where
    S: Hooks<Request = T::Request> + Worker,
    T: Transport,
    M: MixIn,
{
    server.shutdown_on_signals().unwrap();
    let workers = [(); 2].map(|()| fork(|| serve(server)));
    support::serves(server.local_address());
    for _ in workers {
        let (worker, status) = wait(-1);
        println!("{worker} has ended: {status}");
    }
    assert!(!server.shutdown_handle().is_shutting_down());
}

/// In the server process: a child serves, and so does the parent.
fn parent_too(server: &Server<Tcp>) {
    server.shutdown_on_signals().unwrap();
    let child = fork(|| serve(server));
    support::serves(server.local_address());
    println!("{child}");
    serve(server);
    println!("the parent has served");
    println!("the child has ended: {}", wait(child).1);
}

/// In the server process: a child is told to end before it serves, and then the parent serves.
fn early<M: MixIn>() {
    let server = bind::<M>();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    let child = fork(|| {
        raise(libc::SIGTERM).unwrap();
        println!("serves: {:?}", server.serve_forever());
    });
    println!("the child has ended: {}", wait(child).1);
    serve(&server);
}

/// In the server process: it has had a signal before it forks the child that serves.
fn late() {
    let server = bind::<Threading>();
    server.shutdown_on_signals().unwrap();
    raise(libc::SIGTERM).unwrap();
    let child = fork(|| serve(&server));
    support::serves(server.local_address());
    println!("the child has ended: {}", wait(child).1);
}

/// In the server process: a child shuts its copy down without serving it, and then the parent serves.
fn copied<M: MixIn>() {
    let server = bind::<M>();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    let child = fork(|| {
        let shutdown = server.shutdown_handle();
        shutdown.shutdown();
        shutdown.shutdown();
        println!("is shutting down: {}", shutdown.is_shutting_down());
    });
    println!("the child has ended: {}", wait(child).1);
    serve(&server);
}

/// In the server process: a child has a copy while the parent has a request in progress.
fn in_progress<M: MixIn>(life: fn(Server<Tcp, socketserver::Tcp, M>)) {
    let server = bind::<M>();
    server.service().worker().store(process::id(), SeqCst);
    support::serves(server.local_address());
    assert!(server.handle_request().unwrap());
    io::stdin().read_line(&mut String::new()).unwrap();
    let mut server = Some(server);
    let child = fork(|| server.take().into_iter().for_each(life));
    println!("the child has ended: {}", wait(child).1);
    io::stdin().read_line(&mut String::new()).unwrap();
}

fn serve<S, T, M>(server: &Server<S, T, M>)
where
    S: Hooks<Request = T::Request> + Worker,
    T: Transport,
    M: MixIn,
{
    server.service().worker().store(process::id(), SeqCst);
    server.serve_forever().unwrap();
}

fn serve_in_vain<M: MixIn>(server: &Server<Tcp, socketserver::Tcp, M>) {
    assert_eq!(server.stats().active, 1);
    server.shutdown_handle().shutdown();
    server.serve_forever().unwrap();
    assert_eq!(server.stats(), Stats::default());
}

/// What drains, drains until it is done.
fn bind<M: MixIn>() -> Server<Tcp, socketserver::Tcp, M> {
    Server::builder(Tcp::default()).drain_timeout(None).bind(ADDRESS).unwrap()
}

fn given() -> Server<Tcp> {
    Tcp::default().bind(TcpListener::bind(ADDRESS).unwrap()).unwrap()
}

fn argument() -> String {
    env::args().nth(3).expect("an address")
}

/// Runs `life` in a child process, which ends with its parent.
fn fork(life: impl FnOnce()) -> libc::pid_t {
    // SAFETY: what the child does is safe where the process has one thread. Where it has another, that one waits for
    // input, and holds no lock that the child takes.
    #[allow(unsafe_code, reason = "std cannot fork")]
    let child = unsafe { libc::fork() };
    assert_ne!(child, -1, "{}", io::Error::last_os_error());
    if child == 0 {
        // SAFETY: prctl(2) takes any numbers.
        #[allow(unsafe_code, reason = "std cannot ask for a signal")]
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
        life();
        process::exit(0);
    }
    child
}

/// Waits for a child; which it was, and its status.
fn wait(child: libc::pid_t) -> (libc::pid_t, i32) {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the status.
    #[allow(unsafe_code, reason = "std has not forked it")]
    let child = unsafe { libc::waitpid(child, ptr::from_mut(&mut status), 0) };
    (child, status)
}

fn signal(process: &str) {
    kill(process.parse().unwrap(), libc::SIGTERM);
}

/// Whether all threads of a process sleep, as in system calls that wait.
fn sleeps(process: &str) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // `pid (name) state ..`
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('S'))
    })
}
