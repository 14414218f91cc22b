//! What a server has done so far.

use std::mem;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// What a server has done so far, as [`Server::stats`](crate::Server::stats) tells it.
///
/// `accepted` is the sum of `active`, `finished`, `failed` and `refused`. CPython counts nothing.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
///
/// #[socket_server(tcp)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// let server = Quiet.bind("127.0.0.1:0")?;
/// assert_eq!(server.stats().accepted, 0);
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests taken: connections accepted, or packets received.
    pub accepted: u64,
    /// Requests in progress just now.
    pub active: u64,
    /// Requests handled without an error.
    pub finished: u64,
    /// Requests whose handler failed or panicked, or whose child ended with a status other than 0 or nobody knows how;
    /// and those that were taken and found no thread or child.
    pub failed: u64,
    /// Requests that [`verify_request`](crate::Hooks::verify_request) refused.
    pub refused: u64,
    /// Requests that a shutdown cut, because they were still in progress after `drain_timeout`, or at the second
    /// call. They are counted as finished or failed too, once they have ended.
    pub cut: u64,
    /// Errors of accept(2) and recv(2), retried or not.
    pub accept_errors: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    accept_errors: AtomicU64,
}

impl Counters {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Release);
    }

    pub(crate) fn ended(&self, success: bool) {
        let counter = if success { &self.finished } else { &self.failed };
        counter.fetch_add(1, Release);
    }

    pub(crate) fn accept_error(&self) {
        self.accept_errors.fetch_add(1, Relaxed);
    }

    /// What was counted is another process's: this one has a copy.
    pub(crate) fn reset(&self) {
        let Self { accepted, finished, failed, refused, accept_errors } = self;
        for counter in [accepted, finished, failed, refused, accept_errors] {
            counter.store(0, Release);
        }
    }

    pub(crate) fn active(&self) -> u64 {
        self.snapshot(0).active
    }

    /// How many have finished, have failed, and were refused.
    fn ends(&self) -> [u64; 3] {
        [&self.finished, &self.failed, &self.refused].map(|counter| counter.load(Acquire))
    }

    pub(crate) fn snapshot(&self, cut: u64) -> Stats {
        // A request that ends between the two looks would seem to be in progress, beside the one that began in its place.
        let mut ends = self.ends();
        let accepted = loop {
            let accepted = self.accepted.load(Acquire);
            let before = mem::replace(&mut ends, self.ends());
            if before == ends {
                break accepted;
            }
        };
        let [finished, failed, refused] = ends;
        Stats {
            accepted,
            active: accepted.saturating_sub(finished + failed + refused),
            finished,
            failed,
            refused,
            cut,
            accept_errors: self.accept_errors.load(Relaxed),
        }
    }
}
