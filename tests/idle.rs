//! A server that has nothing to do does nothing: it is woken by requests and by a shutdown, never by a clock.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use socketserver::{
    Forking, Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Transport, Udp, Writer, handler, socket_server,
};
use support::{ask_packet, connect, wait_until};

/// CPython's `serve_forever` looks for a shutdown every half second.
const LONGER_THAN_A_POLL_INTERVAL: Duration = Duration::from_millis(700);

/// One handler for both.
macro_rules! echo {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                while let Some(line) = input.next_line()? {
                    writeln!(output, "{line}")?;
                }
                Ok(())
            }
        }
    )*};
}

echo! {
    Lines: tcp;
    Packets: udp;
}

fn main() -> ExitCode {
    support::run(
        &[("an_idle_server_sleeps", an_idle_server_sleeps)],
        &[
            ("tcp iterative", || serve::<_, Tcp, Iterative>(Lines)),
            ("tcp threading", || serve::<_, Tcp, Threading>(Lines)),
            ("tcp forking", || serve::<_, Tcp, Forking>(Lines)),
            ("udp iterative", || serve::<_, Udp, Iterative>(Packets)),
            ("udp threading", || serve::<_, Udp, Threading>(Packets)),
            ("udp forking", || serve::<_, Udp, Forking>(Packets)),
        ],
    )
}

/// Servers that have had a request, those of `tcp` with a client that stays: none of their threads and children runs.
fn an_idle_server_sleeps() {
    let streams = ["tcp iterative", "tcp threading", "tcp forking"].map(|name| {
        let server = support::Server::start(name, &[]);
        let mut client = BufReader::new(connect(server.address()).unwrap());
        client.get_mut().write_all(b"hello\n").unwrap();
        client.read_line(&mut String::new()).unwrap();
        (name, server, Some(client))
    });
    let packets = ["udp iterative", "udp threading", "udp forking"].map(|name| {
        let server = support::Server::start(name, &[]);
        ask_packet(server.address(), b"hello").unwrap();
        (name, server, None)
    });
    let servers: Vec<_> = streams.into_iter().chain(packets).collect();
    for (_, server, _) in &servers {
        wait_until("it has come to rest", || {
            let before = switches(server.pid());
            thread::sleep(Duration::from_millis(20));
            switches(server.pid()) == before
        });
    }
    let wake_ups = || servers.iter().map(|(name, server, _)| (*name, switches(server.pid()))).collect::<Vec<_>>();
    let before = wake_ups();
    thread::sleep(LONGER_THAN_A_POLL_INTERVAL);
    assert_eq!(wake_ups(), before);
    for (_, server, client) in servers {
        server.stop();
        drop(client);
    }
}

/// How often each thread of a process, and of its children, has been put to sleep so far.
fn switches(process: u32) -> Vec<String> {
    let mut switches = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task")).unwrap().map_while(Result::ok) {
        let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        switches.extend(read("status").lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned));
        let children = read("children");
        switches.extend(children.split_whitespace().flat_map(|child| self::switches(child.parse().unwrap())));
    }
    switches
}

fn serve<S, T, M>(service: S)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
    for<'a> &'a str: socketserver::Endpoint<T>,
{
    let server = Server::<S, T, M>::bind("127.0.0.1:0", service).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}
