//! Busy polling: whether a reader looks for input again and again before it sleeps.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::sys;

/// How long a reader looks before it sleeps: longer than a peer on the same host takes to answer, unless it has work
/// to do.
pub(super) const LONGEST: Duration = Duration::from_micros(50);

/// Before a reader waits: whether it looks for input first, for [`LONGEST`].
///
/// If both sides answer at once, most of a round trip is the wake-up of the one that sleeps, on another processor. Only
/// a connection that is alone can be spared it: more of them would take the processor from each other. Whether it gains
/// by it depends on the machine, its load and the peer, so its thread finds out: it times some waits asleep and some
/// awake, goes on while that doubles the rate, which about makes up for the processor time, and asks again now and then.
#[inline]
pub(super) fn is_due() -> bool {
    is_alone() && begin_wait_alone()
}

#[cold]
fn begin_wait_alone() -> bool {
    OF_THREAD.with_borrow_mut(|poll| poll.begin_wait(COMPANY.load(Relaxed)))
}

/// There was no input for so long.
pub(super) fn missed() {
    OF_THREAD.with_borrow_mut(BusyPoll::miss);
}

thread_local! {
    /// A connection is read by one thread, and is small without this.
    static OF_THREAD: RefCell<BusyPoll> = const { RefCell::new(BusyPoll::new()) };
}

struct BusyPoll {
    /// What [`COMPANY`] was at the wait before this one.
    company: usize,
    stage: Stage,
    /// How many waits the stage still has.
    left: u32,
    /// How many waits pass until the next trial.
    rest: u32,
}

#[derive(Clone, Copy)]
enum Stage {
    Sleeps,
    TimesSleep { began: Instant },
    Polls { began: Instant, slept: Duration, misses: u32, rounds: u32 },
}

/// So many waits are timed together.
const TIMED: u32 = 128;
/// After so many rounds of it awake, they are timed asleep again: the peer may have paused among the first, or not be
/// as quick any more.
const ROUNDS: u32 = 256;
/// After each trial that gained nothing, twice as many waits pass until the next one, up to so many: what it costs is
/// lost among them.
const LONGEST_REST: u32 = 1 << 16;

impl BusyPoll {
    const fn new() -> Self {
        Self { company: 0, stage: Stage::Sleeps, left: TIMED, rest: TIMED }
    }

    /// Whether to poll, for a connection that is alone.
    fn begin_wait(&mut self, company: usize) -> bool {
        if self.company != company {
            // What futile trials have taught is kept.
            *self = Self { company, stage: Stage::Sleeps, left: self.left.max(TIMED), ..*self };
        }
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.end_stage(Instant::now()),
        }
        matches!(self.stage, Stage::Polls { .. })
    }

    fn miss(&mut self) {
        if let Stage::Polls { misses, .. } = &mut self.stage {
            *misses += 1;
            if *misses > TIMED / 4 {
                self.rest();
            }
        }
    }

    #[cold]
    fn end_stage(&mut self, now: Instant) {
        self.left = TIMED;
        match self.stage {
            Stage::Sleeps => self.stage = Stage::TimesSleep { began: now },
            Stage::TimesSleep { began } => {
                self.stage = Stage::Polls { began: now, slept: now - began, misses: 0, rounds: 1 };
            }
            Stage::Polls { began, slept, rounds, .. } if now - began <= slept / 2 => {
                self.rest = TIMED;
                self.stage = if rounds < ROUNDS {
                    Stage::Polls { began: now, slept, misses: 0, rounds: rounds + 1 }
                } else {
                    Stage::TimesSleep { began: now }
                };
            }
            Stage::Polls { .. } => self.rest(),
        }
    }

    fn rest(&mut self) {
        *self = Self { stage: Stage::Sleeps, left: self.rest, rest: (2 * self.rest).min(LONGEST_REST), ..*self };
    }
}

/// How many connections are open in this process, and [`NONE`] more.
static OPEN: AtomicUsize = AtomicUsize::new(NONE);

/// Not zero, for the place that [`sys::child`] tells of: a forking parent counts, too.
const NONE: usize = 1;

/// How often one that was alone got company. So a wait in company is spared the thread's state: the next one alone finds
/// out here.
static COMPANY: AtomicUsize = AtomicUsize::new(0);

/// The child of a `forking` server has but one, and siblings that it does not know of.
fn is_alone() -> bool {
    OPEN.load(Relaxed) == NONE + 1 && !sys::child::is_forked()
}

/// A connection that is open, and counted as one.
#[derive(Debug)]
pub(super) struct Open(());

impl Open {
    pub(super) fn count() -> Self {
        if OPEN.fetch_add(1, Relaxed) == NONE + 1 {
            COMPANY.fetch_add(1, Relaxed);
        }
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(poll: &BusyPoll) -> bool {
        matches!(poll.stage, Stage::Polls { .. })
    }

    /// Ends stage after stage, each after so many milliseconds.
    fn pass(poll: &mut BusyPoll, now: &mut Instant, stages: &[u64]) {
        for millis in stages {
            *now += Duration::from_millis(*millis);
            poll.end_stage(*now);
        }
    }

    #[test]
    fn polls_while_that_doubles_the_rate() {
        let (mut poll, mut now) = (BusyPoll::new(), Instant::now());
        pass(&mut poll, &mut now, &[1]);
        assert!(!polls(&poll));
        pass(&mut poll, &mut now, &[8]);
        assert!(polls(&poll));
        pass(&mut poll, &mut now, &[4, 3, 4]);
        assert!(polls(&poll));
        pass(&mut poll, &mut now, &[5]);
        assert!(!polls(&poll));
        pass(&mut poll, &mut now, &[1, 8]);
        assert!(polls(&poll));
    }

    #[test]
    fn rests_longer_after_each_trial_that_gains_nothing() {
        let (mut poll, mut now) = (BusyPoll::new(), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..12 {
            pass(&mut poll, &mut now, &[1, 8, 8]);
            assert!(!polls(&poll));
            rests.push(poll.left / TIMED);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]);
        pass(&mut poll, &mut now, &[1, 8, 4, 8]);
        assert_eq!(poll.left, TIMED);
    }

    #[test]
    fn a_pause_among_the_waits_asleep_is_found_out() {
        let (mut poll, mut now) = (BusyPoll::new(), Instant::now());
        pass(&mut poll, &mut now, &[1, 10_008]);
        for _ in 0..=ROUNDS {
            pass(&mut poll, &mut now, &[8]);
        }
        assert!(polls(&poll));
        pass(&mut poll, &mut now, &[8]);
        assert!(!polls(&poll));
    }

    #[test]
    fn another_connection_does_not_make_it_forget() {
        let (mut poll, mut now) = (BusyPoll::new(), Instant::now());
        for _ in 0..4 {
            pass(&mut poll, &mut now, &[1, 8, 8]);
        }
        assert!(!poll.begin_wait(1));
        assert_eq!(poll.left + 1, 8 * TIMED);
        pass(&mut poll, &mut now, &[1, 8]);
        assert!(poll.begin_wait(1));
        assert!(!poll.begin_wait(2));
        assert!(!polls(&poll));
    }

    #[test]
    fn polls_no_more_where_it_mostly_misses() {
        let (mut poll, mut now) = (BusyPoll::new(), Instant::now());
        pass(&mut poll, &mut now, &[1, 1_000]);
        for _ in 0..TIMED / 4 {
            poll.miss();
        }
        assert!(polls(&poll));
        poll.miss();
        assert!(!polls(&poll));
    }
}
