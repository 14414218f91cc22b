//! Whether requests come faster than it pays to sleep between them.

use std::time::{Duration, Instant};

/// The requests of a crew, counted.
#[derive(Debug, Default)]
pub(crate) struct Rush {
    /// How many are counted before the clock is read again.
    left: u32,
    began: Option<Instant>,
}

/// So many requests are timed together: for some time slices of a processor, of which a server has some and others have
/// the rest.
const TIMED: u32 = 512;
/// A request in less than 40 µs on average is a rush. One client that connects again and again takes longer, and so do
/// handlers that sleep.
const LONGEST: Duration = Duration::from_micros(40 * TIMED as u64);

impl Rush {
    /// Counts a request. After as many as are timed together: whether there is a rush.
    pub(crate) fn count(&mut self, now: impl FnOnce() -> Instant) -> Option<bool> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return None;
        }
        self.left = TIMED - 1;
        let now = now();
        let began = self.began.replace(now);
        Some(began.is_some_and(|began| now - began < LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts as many requests as are timed together, so long apart.
    fn pass(rush: &mut Rush, now: &mut Instant, apart: Duration) -> Option<bool> {
        let mut counted = (0..TIMED).map(|_| {
            *now += apart;
            rush.count(|| *now)
        });
        let first = counted.next().unwrap();
        assert!(counted.all(|later| later.is_none()));
        first
    }

    #[test]
    fn begins_and_ends_with_the_rate() {
        let (mut rush, mut now) = (Rush::default(), Instant::now());
        let quick = Duration::from_micros(39);
        let slow = Duration::from_micros(41);
        let passed = [quick, quick, quick, slow, slow, quick, quick].map(|apart| pass(&mut rush, &mut now, apart));
        assert_eq!(passed.map(Option::unwrap), [false, true, true, true, false, false, true]);
    }
}
