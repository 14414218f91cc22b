//! One server process after another on a listener that they share, under load.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use std::{env, thread};

use socketserver::{Forking, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server};
use support::{ChildProcess, wait_until};

/// Sends one line back.
#[socket_server(tcp)]
struct Echo;

#[handler]
impl Echo {
    #[allow(clippy::unused_self, reason = "it has no state")]
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        if let Some(line) = input.next_line()? {
            writeln!(output, "{line}")?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    support::run(
        &[("no_client_is_refused_while_servers_take_over_from_each_other", || {
            takes_over("iterative");
            takes_over("threading");
            takes_over("forking");
        })],
        &[("iterative", serve::<Iterative>), ("threading", serve::<Threading>), ("forking", serve::<Forking>)],
    )
}

/// Each next server is there before the one before it is told to leave.
fn takes_over(mixin: &str) {
    const CLIENTS: usize = 3;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (done, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut serving = start(mixin, &listener);
    thread::scope(|scope| {
        let clients = [(); CLIENTS].map(|()| {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    is_answered(address);
                    answered.fetch_add(1, SeqCst);
                }
            })
        });
        let load_goes_on = || {
            let before = answered.load(SeqCst);
            wait_until("the clients are served", || {
                answered.load(SeqCst) > before + 100 || clients.iter().any(thread::ScopedJoinHandle::is_finished)
            });
        };
        for _ in 0..5 {
            load_goes_on();
            let successor = start(mixin, &listener);
            stop(std::mem::replace(&mut serving, successor));
        }
        load_goes_on();
        done.store(true, SeqCst);
    });
    stop(serving);
    // It was shut down by nobody.
    let successor = start(mixin, &listener);
    is_answered(address);
    stop(successor);
}

/// A client whose connection is taken when its server is told to leave, and who has not said anything yet, is an idle
/// one: it is closed, and has to come again. None is refused, and none waits in vain.
fn is_answered(server: SocketAddr) {
    for _ in 0..10 {
        let client = TcpStream::connect(server).expect("no client is refused");
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reply = String::new();
        match writeln!(&client, "hello").and_then(|()| BufReader::new(&client).read_line(&mut reply)) {
            Ok(0) => {}
            Ok(_) => return assert_eq!(reply, "hello\n"),
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("ten times closed without an answer");
}

/// A server process, which has the listener as its standard input, as after socket activation.
fn start(mixin: &str, listener: &TcpListener) -> ChildProcess {
    let mut command = Command::new(env::current_exe().unwrap());
    let listener_of_its_own = OwnedFd::from(listener.try_clone().unwrap());
    let mut process =
        ChildProcess::spawn(command.args(["--serve", mixin]).stdin(listener_of_its_own).stdout(Stdio::piped()));
    let mut address = String::new();
    BufReader::new(process.output()).read_line(&mut address).unwrap();
    assert_eq!(address.trim_end(), listener.local_addr().unwrap().to_string());
    process
}

fn stop(mut process: ChildProcess) {
    process.signal(libc::SIGTERM);
    assert!(process.wait().success());
}

fn serve<M: MixIn>() {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
    let server = Server::<Echo, Tcp, M>::bind(listener, Echo).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}
