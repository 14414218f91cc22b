//! How a server is told to stop, and what it then does about the requests in progress.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bell::{Bell, Bells};
use crate::phase::Phase;
use crate::request::Stream;
use crate::sys;
use crate::sys::poll::{self, Interest, poll};

/// Stops a server, from wherever it is held: another thread, a handler, a signal's reaction.
///
/// Made by [`Server::shutdown_handle`](crate::Server::shutdown_handle), and given to any hook that asks for
/// `&ShutdownHandle`. CPython: `shutdown()`, which waits for the loop to end and so hangs in a handler, and before
/// the loop has begun.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
/// use std::thread;
///
/// #[socket_server(tcp, threading)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// let server = Quiet.bind("127.0.0.1:0")?;
/// let shutdown = server.shutdown_handle();
/// thread::spawn(move || shutdown.shutdown());
/// server.serve_forever()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct ShutdownHandle {
    state: Arc<State>,
}

struct State {
    /// The process that hears the bells, and has the requests in progress.
    process: AtomicU32,
    phase: Arc<Phase>,
    bells: Bells,
    seats: Mutex<Vec<Arc<Seat>>>,
    cut: AtomicU64,
    listens_to_signals: AtomicBool,
}

impl ShutdownHandle {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            state: Arc::new(State {
                process: AtomicU32::new(sys::child::process_id()),
                phase: Arc::new(Phase::new()),
                bells: Bells::new()?,
                seats: Mutex::default(),
                cut: AtomicU64::new(0),
                listens_to_signals: AtomicBool::new(false),
            }),
        })
    }

    /// Has the server stop: it takes no further request, ends the connections that wait between two requests, gives
    /// the others `drain_timeout` to finish, and then `serve_forever` returns.
    ///
    /// Never waits, and may come at any time: before the server serves, which then returns at once; from a handler;
    /// more than once. A second call cuts the requests that are still in progress. In a child that a `forking`
    /// server made it reaches the parent; a server that the child itself has bound is shut down there. In a process
    /// that the program has forked it shuts down the copy of the server that is there, and no other.
    pub fn shutdown(&self) {
        if sys::child::is_forked() && !self.is_here() {
            return self.bells().look.write(Bell::SHUTDOWN);
        }
        if !self.shutdown_once() && self.state.phase.cut() {
            self.cut_streams();
            self.ring();
        }
    }

    /// Asks for a shutdown unless there was one: a second one would cut. Whether there was none.
    pub(crate) fn shutdown_once(&self) -> bool {
        let begun = self.begin();
        if begun && self.is_here() {
            self.bells().closing.ring();
            self.ring();
        }
        begun
    }

    /// Begins a shutdown, unless there is one, of a server that nobody waits for.
    pub(crate) fn begin(&self) -> bool {
        let begun = self.state.phase.begin();
        if begun {
            self.for_each_stream(Stream::close_if_idle);
        }
        begun
    }

    /// What a signal handler does for a shutdown: it takes no lock and no memory. In a process that has a copy of the
    /// server and does not serve it yet, nobody hears the bell, and whoever serves it looks first.
    #[cfg(feature = "signals")]
    pub(crate) fn signalled(&self) {
        if self.is_here() {
            self.bells().look.write(Bell::SHUTDOWN);
        } else {
            self.state.phase.begin();
        }
    }

    /// Whether this process is the one that hears the bells and has the requests in progress: not one that the program
    /// has forked from it and that only has a copy, and not a child of a `forking` server.
    pub(crate) fn is_here(&self) -> bool {
        self.state.process.load(SeqCst) == sys::child::process_id()
    }

    /// Makes this process the one that hears, with bells of its own, if it is not yet. Whether it was not: then none of
    /// the requests in progress is its own.
    pub(crate) fn bring_here(&self) -> io::Result<bool> {
        if self.is_here() {
            return Ok(false);
        }
        let bells = Bells::new()?;
        self.seats().clear();
        self.state.bells.hand_over_to(bells);
        // In this order: who begins a shutdown and does not find it here yet is found by the look at the phase.
        self.state.process.store(sys::child::process_id(), SeqCst);
        if self.is_shutting_down() {
            self.bells().closing.ring();
        }
        Ok(true)
    }

    /// Whether the server was told to stop. A handler that works for long without waiting for input may ask. CPython
    /// has no counterpart.
    pub fn is_shutting_down(&self) -> bool {
        self.state.phase.is_shutting_down()
    }

    pub(crate) fn is_cutting(&self) -> bool {
        self.state.phase.is_cutting()
    }

    pub(crate) fn phase(&self) -> &Arc<Phase> {
        &self.state.phase
    }

    /// A descriptor that is readable from the beginning of a shutdown on.
    pub(crate) fn closing(&self) -> BorrowedFd<'_> {
        self.bells().closing.as_fd()
    }

    /// Has whoever looks after the server look.
    pub(crate) fn ring(&self) {
        if self.is_here() {
            self.bells().look.ring();
        }
    }

    /// A descriptor that is readable when the bell was rung.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.bells().look.as_fd()
    }

    /// Takes note of what the bell was rung for.
    pub(crate) fn answer(&self) {
        for _ in 0..self.bells().look.answer() {
            self.shutdown();
        }
    }

    pub(crate) fn listens_to_signals(&self) -> bool {
        self.state.listens_to_signals.load(SeqCst)
    }

    #[cfg(feature = "signals")]
    pub(crate) fn listen_to_signals(&self) -> io::Result<sys::signal::Listening> {
        let listening = sys::signal::listen(self)?;
        self.state.listens_to_signals.store(true, SeqCst);
        Ok(listening)
    }

    /// Sleeps, unless and until there is a shutdown.
    pub(crate) fn sleep(&self, duration: Duration) -> io::Result<()> {
        poll(&mut [Interest::readable(self.closing())], Some(Instant::now() + duration)).map(drop)
    }

    /// Waits for a shutdown, or for `failed`, and calls `tick` every `interval` until then.
    pub(crate) fn wait(
        &self,
        interval: Option<Duration>,
        mut tick: impl FnMut(),
        failed: impl Fn() -> bool,
    ) -> io::Result<()> {
        let mut next_tick = poll::deadline(interval);
        while !self.is_shutting_down() && !failed() {
            if self.wait_for_bell(next_tick)? {
                self.answer();
            } else {
                tick();
                next_tick = poll::deadline(interval);
            }
        }
        Ok(())
    }

    /// Waits until all is `done`, for `timeout` at the most, then cuts what is not.
    ///
    /// A cut request gets a moment to notice. One that computes or sleeps on does not notice, and is left behind.
    pub(crate) fn drain(&self, timeout: Option<Duration>, done: impl Fn() -> bool) -> io::Result<()> {
        const TO_NOTICE: Duration = Duration::from_millis(250);

        let mut deadline = poll::deadline(timeout);
        let mut cut = false;
        while !done() {
            if self.is_cutting() && !cut {
                cut = true;
                deadline = Some(Instant::now() + TO_NOTICE);
            }
            if self.wait_for_bell(deadline)? {
                self.answer();
            } else if cut {
                break;
            } else {
                self.state.phase.cut();
                self.cut_streams();
            }
        }
        Ok(())
    }

    fn wait_for_bell(&self, deadline: Option<Instant>) -> io::Result<bool> {
        poll(&mut [Interest::readable(self.bell())], deadline)
    }

    /// A place for one thread that handles requests, where a shutdown finds its connection.
    pub(crate) fn seat(&self) -> SeatGuard {
        let seat = Arc::new(Seat::default());
        self.seats().push(Arc::clone(&seat));
        SeatGuard { seat, shutdown: self.clone() }
    }

    /// How many requests were cut.
    pub(crate) fn cut(&self) -> u64 {
        self.state.cut.load(SeqCst)
    }

    pub(crate) fn count_cut(&self, requests: usize) {
        self.state.cut.fetch_add(requests as u64, SeqCst);
    }

    fn cut_streams(&self) {
        self.for_each_stream(|stream| self.cut_stream(stream));
    }

    fn cut_stream(&self, stream: &Stream) {
        if stream.cut() {
            self.count_cut(1);
        }
    }

    fn for_each_stream(&self, mut visit: impl FnMut(&Stream)) {
        if !self.is_here() {
            return;
        }
        for seat in self.seats().iter() {
            if let Some(stream) = &*seat.lock() {
                visit(stream);
            }
        }
    }

    fn bells(&self) -> &Bells {
        self.state.bells.last()
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.state.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownHandle").field("is_shutting_down", &self.is_shutting_down()).finish_non_exhaustive()
    }
}

