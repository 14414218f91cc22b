//! Leader and followers: threads that wait for requests together, and each handle what they get.
//!
//! The thread that gets a request handles it, having made sure that another one waits in its place. There is no queue
//! between accepting and handling, and so nothing to hand over and no wake-up to lose.

use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::rush::Rush;
use crate::sync::{
    Arc, AtomicBool, AtomicUsize, Builder, JoinHandle, Mutex, MutexGuard, SeqCst, Thread, current, park, park_timeout,
};

/// What a crew is for.
pub(crate) trait Duty: Send + Sync + Sized + 'static {
    type Request;
    /// What each thread has for as long as it lives.
    type Seat;

    fn take_seat(&self) -> Self::Seat;

    /// Waits for a request; `None`: there will be no more. In a rush the next one is near, but whoever sends it may need
    /// the processor first.
    fn wait(&self, in_rush: bool) -> io::Result<Option<Self::Request>>;

    fn handle(&self, request: Self::Request, seat: &Self::Seat);

    /// A thread could not be started; those that there are go on.
    fn is_short_handed(&self, error: &io::Error);

    /// What a thread does when it has left, or has failed, so that whoever waits for that looks.
    fn farewell(&self) -> Box<dyn Fn() + Send>;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many threads there are at the most.
    pub(crate) threads: usize,
    /// How many wait for a request, when there are enough threads: as many as can run at once. More of them cost a
    /// wake-up each, and fewer leave a processor without work.
    pub(crate) lookouts: usize,
    /// The same in a rush, in which another one that waits costs no wake-up. `None`: a rush changes nothing.
    pub(crate) lookouts_in_rush: Option<usize>,
    /// How many are kept without work, and for how long.
    pub(crate) parked: usize,
    pub(crate) parked_for: Duration,
    pub(crate) stack_size: Option<usize>,
}

/// The threads of one server. Each waits for a request, handles one, or is parked.
pub(crate) struct Crew<D> {
    duty: D,
    limits: Limits,
    /// How many threads wait for a request, or are about to. Whoever leaves nobody waiting looks for another under the
    /// lock of `state`.
    waiting: AtomicUsize,
    rush: Rush,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    threads: usize,
    parked: Vec<Arc<Berth>>,
    /// Those of threads that have left are among them for a while.
    handles: Vec<JoinHandle<()>>,
    dismissed: bool,
    failure: Option<io::Error>,
}

/// Where a thread is parked. The last one parked is the first woken: its memory is still in the cache, and those that
/// are not needed stay asleep until they leave.
struct Berth {
    thread: Thread,
    called: AtomicBool,
}

