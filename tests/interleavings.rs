//! Whatever clients do, and in whatever order: every connection that was accepted ends exactly once.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use socketserver::socket2::SockRef;
use socketserver::{
    Connection, HandlerError, Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Writer, handler, socket_server,
};

/// Answers lines, and fails as it is told to.
#[socket_server(tcp, hooks)]
#[derive(Default)]
struct Told {
    lines: Mutex<usize>,
}

impl Hooks for Told {
    /// Refuses who says so at once.
    fn verify_request(&self, request: &Connection) -> bool {
        let mut first = [0];
        let peeked = request.socket().set_nonblocking(true).and_then(|()| {
            let stream = request.socket().try_clone()?;
            TcpStream::from(stream).peek(&mut first)
        });
        request.socket().set_nonblocking(false).unwrap();
        !matches!((peeked, first), (Ok(1), [b'-']))
    }

    fn handle_error(&self, _: &HandlerError, _: &socketserver::Address) {}
}

#[handler]
impl Told {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            // A panic of another request has poisoned it, and only a request: the count is still right.
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            *lines += 1;
            match line {
                "panic" => panic!("as told"),
                "fail" => return Err(io::Error::other("as told")),
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
    }
}

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Client {
    Talks,
    IsRefused,
    HasItFail,
    HasItPanic,
    EndsItsSide,
    LeavesAmidALine,
    Resets,
    SaysNothing,
}

impl Client {
    fn any() -> impl Strategy<Value = Self> {
        use Client::{EndsItsSide, HasItFail, HasItPanic, IsRefused, LeavesAmidALine, Resets, SaysNothing, Talks};
        proptest::sample::select(vec![
            Talks,
            IsRefused,
            HasItFail,
            HasItPanic,
            EndsItsSide,
            LeavesAmidALine,
            Resets,
            SaysNothing,
        ])
    }

    fn act(self, server: &Server<Told, Tcp, impl MixIn>) -> io::Result<()> {
        let mut stream = TcpStream::connect(server.local_address())?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        match self {
            Self::Talks => {
                stream.write_all(b"hello\n")?;
                BufReader::new(stream).read_line(&mut String::new()).map(drop)
            }
            Self::IsRefused => stream.write_all(b"-\n"),
            Self::HasItFail => stream.write_all(b"fail\n"),
            Self::HasItPanic => stream.write_all(b"panic\n"),
            Self::EndsItsSide => {
                stream.write_all(b"hello\n")?;
                stream.shutdown(Shutdown::Write)?;
                stream.read_to_string(&mut String::new()).map(drop)
            }
            Self::LeavesAmidALine => stream.write_all(b"hel"),
            Self::Resets => {
                stream.write_all(b"hello\n")?;
                SockRef::from(&stream).set_linger(Some(Duration::ZERO))
            }
            Self::SaysNothing => Ok(()),
        }
    }
}

/// Keeps quiet about the panics that are part of the game.
fn silence_panics_as_told() {
    static ONCE: Once = Once::new();

    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some("as told") {
                usual(panic);
            }
        }));
    });
}

fn every_connection_ends_once<M: MixIn>(clients: &[Client], before_the_shutdown: usize) {
    silence_panics_as_told();
    let server = Server::<Told, Tcp, M>::bind("127.0.0.1:0", Told::default()).unwrap();
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve_forever());
        let (first, others) = clients.split_at(before_the_shutdown.min(clients.len()));
        let server = &server;
        let act = |client: &Client| {
            let client = *client;
            scope.spawn(move || {
                // The server may be gone at any moment, so that every step may fail.
                let _ = client.act(server);
            })
        };
        let first: Vec<_> = first.iter().map(act).collect();
        for client in first {
            client.join().unwrap();
        }
        let others: Vec<_> = others.iter().map(act).collect();
        server.shutdown_handle().shutdown();
        drop(others);
        serving.join().unwrap().unwrap();
    });
    let stats = server.stats();
    assert_eq!((stats.active, stats.cut), (0, 0), "{stats:?}");
    assert_eq!(stats.accepted, stats.finished + stats.failed + stats.refused, "{stats:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_connection_of_a_threading_server_ends_once(
        clients in proptest::collection::vec(Client::any(), 1..12),
        before_the_shutdown in 0_usize..12,
    ) {
        every_connection_ends_once::<Threading>(&clients, before_the_shutdown);
    }

    #[test]
    fn every_connection_of_an_iterative_server_ends_once(
        clients in proptest::collection::vec(Client::any(), 1..12),
        before_the_shutdown in 0_usize..12,
    ) {
        every_connection_ends_once::<Iterative>(&clients, before_the_shutdown);
    }
}

#[test]
fn a_lock_that_a_panic_poisoned_is_the_only_thing_that_is_left_of_it() {
    silence_panics_as_told();
    let server = Server::<Told, Tcp, Threading>::bind("127.0.0.1:0", Told::default()).unwrap().start().unwrap();
    assert_eq!(support::ask(server.local_address(), "panic").unwrap(), "");
    assert_eq!(support::ask(server.local_address(), "hello").unwrap(), "hello");
    assert!(server.service().lines.is_poisoned());
    assert_eq!(*server.service().lines.lock().unwrap_or_else(PoisonError::into_inner), 2);
}
