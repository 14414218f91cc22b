//! `SIGINT` and `SIGTERM`, as signal-hook takes them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::shutdown::ShutdownHandle;

/// Has the first of them shut the server down, and the second do what it does by default, until the process ends.
pub(crate) fn listen(shutdown: &ShutdownHandle) -> io::Result<()> {
    let had_one = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset, and then sets it.
        flag::register_conditional_default(signal, Arc::clone(&had_one))?;
        flag::register(signal, Arc::clone(&had_one))?;
        let shutdown = shutdown.clone();
        // SAFETY: `signalled` does nothing but what signal-safety(7) allows: atomics, getpid(2) and write(2). The errno
        // is kept by signal-hook. A pipe of signal-hook's would do without this block, but a process that is forked
        // shares it, and a signal to one would shut the other down.
        unsafe { low_level::register(signal, move || shutdown.signalled()) }?;
    }
    Ok(())
}
