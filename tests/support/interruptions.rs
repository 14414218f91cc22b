//! Signals that interrupt system calls.
#![allow(unsafe_code, reason = "std does not know signals")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, Once, PoisonError};

use crate::{sleeps, wait_until};

/// How often the handler of `SIGUSR1` has run.
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

/// Sends `SIGUSR1` to a thread of this process, so many times, each while it waits in a system call.
#[track_caller]
pub fn interrupt(thread: libc::pid_t, times: usize) {
    /// The signals of other tests must not be taken for those of this one.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    interrupt_system_calls();
    for _ in 0..times {
        wait_until("the thread waits", || sleeps(thread));
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = SIGNALS.load(SeqCst);
        // SAFETY: tgkill(2) takes any numbers, and this thread is one of ours.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR1) };
        assert_eq!(result, 0, "the thread is there");
        wait_until("the signal has arrived", || SIGNALS.load(SeqCst) > before);
    }
}

/// Has `SIGUSR1` do nothing but interrupt, without `SA_RESTART`.
fn interrupt_system_calls() {
    static ONCE: Once = Once::new();

    extern "C" fn count(_: libc::c_int) {
        SIGNALS.fetch_add(1, SeqCst);
    }

    ONCE.call_once(|| {
        // SAFETY: an all-zero `sigaction` is a valid one: no flags, an empty mask. `count` is safe in a handler.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as libc::sighandler_t;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
        }
    });
}
