//! Who answers: the same slow requests, served by each of the three mix-ins.
//!
//! ```text
//! cargo run --example threads_and_processes      # 4 requests to each
//! cargo run --example threads_and_processes 8
//! ```
//!
//! Each request takes a quarter of a second, and each reply names the thread and the process that made it, and when.
//! The program is its own client, so there is nothing to talk to: it prints a table. `iterative` serves one request
//! after the other, `threading` and `forking` serve them side by side.

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::net::TcpStream;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use socketserver::{Forking, Iterative, MixIn, Server, Tcp, Threading, Writer, handler, socket_server};

/// A server with slow handlers. The mix-in of the attribute is only a default: here it is chosen by type.
#[socket_server(tcp)]
struct Slow {
    begun: Instant,
}

#[handler]
impl Slow {
    fn handle(&self, output: &mut Writer) -> io::Result<()> {
        let from = self.begun.elapsed().as_millis();
        thread::sleep(Duration::from_millis(250));
        let to = self.begun.elapsed().as_millis();
        let thread = format!("{:?}", thread::current().id());
        writeln!(output, "{thread:<14} {:<9} {from:>6} ms {to:>6} ms", process::id())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let requests = match env::args().nth(1) {
        Some(number) => {
            let requests = number.parse().ok().filter(|requests| (1..=1_000).contains(requests));
            requests.ok_or_else(|| format!("`{number}` is not a number of requests, from 1 to 1000"))?
        }
        None => 4,
    };
    println!("{:<10} {:>7}  {:<14} {:<9} {:>9} {:>9}", "mix-in", "request", "thread", "process", "from", "to");
    // `forking` before `threading`: a process that forks should have one thread.
    let all = serve::<Iterative>(requests)? && serve::<Forking>(requests)? && serve::<Threading>(requests)?;
    if !all {
        println!("stopped by a signal");
    }
    Ok(())
}

/// Sends all requests at once, has them served, and prints the replies; `false`: there was a signal.
fn serve<M: MixIn>(requests: usize) -> io::Result<bool> {
    let begun = Instant::now();
    let server = Server::<Slow, Tcp, M>::bind("127.0.0.1:0", Slow { begun })?;
    server.shutdown_on_signals()?;

    // The server listens since `bind`: the kernel keeps the requests until they are taken.
    let connect = |_| TcpStream::connect(server.local_address());
    let clients: Vec<_> = (0..requests).map(connect).collect::<io::Result<_>>()?;
    for _ in 0..requests {
        if !server.handle_request()? {
            return Ok(false);
        }
    }
    // Closing it waits for the requests in progress.
    drop(server);
    let took = begun.elapsed().as_millis();

    for (number, client) in (1..).zip(clients) {
        print!("{:<10} {number:>7}  {}", M::NAME, io::read_to_string(client)?);
    }
    println!("{:<10} {requests:>7} requests in {took} ms", M::NAME);
    Ok(true)
}
