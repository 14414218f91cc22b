//! How far a shutdown has come.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use crate::sys;

/// What a connection has of a shutdown: it keeps no descriptor of the bells.
#[derive(Debug)]
pub(crate) struct Phase(AtomicU8);

const SERVING: u8 = 0;
const DRAINING: u8 = 1;
const CUTTING: u8 = 2;

impl Phase {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(SERVING))
    }

    /// Begins a shutdown, unless there is one; whether there was none.
    pub(crate) fn begin(&self) -> bool {
        self.0.compare_exchange(SERVING, DRAINING, SeqCst, SeqCst).is_ok()
    }

    /// What is still in progress is cut; whether a shutdown had begun, and had not cut it yet.
    pub(crate) fn cut(&self) -> bool {
        self.0.swap(CUTTING, SeqCst) == DRAINING
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.0.load(SeqCst) != SERVING || sys::child::is_draining()
    }

    pub(crate) fn is_cutting(&self) -> bool {
        self.0.load(SeqCst) == CUTTING
    }
}
