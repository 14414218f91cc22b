//! Signals, sent to real processes: the first drains, the second ends, and none of them surprises.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::sync::Once;
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{
    Address, Forking, HandlerError, Hooks, Iterative, MixIn, Reader, Server, ShutdownHandle, Tcp, Threading, Writer,
    handler, socket_server,
};
use support::{ask, wait_until};

/// Echoes one line. At `work` it waits for the shutdown and then for the word `go`; `flood` is answered until the
/// peer is gone.
#[socket_server(tcp, hooks)]
struct Echo;

impl Hooks for Echo {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        println!("peer is gone: {}", error.is_peer_gone());
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
        match input.next_line()?.unwrap_or_default() {
            "work" => {
                println!("begun");
                wait_until("there is a shutdown", || shutdown.is_shutting_down());
                println!("draining");
                input.read_exact(&mut [0; 3])?;
                writeln!(output, "worked")
            }
            "flood" => loop {
                output.write_all(&[b'x'; 8_192])?;
            },
            line => writeln!(output, "{line}"),
        }
    }
}

fn main() -> ExitCode {
    support::run(
        &[
            ("the_first_signal_drains", the_first_signal_drains),
            ("the_second_signal_ends_the_process_at_once", the_second_signal_ends_the_process_at_once),
            ("an_idle_server_ends_at_the_first_signal", an_idle_server_ends_at_the_first_signal),
            ("signals_that_were_not_asked_for_do_as_always", signals_that_were_not_asked_for_do_as_always),
            ("a_server_in_the_place_of_another_has_its_own_first_signal", in_the_place_of_another),
            ("without_a_server_that_listens_the_second_signal_ends", without_a_server_that_listens),
            ("a_broken_pipe_ends_one_request_only", a_broken_pipe_ends_one_request_only),
        ],
        &[
            ("iterative", || serve::<Iterative>(true)),
            ("threading", || serve::<Threading>(true)),
            ("forking", || serve::<Forking>(true)),
            ("one after the other", || (0..2).for_each(|_| serve::<Threading>(true))),
            ("deaf after another", || {
                drop(bind::<Iterative>(true));
                serve::<Iterative>(false);
            }),
            ("deaf iterative", || serve::<Iterative>(false)),
            ("deaf threading", || serve::<Threading>(false)),
            ("deaf forking", || serve::<Forking>(false)),
        ],
    )
}

const MIXINS: [&str; 3] = ["iterative", "threading", "forking"];
const SIGNALS: [i32; 2] = [libc::SIGTERM, libc::SIGINT];

fn the_first_signal_drains() {
    for (mixin, signal) in MIXINS.into_iter().flat_map(|mixin| SIGNALS.map(|signal| (mixin, signal))) {
        let (server, mut client) = draining(mixin, signal);
        writeln!(client.get_mut(), "go").unwrap();
        assert_eq!(io::read_to_string(client).unwrap(), "worked\n", "{mixin}");
        let (status, output) = server.wait();
        assert!(status.success(), "{mixin}: {status}");
        assert_eq!(output, "accepted 1, finished 1, cut 0\n", "{mixin}");
    }
}

fn the_second_signal_ends_the_process_at_once() {
    for (mixin, signal) in MIXINS.into_iter().flat_map(|mixin| SIGNALS.map(|signal| (mixin, signal))) {
        let (server, client) = draining(mixin, signal);
        server.signal(signal);
        if mixin == "forking" {
            // The child has the output, too, until its client is gone.
            wait_until("the parent is gone", || server.has_ended());
            drop(client);
        }
        let (status, output) = server.wait();
        assert_eq!(status.signal(), Some(signal), "{mixin}: {status}");
        assert!(!output.contains("accepted"), "{mixin}: {output}");
    }
}

/// A server with a request in progress, and a shutdown begun.
fn draining(mixin: &str, signal: i32) -> (support::Server, BufReader<TcpStream>) {
    let mut server = support::Server::start(mixin, &[]);
    let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    writeln!(client, "work").unwrap();
    assert_eq!(server.line(), "begun");
    server.signal(signal);
    assert_eq!(server.line(), "draining");
    (server, BufReader::new(client))
}

fn an_idle_server_ends_at_the_first_signal() {
    for (mixin, signal) in MIXINS.into_iter().flat_map(|mixin| SIGNALS.map(|signal| (mixin, signal))) {
        let server = support::Server::start(mixin, &[]);
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
        server.signal(signal);
        let (status, output) = server.wait();
        assert!(status.success(), "{mixin}: {status}");
        assert_eq!(output, "accepted 1, finished 1, cut 0\n", "{mixin}");
    }
}

fn signals_that_were_not_asked_for_do_as_always() {
    for (mixin, signal) in MIXINS.into_iter().flat_map(|mixin| SIGNALS.map(|signal| (mixin, signal))) {
        let server = support::Server::start(&format!("deaf {mixin}"), &[]);
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
        server.signal(signal);
        let (status, output) = server.wait();
        assert_eq!(status.signal(), Some(signal), "{mixin}: {status}");
        assert_eq!(output, "", "{mixin}");
    }
}

fn in_the_place_of_another() {
    let mut server = support::Server::start("one after the other", &[]);
    server.signal(libc::SIGTERM);
    assert_eq!(server.line(), "accepted 0, finished 0, cut 0");
    let address = Address::Inet(server.line().parse().unwrap());
    assert_eq!(ask(&address, "hello").unwrap(), "hello");
    server.signal(libc::SIGTERM);
    let (status, output) = server.wait();
    assert!(status.success(), "{status}");
    assert_eq!(output, "accepted 1, finished 1, cut 0\n");
}

fn without_a_server_that_listens() {
    for signal in SIGNALS {
        let server = support::Server::start("deaf after another", &[]);
        server.signal(signal);
        // Its one thread hears the signal before it answers.
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello");
        server.signal(signal);
        assert_eq!(server.wait().0.signal(), Some(signal));
    }
}

fn a_broken_pipe_ends_one_request_only() {
    for mixin in MIXINS {
        let mut server = support::Server::start(mixin, &[]);
        let mut client = TcpStream::connect(server.address().socket_addr().unwrap()).unwrap();
        writeln!(client, "flood").unwrap();
        BufReader::new(&client).fill_buf().unwrap();
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        assert_eq!(server.line(), "peer is gone: true", "{mixin}");
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello", "{mixin}");

        assert_eq!(server.stop(), "accepted 2, finished 1, cut 0\n", "{mixin}");
    }
}

fn serve<M: MixIn>(listens: bool) {
    let server = bind::<M>(listens);
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("accepted {}, finished {}, cut {}", stats.accepted, stats.finished, stats.cut);
}

fn bind<M: MixIn>(listens: bool) -> Server<Echo, Tcp, M> {
    static FORGOTTEN: Once = Once::new();

    // Not again for another server: what the first one has installed is not installed a second time.
    FORGOTTEN.call_once(forget_signals);
    let server = Server::bind("127.0.0.1:0", Echo).unwrap();
    if listens {
        server.shutdown_on_signals().unwrap();
    }
    server
}

/// Has each signal do what it does by default: `std` ignores SIGPIPE, and a shell has its jobs in the background ignore
/// SIGINT.
fn forget_signals() {
    for signal in [libc::SIGPIPE, libc::SIGINT, libc::SIGTERM] {
        // SAFETY: no handler is installed that could do anything.
        #[allow(unsafe_code, reason = "std has no way to undo what is ignored")]
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}
