//! `SIGINT` and `SIGTERM`, as signal-hook takes them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, register};

use super::child::process_id;
use crate::shutdown::ShutdownHandle;

/// Has the first of them that a process gets shut the server down there, and the second do what it does by default.
pub(crate) fn listen(shutdown: &ShutdownHandle) -> io::Result<()> {
    // The process that has had one: a forked one begins anew.
    let had_one = Arc::new(AtomicU32::new(0));
    for signal in [SIGINT, SIGTERM] {
        let (shutdown, had_one) = (shutdown.clone(), Arc::clone(&had_one));
        let action = move || {
            if had_one.swap(process_id(), SeqCst) == process_id() {
                // It fails only for a signal that does nothing by default.
                let _ = emulate_default_handler(signal);
            } else {
                shutdown.signalled();
            }
        };
        // SAFETY: the action does nothing but what signal-safety(7) allows: atomics, getpid(2), write(2), and what
        // signal-hook says is safe here. It keeps the errno. A pipe of signal-hook's would do without this block, but a
        // process that is forked shares it, and a signal to one would shut the other down.
        unsafe { register(signal, action) }?;
    }
    Ok(())
}
