//! Forwards connections to another server, both directions at once.
//!
//! ```text
//! cargo run --example upper                                 # something to forward to, on 127.0.0.1:9999
//! cargo run --example proxy -- --to 127.0.0.1:9999          # on 127.0.0.1:9998
//!
//! printf 'hello\n' | nc -N 127.0.0.1 9998                   # HELLO, by way of the proxy
//! cargo run --example proxy -- --to example.org:80          # or a web server:
//! curl --header 'Host: example.org' http://127.0.0.1:9998/
//! ```
//!
//! Each direction has a thread, and goes as fast as its receiver takes it: a side that does not read stops the other's
//! sending, and nothing else. The end of what one side sends is passed on, and the other direction goes on (a
//! half-close). An error ends both. Ctrl-C and SIGTERM drain: a forward whose last bytes came from the upstream gets the
//! client's end, one whose last bytes came from the client has `--drain-timeout` for its answer.
//!
//! Left out: one upstream only, and no health checks; nothing tells the upstream who the client is (the PROXY protocol);
//! what breaks one side, be it a reset, is a plain end to the other; urgent data (`MSG_OOB`) is lost.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::num::{NonZeroU32, NonZeroUsize, ParseIntError};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Parser};
use env_logger::Env;
use log::{error, info};
use socketserver::socket2::SockRef;
use socketserver::{BoxError, Connection, Reader, Writer, handler, socket_server};

/// Forwards TCP connections to another server.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9998")]
    address: String,
    #[command(flatten)]
    proxy: Proxy,
    /// Connections forwarded at once; others wait.
    #[arg(long, value_name = "NUMBER", default_value = "512")]
    max_connections: NonZeroUsize,
    /// How long a shutdown waits for answers of the upstream.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    drain_timeout: Duration,
}

// Bytes are passed on as they come, so there is nothing to gather.
#[socket_server(tcp, threading, write_buffer = 0)]
#[derive(Args)]
struct Proxy {
    /// The upstream, looked up anew for each connection.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    to: String,
    /// How long each address of the upstream may take to accept a connection.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    /// How long a connection may be silent both ways, or a side take nothing. It is noticed after twice that at the latest.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    idle_timeout: Duration,
}

fn host_and_port(text: &str) -> Result<String, &'static str> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("not HOST:PORT"),
    }
}

fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(|seconds: NonZeroU32| Duration::from_secs(seconds.get().into()))
}

#[handler]
impl Proxy {
    fn handle(&self, client: &mut Connection) -> Result<(), BoxError> {
        let upstream = self.connect().map_err(|error| format!("cannot connect to {}: {error}", self.to))?;
        upstream.set_nodelay(true)?;
        upstream.set_read_timeout(Some(self.idle_timeout))?;
        upstream.set_write_timeout(Some(self.idle_timeout))?;
        let peer = client.peer_address().clone();
        info!("{peer}: forwarded to {}", upstream.peer_addr()?);

        let forward = Forward { upstream, idle_timeout: self.idle_timeout, last: Mutex::new(Instant::now()) };
        let (input, output) = client.split();
        let mut down = Ok(0);
        let up = thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || down = forward.down(output))?;
            forward.up(input)
        });
        // Where both have failed, the way down tells why: for what only breaks the way up, it just ends.
        let (down, up) = (down?, up?);
        info!("{peer}: ended after {up} bytes up and {down} down");
        Ok(())
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut failed = io::Error::new(ErrorKind::NotFound, "it has no address");
        for address in self.to.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.connect_timeout) {
                Ok(upstream) => return Ok(upstream),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

/// What the two directions of a connection share.
struct Forward {
    upstream: TcpStream,
    idle_timeout: Duration,
    /// When something was received last, from either side.
    last: Mutex<Instant>,
}

impl Forward {
    /// From the client to the upstream; how many bytes.
    fn up(&self, client: &mut Reader) -> io::Result<u64> {
        let mut upstream = &self.upstream;
        let copied = self.copy(|bytes| client.read(bytes), |bytes| self.named(upstream.write_all(bytes)));
        // After an error this ends the waits of the other direction too. It fails if the upstream is gone already.
        let _ = upstream.shutdown(if copied.is_ok() { Shutdown::Write } else { Shutdown::Both });
        copied
    }

    /// From the upstream to the client.
    fn down(&self, client: &mut Writer) -> io::Result<u64> {
        let mut upstream = &self.upstream;
        let copied = self.copy(|bytes| self.named(upstream.read(bytes)), |bytes| client.write_all(bytes));
        let _ = SockRef::from(&*client).shutdown(if copied.is_ok() { Shutdown::Write } else { Shutdown::Both });
        if copied.is_err() {
            let _ = upstream.shutdown(Shutdown::Both);
        }
        copied
    }

    /// Until the end of the input. Nothing is read before what was read before it has been taken.
    fn copy(
        &self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<u64> {
        let last = || self.last.lock().expect("nobody panics with it");
        let mut buffer = vec![0; 65_536];
        let mut copied = 0;
        loop {
            match read(&mut buffer) {
                Ok(0) => return Ok(copied),
                Ok(length) => {
                    *last() = Instant::now();
                    write(&buffer[..length])?;
                    copied += length as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // This direction was silent, but not the other.
                Err(error) if error.kind() == ErrorKind::TimedOut && last().elapsed() < self.idle_timeout => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Errors of the upstream's socket say whose they are. As they are, the server would take a reset for a client's
    /// right, and report nothing.
    fn named<T>(&self, result: io::Result<T>) -> io::Result<T> {
        let silent = || format!("the upstream neither sends nor takes anything for {:?}", self.idle_timeout);
        result.map_err(|error| match error.kind() {
            ErrorKind::Interrupted => error,
            // What a timeout that was set on a socket shows as.
            ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, silent()),
            _ => io::Error::other(format!("the connection to the upstream is broken: {error}")),
        })
    }
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(Env::default().default_filter_or("info")).init();
    if let Err(error) = serve(Arguments::parse()) {
        error!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn serve(Arguments { address, proxy, max_connections, drain_timeout }: Arguments) -> io::Result<()> {
    let idle_timeout = proxy.idle_timeout;
    let builder = proxy.builder().max_threads(max_connections.get()).drain_timeout(drain_timeout);
    let server = builder.read_timeout(idle_timeout).write_timeout(idle_timeout).bind(address)?;
    server.shutdown_on_signals()?;

    println!("listening on {}", server.local_address());
    println!("Ctrl-C drains and ends");
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