impl<D: Duty> Crew<D> {
    /// Starts the threads that wait for the first requests.
    ///
    /// An error: not even one could be started.
    pub(crate) fn muster(duty: D, limits: Limits) -> io::Result<Arc<Self>> {
        // All are counted before the first starts, which may soon have a reason to start another.
        let state = Mutex::new(State { threads: limits.lookouts, ..State::default() });
        let waiting = AtomicUsize::new(limits.lookouts);
        let crew = Arc::new(Self { duty, limits, waiting, rush: Rush::new(), state });
        let mut started = 0;
        let mut refused = None;
        for _ in 0..limits.lookouts {
            match crew.start_thread() {
                Ok(()) => started += 1,
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if started == 0 => return Err(error),
            Some(error) => crew.duty.is_short_handed(&error),
            None => {}
        }
        Ok(crew)
    }

    /// Starts a thread that is counted as waiting already.
    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let crew = Arc::clone(self);
        let life = move || {
            let farewell = crew.duty.farewell();
            crew.work();
            // In this order: whoever is told finds it gone.
            drop(crew);
            farewell();
        };
        let builder = Builder::new().name("socketserver".into());
        let builder = match self.limits.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        };
        let started = builder.spawn(life);
        let mut state = self.state();
        match started {
            Ok(handle) => {
                if state.handles.len() > 2 * state.threads {
                    state.handles.retain(|handle| !handle.is_finished());
                }
                state.handles.push(handle);
                Ok(())
            }
            Err(error) => {
                state.threads -= 1;
                self.waiting.fetch_sub(1, SeqCst);
                // One may have parked because this one was to wait.
                self.call_parked(state);
                Err(error)
            }
        }
    }

    /// The life of one thread, which is counted as waiting when it begins.
    fn work(self: &Arc<Self>) {
        let seat = self.duty.take_seat();
        let berth = Arc::new(Berth { thread: current(), called: AtomicBool::new(false) });
        let failure = loop {
            match self.duty.wait(self.rush.is_on()) {
                Ok(Some(request)) => {
                    self.replace_lookout();
                    self.duty.handle(request, &seat);
                    if !self.return_to_wait(&berth) {
                        return;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        self.waiting.fetch_sub(1, SeqCst);
        let mut state = self.state();
        state.threads -= 1;
        if let Some(failure) = failure {
            state.failure.get_or_insert(failure);
            drop(state);
            self.duty.farewell()();
        }
    }

    /// Before a thread handles its request: makes sure that another one waits, unless the limit is reached.
    fn replace_lookout(self: &Arc<Self>) {
        if self.waiting.fetch_sub(1, SeqCst) > 1 {
            return;
        }
        let Some(mut state) = self.call_parked(self.state()) else { return };
        if state.threads < self.limits.threads {
            state.threads += 1;
            self.waiting.fetch_add(1, SeqCst);
            drop(state);
            if let Err(error) = self.start_thread() {
                self.duty.is_short_handed(&error);
            }
        }
    }

    /// Has a parked thread wait, if nobody does. Gives the lock back if there is none.
    fn call_parked<'a>(&self, mut state: MutexGuard<'a, State>) -> Option<MutexGuard<'a, State>> {
        if state.dismissed || self.waiting.load(SeqCst) > 0 {
            return None;
        }
        let Some(berth) = state.parked.pop() else { return Some(state) };
        self.waiting.fetch_add(1, SeqCst);
        drop(state);
        berth.call();
        None
    }

    /// After a request: whether the thread is to wait for another, and is counted as waiting. Otherwise it is to leave,
    /// and is not counted any more from that moment on: another may have to be started in its place.
    fn return_to_wait(&self, berth: &Arc<Berth>) -> bool {
        if self.limits.lookouts_in_rush.is_some() {
            self.rush.count(Instant::now);
        }
        // If the crew is dismissed by now, its wait ends at once.
        if self.join_lookouts() {
            return true;
        }
        let mut state = self.state();
        if state.dismissed {
            state.threads -= 1;
            return false;
        }
        // Whoever left nobody waiting, and found nobody parked, has had the lock.
        if self.join_lookouts() {
            return true;
        }
        if state.parked.len() >= self.limits.parked {
            state.threads -= 1;
            return false;
        }
        state.parked.push(Arc::clone(berth));
        drop(state);
        if berth.wait_for_call(Some(Instant::now() + self.limits.parked_for)) {
            return true;
        }
        let mut state = self.state();
        if let Some(position) = state.parked.iter().position(|parked| Arc::ptr_eq(parked, berth)) {
            state.parked.remove(position);
            state.threads -= 1;
            return false;
        }
        drop(state);
        // It was chosen just now, and is counted as waiting.
        berth.wait_for_call(None)
    }

    /// Counts this thread as waiting, unless enough are.
    fn join_lookouts(&self) -> bool {
        let enough = match self.limits.lookouts_in_rush {
            Some(in_rush) if self.rush.is_on() => in_rush,
            _ => self.limits.lookouts,
        };
        let join = |waiting| (waiting < enough).then_some(waiting + 1);
        self.waiting.fetch_update(SeqCst, SeqCst, join).is_ok()
    }

    /// Sends home all who have no request, once there will be no more; the others leave when they are done.
    pub(crate) fn dismiss(&self) {
        let mut state = self.state();
        state.dismissed = true;
        let parked = std::mem::take(&mut state.parked);
        self.waiting.fetch_add(parked.len(), SeqCst);
        drop(state);
        for berth in parked {
            berth.call();
        }
    }

    /// Whether all threads have left, and given up all that they shared.
    pub(crate) fn is_gone(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1
    }

    /// Waits for the last moments of threads that have left.
    pub(crate) fn join(&self) {
        let handles = std::mem::take(&mut self.state().handles);
        for handle in handles {
            // It would be a panic of the crew's own code, and there is nothing left that could suffer from it.
            let _ = handle.join();
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.state().failure.is_some()
    }

    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.state().failure.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Berth {
    fn call(&self) {
        self.called.store(true, SeqCst);
        self.thread.unpark();
    }

    /// Whether it was called in time.
    fn wait_for_call(&self, deadline: Option<Instant>) -> bool {
        while !self.called.swap(false, SeqCst) {
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => park(),
                Some(Duration::ZERO) => return false,
                Some(left) => park_timeout(left),
            }
        }
        true
    }
}
