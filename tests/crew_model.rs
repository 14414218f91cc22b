//! A model of the crew, run under many schedules of its threads: no wake-up is lost, the limit is never passed, and a
//! dismissed crew leaves.
//!
//! The crew is the runtime's own file. Only its threads and locks are the model checker's, and the listener is a queue.

#[allow(dead_code, unreachable_pub, reason = "the file belongs to the runtime")]
#[path = "../runtime/src/mixin/crew.rs"]
mod crew;

/// A rush begins or ends with every second request.
mod rush {
    use std::time::Instant;

    use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    pub(crate) struct Rush {
        counted: AtomicUsize,
    }

    impl Rush {
        pub(crate) fn new() -> Self {
            Self { counted: AtomicUsize::new(0) }
        }

        pub(crate) fn is_on(&self) -> bool {
            self.counted.load(SeqCst) % 4 >= 2
        }

        pub(crate) fn count(&self, _: impl FnOnce() -> Instant) {
            self.counted.fetch_add(1, SeqCst);
        }
    }
}

mod sync {
    use std::cell::Cell;
    use std::io;

    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use shuttle::thread::{Thread, current, park, park_timeout};

    /// The checker's threads cannot tell whether they are finished, so here none is.
    pub(crate) struct JoinHandle<T>(shuttle::thread::JoinHandle<T>);

    impl<T> JoinHandle<T> {
        #[allow(clippy::unused_self, reason = "as in the standard library")]
        pub(crate) fn is_finished(&self) -> bool {
            false
        }

        pub(crate) fn join(self) -> std::thread::Result<T> {
            self.0.join()
        }
    }

    std::thread_local! {
        /// All threads of a model are one of the system's.
        pub(crate) static REFUSES_THREADS: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) struct Builder(shuttle::thread::Builder);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(shuttle::thread::Builder::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        pub(crate) fn stack_size(self, size: usize) -> Self {
            Self(self.0.stack_size(size))
        }

        pub(crate) fn spawn(self, life: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
            if REFUSES_THREADS.get() {
                Err(io::ErrorKind::WouldBlock.into())
            } else {
                self.0.spawn(life).map(JoinHandle)
            }
        }
    }
}

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread;

use crew::{Crew, Duty, Limits};

/// What the model's threads see of each other.
#[derive(Default)]
struct World {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<usize>,
    closed: bool,
    broken: bool,
    active: usize,
    peak: usize,
    /// A request is held until so many have been handled at once.
    meeting: usize,
    handled: Vec<usize>,
}

impl World {
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        result
    }

    fn wait_until(&self, condition: impl Fn(&State) -> bool) {
        let mut state = self.state.lock().unwrap();
        while !condition(&state) {
            state = self.changed.wait(state).unwrap();
        }
    }
}

struct Model(Arc<World>);

impl Duty for Model {
    type Request = usize;
    type Seat = ();

    fn take_seat(&self) {}

    fn wait(&self, in_rush: bool) -> io::Result<Option<usize>> {
        if in_rush {
            thread::yield_now();
        }
        let world = &self.0;
        let mut state = world.state.lock().unwrap();
        loop {
            if state.broken {
                return Err(io::Error::other("the listener is gone"));
            }
            if state.closed {
                return Ok(None);
            }
            if let Some(request) = state.queue.pop_front() {
                return Ok(Some(request));
            }
            state = world.changed.wait(state).unwrap();
        }
    }

    fn handle(&self, request: usize, (): &()) {
        self.0.change(|state| {
            state.active += 1;
            state.peak = state.peak.max(state.active);
        });
        self.0.wait_until(|state| state.peak >= state.meeting);
        thread::yield_now();
        self.0.change(|state| {
            state.active -= 1;
            state.handled.push(request);
        });
    }

    fn is_short_handed(&self, error: &io::Error) {
        assert!(sync::REFUSES_THREADS.get(), "no thread is refused here: {error}");
    }

    fn farewell(&self) -> Box<dyn Fn() + Send> {
        let world = Arc::clone(&self.0);
        Box::new(move || world.change(|_| ()))
    }
}

const REQUESTS: usize = 5;

fn limits(threads: usize, lookouts: usize, parked: usize, parked_for: Duration) -> Limits {
    let lookouts_in_rush = Some((lookouts + 1).min(threads));
    Limits { threads, lookouts, lookouts_in_rush, parked, parked_for, stack_size: None }
}

