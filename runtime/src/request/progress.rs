//! Where a connection is between two requests: what its reader, writers in other threads, a shutdown, and the signal
//! handler of a forked child tell each other, without a lock.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

#[derive(Debug)]
pub(super) struct Progress {
    /// Some of the three flags below.
    request: AtomicU8,
    /// What a shutdown has done about the connection.
    end: AtomicU8,
}

/// The reader waits, and has a part of a request.
const AWAITS_REST: u8 = 1;
/// The reader waits, and has none. The connection is idle if no reply is owed either.
const AWAITS_REQUEST: u8 = 2;
/// Something was received since something was last sent: a request may be in progress.
const OWES_REPLY: u8 = 4;

const OPEN: u8 = 0;
/// It has ended the input, since nothing of a request had been received.
const CLOSED: u8 = 1;
const CUT: u8 = 2;

impl Progress {
    pub(super) fn new() -> Self {
        Self { request: AtomicU8::new(0), end: AtomicU8::new(OPEN) }
    }

    pub(super) fn begin_wait(&self, amid_request: bool) {
        self.request.fetch_or(if amid_request { AWAITS_REST } else { AWAITS_REQUEST }, SeqCst);
    }

    /// Whatever a writer in another thread sends just now, what was received is later.
    pub(super) fn end_wait(&self, has_received: bool) {
        if has_received {
            self.request.store(OWES_REPLY, SeqCst);
        } else {
            self.request.fetch_and(OWES_REPLY, SeqCst);
        }
    }

    /// Nothing that was received is still to be answered.
    pub(super) fn settle(&self) {
        self.request.fetch_and(!OWES_REPLY, SeqCst);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.request.load(SeqCst) & (AWAITS_REST | AWAITS_REQUEST) != 0
    }

    pub(super) fn is_idle(&self) -> bool {
        self.request.load(SeqCst) == AWAITS_REQUEST
    }

    /// The input has been ended by a shutdown.
    pub(super) fn close(&self) {
        // One that was cut stays cut.
        let _ = self.end.compare_exchange(OPEN, CLOSED, SeqCst, SeqCst);
    }

    /// Whether it was not cut before.
    pub(super) fn cut(&self) -> bool {
        self.end.swap(CUT, SeqCst) != CUT
    }

    /// Whether it was not the peer that ended the input: the shutdown cut it, or closed it just when a part of a
    /// request was received.
    pub(super) fn is_cut_off(&self, amid_request: bool) -> bool {
        match self.end.load(SeqCst) {
            CUT => true,
            CLOSED => amid_request,
            _ => false,
        }
    }
}
