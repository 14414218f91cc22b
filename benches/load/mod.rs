//! The load generator: clients in few threads, each thread an epoll loop, every reply compared byte for byte.

mod exchange;
mod kept;
mod packets;
mod short;

use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::servers::Server;
use crate::sys::{self, Epoll};

pub(crate) use exchange::Exchange;

use kept::Kept;
use packets::Packets;
use short::Short;

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Traffic {
    /// Connect, send 16 bytes, read the reply, close, and again.
    Short,
    /// Lines of 64 bytes on a connection that stays, so many sent before the replies are awaited.
    Lines { in_flight: usize },
    /// Packets of 32 bytes, each sent when the reply to the one before is there.
    Packets,
}

/// What came of it.
pub(crate) struct Measured {
    /// Replies per second.
    pub(crate) rate: f64,
    /// CPU of the server for each of them, in microseconds.
    pub(crate) cpu: f64,
}

/// Two are enough for loopback, and leave the server its share of a small machine.
const MOST_THREADS: usize = 2;
/// More warm-up for each client, for a thread to be started.
const WARM_UP_EACH: Duration = Duration::from_micros(300);
/// After so long without any reply, a packet counts as lost.
const PATIENCE: Duration = Duration::from_millis(200);

/// Has `clients` clients ask the server for `time`, after a warm-up.
pub(crate) fn run(server: &Server, traffic: Traffic, clients: usize, time: Duration) -> io::Result<Measured> {
    match traffic {
        Traffic::Short => measure(server, clients, time, |number| Ok(Short::new(server.address(), number))),
        Traffic::Lines { in_flight } => {
            measure(server, clients, time, |number| Kept::new(server.address(), number, in_flight))
        }
        Traffic::Packets => {
            measure(server, clients, time, |number| Packets::new(server.address(), number, server.place()))
        }
    }
}

/// Has one client ask so many times.
pub(crate) fn ask(server: &Server, traffic: Traffic, requests: u64) -> io::Result<()> {
    match traffic {
        Traffic::Short => ask_as(Short::new(server.address(), 0), requests),
        Traffic::Lines { in_flight } => {
            let client = Kept::new(server.address(), 0, in_flight)?;
            // It stays idle: a server may wait for one that is alone by looking for its input, as often as time allows.
            let _other = kept::connect(server.address())?;
            ask_as(client, requests)
        }
        Traffic::Packets => ask_as(Packets::new(server.address(), 0, server.place())?, requests),
    }
}

/// A client between two events.
trait Client: Send {
    /// How long the clients ask before it counts.
    const WARM_UP: Duration = Duration::from_millis(100);

    /// Sends the first request.
    fn begin(&mut self, epoll: &Epoll, token: usize) -> io::Result<()>;

    /// Goes on as far as it can without waiting; how many replies are complete.
    fn advance(&mut self, epoll: &Epoll, token: usize) -> io::Result<u64>;

    /// Nothing has come for long.
    fn nudge(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn measure<C: Client>(
    server: &Server,
    clients: usize,
    time: Duration,
    make: impl Fn(usize) -> io::Result<C> + Sync,
) -> io::Result<Measured> {
    let threads = clients.min(MOST_THREADS);
    let (connected, warm) = (Barrier::new(threads), Barrier::new(threads + 1));
    let life = |thread: usize| {
        let clients = (thread..clients).step_by(threads).map(&make).collect::<io::Result<Vec<C>>>();
        connected.wait();
        let prepared = clients.and_then(prepare);
        warm.wait();
        let (mut epoll, mut clients) = prepared?;
        drive(&mut epoll, &mut clients, Instant::now() + time, u64::MAX)
    };
    let life = &life;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || life(thread))).collect();
        warm.wait();
        let began = (Instant::now(), sys::cpu_time(server.pid())?);
        let mut replies = 0;
        for thread in running {
            replies += thread.join().expect("a load thread does not panic")?;
        }
        let (elapsed, cpu) = (began.0.elapsed(), sys::cpu_time(server.pid())?.saturating_sub(began.1));
        if replies == 0 {
            return Err(io::Error::other("no reply at all"));
        }
        #[expect(clippy::cast_precision_loss, reason = "not so many")]
        let replies = replies as f64;
        Ok(Measured { rate: replies / elapsed.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / replies })
    })
}

fn ask_as<C: Client>(client: C, requests: u64) -> io::Result<()> {
    let mut epoll = Epoll::new()?;
    let mut clients = [client];
    clients[0].begin(&epoll, 0)?;
    let until = Instant::now() + Duration::from_mins(1);
    if drive(&mut epoll, &mut clients, until, requests)? < requests {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(())
}

/// Has the clients ask until the server is warm.
fn prepare<C: Client>(mut clients: Vec<C>) -> io::Result<(Epoll, Vec<C>)> {
    let mut epoll = Epoll::new()?;
    for (token, client) in clients.iter_mut().enumerate() {
        client.begin(&epoll, token)?;
    }
    let each = WARM_UP_EACH * u32::try_from(clients.len()).map_err(io::Error::other)?;
    drive(&mut epoll, &mut clients, Instant::now() + C::WARM_UP + each, u64::MAX)?;
    Ok((epoll, clients))
}

/// Has the clients ask until it is time, or until they have had `most` replies; how many they have had.
fn drive<C: Client>(epoll: &mut Epoll, clients: &mut [C], until: Instant, most: u64) -> io::Result<u64> {
    let mut replies = 0;
    let mut ready = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || replies >= most {
            return Ok(replies);
        }
        ready.clear();
        ready.extend(epoll.wait(Some(left.min(PATIENCE) + Duration::from_millis(1)))?);
        for &token in &ready {
            replies += clients[token].advance(epoll, token)?;
        }
        if ready.is_empty() {
            clients.iter_mut().try_for_each(Client::nudge)?;
        }
    }
}