/// All that matters: threads that find work, that park for ever, that give up at once, that may not park at all.
fn every_kind() -> impl Iterator<Item = Limits> {
    let kept = [(2, Duration::from_hours(1)), (2, Duration::ZERO), (0, Duration::ZERO)];
    let sizes = [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)];
    let all = sizes.into_iter().flat_map(move |size| kept.into_iter().map(move |kept| (size, kept)));
    all.map(|((threads, lookouts), (parked, parked_for))| limits(threads, lookouts, parked, parked_for))
}

/// `queued` requests are there before the first thread.
fn check(limits: Limits, queued: usize, scenario: impl Fn(&Arc<World>, &Arc<Crew<Model>>) + Send + Sync + 'static) {
    shuttle::check_random(
        move || {
            sync::REFUSES_THREADS.set(false);
            let world = Arc::new(World::default());
            world.change(|state| state.queue.extend(0..queued));
            let crew = Crew::muster(Model(Arc::clone(&world)), limits).unwrap();
            scenario(&world, &crew);
            crew.dismiss();
            world.wait_until(|_| crew.is_gone());
            crew.join();
            let state = world.state.lock().unwrap();
            assert!(state.peak <= limits.threads, "{} at once, and {limits:?}", state.peak);
            assert_eq!(state.active, 0);
        },
        200,
    );
}

#[test]
fn every_request_is_handled_without_any_other_event() {
    for limits in every_kind() {
        check(limits, 0, |world, _| {
            for request in 0..REQUESTS {
                world.change(|state| state.queue.push_back(request));
            }
            world.wait_until(|state| state.handled.len() == REQUESTS);
            world.change(|state| state.closed = true);
            let mut handled = world.state.lock().unwrap().handled.clone();
            handled.sort_unstable();
            assert!(handled.into_iter().eq(0..REQUESTS));
        });
    }
}

/// Where somebody forgot to see to it that another waits, they would wait for each other for ever.
#[test]
fn as_many_requests_are_handled_at_once_as_may_be() {
    for limits in every_kind() {
        check(limits, 0, move |world, _| {
            world.change(|state| state.meeting = limits.threads);
            // From the second time on there may be threads that are about to park or to leave.
            for times in 1..=3 {
                world.change(|state| state.peak = 0);
                for request in 0..limits.threads {
                    world.change(|state| state.queue.push_back(request));
                }
                world.wait_until(|state| state.handled.len() == times * limits.threads);
            }
            world.change(|state| state.closed = true);
        });
    }
}

/// One that parks while another is about to be started is called if that fails.
#[test]
fn threads_that_there_are_go_on_where_no_more_can_be_started() {
    for limits in every_kind().filter(|limits| limits.threads > 2 && !limits.parked_for.is_zero()) {
        check(limits, 0, move |world, _| {
            world.change(|state| state.queue.push_back(0));
            world.wait_until(|state| state.handled.len() == 1);
            // Two threads there are.
            sync::REFUSES_THREADS.set(true);
            world.change(|state| (state.meeting, state.peak) = (2, 0));
            for request in 1..3 {
                world.change(|state| state.queue.push_back(request));
            }
            world.wait_until(|state| state.handled.len() == 3);
            world.change(|state| state.closed = true);
        });
    }
}

#[test]
fn requests_that_are_there_first_are_handled_within_the_limit() {
    for limits in every_kind() {
        check(limits, REQUESTS, |world, _| {
            world.wait_until(|state| state.handled.len() == REQUESTS);
            world.change(|state| state.closed = true);
        });
    }
}

#[test]
fn a_crew_that_is_dismissed_amid_its_work_leaves() {
    for limits in every_kind() {
        check(limits, 0, |world, _| {
            for request in 0..REQUESTS {
                world.change(|state| state.queue.push_back(request));
            }
            world.change(|state| state.closed = true);
        });
    }
}

#[test]
fn a_listener_that_fails_is_told_and_ends_the_crew() {
    for limits in every_kind() {
        check(limits, 0, |world, crew| {
            world.change(|state| state.queue.push_back(0));
            world.change(|state| state.broken = true);
            world.wait_until(|_| crew.has_failed());
            assert_eq!(crew.take_failure().unwrap().to_string(), "the listener is gone");
        });
    }
}
