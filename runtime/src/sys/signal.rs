//! `SIGINT` and `SIGTERM`, as signal-hook takes them.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, register, unregister};

use super::child::process_id;
use crate::shutdown::ShutdownHandle;

/// What has the first of them shut one server down, until it is dropped.
#[derive(Default)]
pub(crate) struct Listening {
    actions: Vec<SigId>,
}

pub(crate) fn listen(shutdown: &ShutdownHandle) -> io::Result<Listening> {
    end_at_the_second()?;
    HAD_ONE.store(0, SeqCst);
    let mut listening = Listening::default();
    for signal in SIGNALS {
        let shutdown = shutdown.clone();
        // SAFETY: the action does nothing but what signal-safety(7) allows: atomics, getpid(2) and write(2). It keeps the
        // errno. A pipe of signal-hook's would do without this block, but a process that is forked shares it, and a
        // signal to one would shut the other down.
        listening.actions.push(unsafe { register(signal, move || shutdown.signalled()) }?);
    }
    Ok(listening)
}

impl Drop for Listening {
    fn drop(&mut self) {
        for action in &self.actions {
            unregister(*action);
        }
    }
}

const SIGNALS: [libc::c_int; 2] = [SIGINT, SIGTERM];

/// The process that has had one since a server last began to listen: a forked one begins anew.
static HAD_ONE: AtomicU32 = AtomicU32::new(0);

/// Has the second of them that a process gets do what it does by default. For good: once signal-hook has a signal, one
/// without an action would do nothing.
fn end_at_the_second() -> io::Result<()> {
    static REGISTERED: Mutex<usize> = Mutex::new(0);

    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    for signal in &SIGNALS[*registered..] {
        let action = || {
            if HAD_ONE.swap(process_id(), SeqCst) == process_id() {
                // It fails only for a signal that does nothing by default.
                let _ = emulate_default_handler(*signal);
            }
        };
        // SAFETY: the action does nothing but what signal-safety(7) allows: atomics, getpid(2), and what signal-hook says
        // is safe here.
        unsafe { register(*signal, action) }?;
        *registered += 1;
    }
    Ok(())
}
