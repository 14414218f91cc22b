//! What the default hooks say, and what they pass over, read from the standard error of a process without a logger.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use socketserver::socket2::SockRef;
use socketserver::{Forking, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server};

/// Fails as it is told to; `flood` is answered until the peer is gone.
#[socket_server(tcp)]
struct Failing;

#[handler]
impl Failing {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        match input.next_line()?.unwrap_or_default() {
            "fail" => Err(io::Error::other("as asked")),
            "panic" => std::panic::resume_unwind(Box::new("as asked")),
            "flood" => loop {
                output.write_all(&[b'x'; 8_192])?;
            },
            _ => Ok(()),
        }
    }
}

const MIXINS: [&str; 3] = ["iterative", "threading", "forking"];

fn main() -> ExitCode {
    support::run(
        &[
            ("a_failure_is_one_line_that_names_the_peer", a_failure_is_one_line_that_names_the_peer),
            ("a_peer_that_goes_away_is_passed_over", a_peer_that_goes_away_is_passed_over),
        ],
        &[("iterative", serve::<Iterative>), ("threading", serve::<Threading>), ("forking", serve::<Forking>)],
    )
}

fn a_failure_is_one_line_that_names_the_peer() {
    for mixin in MIXINS {
        let server = support::Server::start(mixin, &[]);
        let expected = [("fail", "failed"), ("panic", "panicked")].map(|(line, told)| {
            let mut client = TcpStream::connect(server.address()).unwrap();
            let peer = client.local_addr().unwrap();
            writeln!(client, "{line}").unwrap();
            assert_eq!(io::read_to_string(client).unwrap(), "");
            format!("socketserver: request from {peer}: `handle` {told}: as asked\n")
        });
        assert_eq!(server.stop(), expected.concat() + "failed 2\n", "{mixin}");
    }
}

fn a_peer_that_goes_away_is_passed_over() {
    for mixin in MIXINS {
        let server = support::Server::start(mixin, &[]);
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        writeln!(client, "flood").unwrap();
        BufReader::new(&client).fill_buf().unwrap();
        // It is closed by a reset.
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        assert_eq!(server.stop(), "failed 1\n", "{mixin}");
    }
}

/// What goes to the standard error, the test reads.
fn serve<M: MixIn>() {
    // SAFETY: dup2(2) takes any numbers.
    #[allow(unsafe_code, reason = "std cannot redirect the output of its own process")]
    let duplicate = unsafe { libc::dup2(libc::STDOUT_FILENO, libc::STDERR_FILENO) };
    assert_eq!(duplicate, libc::STDERR_FILENO);
    let server = Server::<Failing, Tcp, M>::bind("127.0.0.1:0", Failing).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
    println!("failed {}", server.stats().failed);
}
