//! Whether requests come faster than it pays to sleep between them.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::sync::{AtomicBool, AtomicU32, Mutex, SeqCst};

/// The requests of a crew, counted.
pub(crate) struct Rush {
    is_on: AtomicBool,
    /// How many are counted before the clock is read again.
    left: AtomicU32,
    began: Mutex<Option<Instant>>,
}

/// So many requests are timed together: for some time slices of a processor, of which a server has some and others have
/// the rest.
const TIMED: u32 = 512;
/// A request in less than 40 µs on average is a rush. One client that connects again and again takes longer, and so do
/// handlers that sleep.
const LONGEST: Duration = Duration::from_micros(40 * TIMED as u64);

impl Rush {
    pub(crate) fn new() -> Self {
        Self { is_on: AtomicBool::new(false), left: AtomicU32::new(1), began: Mutex::new(None) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(SeqCst)
    }

    /// Counts a request. After as many as are timed together it may have begun or ended.
    pub(crate) fn count(&self, now: impl FnOnce() -> Instant) {
        // Only one of them is the last, whoever counts on meanwhile.
        if self.left.fetch_sub(1, SeqCst) != 1 {
            return;
        }
        let now = now();
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let is_rush = began.replace(now).is_some_and(|began| now - began < LONGEST);
        self.is_on.store(is_rush, SeqCst);
        self.left.store(TIMED, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts as many requests as are timed together, so long apart; whether there is a rush then.
    fn pass(rush: &Rush, now: &mut Instant, apart: Duration) -> bool {
        for _ in 0..TIMED {
            *now += apart;
            rush.count(|| *now);
        }
        rush.is_on()
    }

    #[test]
    fn begins_and_ends_with_the_rate() {
        let (rush, mut now) = (Rush::new(), Instant::now());
        rush.count(|| now);
        let quick = Duration::from_micros(39);
        let slow = Duration::from_micros(41);
        let passed = [quick, quick, slow, slow, quick].map(|apart| pass(&rush, &mut now, apart));
        assert_eq!(passed, [true, true, false, false, true]);
    }

    #[test]
    fn is_as_it_was_until_enough_are_counted() {
        let (rush, mut now) = (Rush::new(), Instant::now());
        rush.count(|| now);
        for _ in 1..TIMED {
            rush.count(|| panic!("the clock is read for each"));
        }
        assert!(!rush.is_on());
        now += Duration::from_micros(1);
        rush.count(|| now);
        assert!(rush.is_on());
    }
}