/// The connection that one thread is handling.
#[derive(Default)]
struct Seat {
    stream: Mutex<Option<Arc<Stream>>>,
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Stream>>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread's place, given up when the thread leaves.
pub(crate) struct SeatGuard {
    seat: Arc<Seat>,
    shutdown: ShutdownHandle,
}

impl SeatGuard {
    /// Puts the connection that is being handled where a shutdown finds it, or takes it away.
    pub(crate) fn set(&self, stream: Option<Arc<Stream>>) {
        self.seat.lock().clone_from(&stream);
        // One that comes too late to be found.
        if let Some(stream) = stream.filter(|_| self.shutdown.is_cutting()) {
            self.shutdown.cut_stream(&stream);
        }
    }
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        let mut seats = self.shutdown.seats();
        if let Some(position) = seats.iter().position(|seat| Arc::ptr_eq(seat, &self.seat)) {
            seats.swap_remove(position);
        }
    }
}

// Miri does not make these system calls.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_drains_and_the_second_cuts() {
        let handle = ShutdownHandle::new().unwrap();
        assert!(!handle.is_shutting_down());
        handle.clone().shutdown();
        assert!(handle.is_shutting_down() && !handle.is_cutting());
        handle.shutdown_once();
        assert!(!handle.is_cutting());
        handle.shutdown();
        handle.shutdown();
        assert!(handle.is_cutting());
    }

    #[test]
    fn a_shutdown_ends_every_wait() {
        let handle = ShutdownHandle::new().unwrap();
        handle.shutdown();
        handle.wait(None, || (), || false).unwrap();
        handle.sleep(Duration::from_secs(3_600)).unwrap();
    }

    #[test]
    fn waiting_goes_on_until_the_deadline_and_ticks_meanwhile() {
        let handle = ShutdownHandle::new().unwrap();
        let mut ticks = 0;
        let tick = || {
            ticks += 1;
            if ticks == 3 {
                handle.shutdown();
            }
        };
        handle.wait(Some(Duration::from_millis(1)), tick, || false).unwrap();
        assert_eq!(ticks, 3);
        handle.drain(Some(Duration::from_millis(1)), || false).unwrap();
        assert!(handle.is_cutting());
    }

    #[test]
    fn what_a_signal_handler_writes_is_a_shutdown() {
        let handle = ShutdownHandle::new().unwrap();
        handle.bells().look.write(Bell::SHUTDOWN);
        handle.wait(None, || (), || false).unwrap();
        assert!(handle.is_shutting_down() && !handle.is_cutting());
    }

    #[test]
    fn the_seats_of_threads_that_have_left_are_forgotten() {
        let handle = ShutdownHandle::new().unwrap();
        let stays = handle.seat();
        for _ in 0..3 {
            drop(handle.seat());
        }
        assert_eq!(handle.seats().len(), 1);
        drop(stays);
        assert_eq!(handle.seats().len(), 0);
    }
}
