//! `fork(2)`, and what parent and child then do about each other.
//!
//! Only three facts of a forked child are kept in statics, because its signal handler has to reach them: whether this
//! process is one, whether it was told to drain, and which connection it serves.
//!
//! A page is copied when the first of parent and child writes to it after a fork. So those that every child writes to
//! begin as something else than zero: this puts them into the segment `.data`, which is small, and where flushing the
//! standard output writes anyway.
//!
//! Code is mapped anew in a child, a few pages around each that it comes to, which costs more than a system call. So what
//! a child runs of this crate is inlined, to lie beside the handler.

use std::fs;
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst};

use super::errno;
use crate::request::Stream;

static IS_PARENT: AtomicBool = AtomicBool::new(true);
static IS_DRAINING: AtomicBool = AtomicBool::new(false);
/// Null where requests are packets. A child sets it before anything reads it.
static CONNECTION: AtomicPtr<Stream> = AtomicPtr::new(ptr::dangling_mut());

/// A child process that has not been waited for.
#[derive(Debug)]
pub(crate) struct Child {
    pid: libc::pid_t,
    /// Readable once the child has ended. `None` where the system has none to give.
    exit: Option<OwnedFd>,
}

/// Runs `life` in a child process, which ends with the exit code 0 if `life` returns `true`, else 1.
///
/// The child never comes back from here: neither a return nor a panic of `life` can reach the caller's loop. It
/// leaves by `_exit(2)`, so that no destructor and no `atexit` function of the parent runs twice; what was written
/// to the standard output before is flushed here by the parent, and what the child writes, by the child.
///
/// In the child `SIGTERM` ends `connection` between two requests, instead of the process amid one. So does `SIGINT`,
/// which a terminal sends to the whole group, if the parent `drains_on_interrupt`.
pub(crate) fn fork(
    connection: Option<Arc<Stream>>,
    drains_on_interrupt: bool,
    life: impl FnOnce() -> bool,
) -> io::Result<Child> {
    flush_standard_output();
    // A signal that is sent to the child at once has to wait until it is prepared.
    let blocked = BlockedSignals::new();
    // SAFETY: the child runs `life` alone. Where the process has other threads, what `life` may touch is limited as
    // fork(2) says; the server warns of them before its first fork.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            IS_PARENT.store(false, SeqCst);
            drain_on_signal(connection, drains_on_interrupt);
            blocked.unblock_with(libc::SIGTERM);
            let _unwinding = LeaveUnwinding;
            leave(life())
        }
        pid => Ok(Child { pid, exit: exit_descriptor(pid) }),
    }
}

/// Ends a child.
#[inline]
fn leave(success: bool) -> ! {
    flush_standard_output();
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(i32::from(!success)) }
}

/// Ends a child whose panic would go on into the caller.
struct LeaveUnwinding;

impl Drop for LeaveUnwinding {
    fn drop(&mut self) {
        leave(false)
    }
}

/// `SIGTERM` and `SIGINT` wait, in this thread, until it is dropped.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> Self {
        // SAFETY: an all-zero `sigset_t` is a valid place for a set, and each call gets valid places and signals, so
        // none of them can fail.
        unsafe {
            let mut signals: libc::sigset_t = mem::zeroed();
            let mut before: libc::sigset_t = mem::zeroed();
            libc::sigemptyset(&raw mut signals);
            libc::sigaddset(&raw mut signals, libc::SIGTERM);
            libc::sigaddset(&raw mut signals, libc::SIGINT);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, &raw mut before);
            Self { before }
        }
    }

    /// Goes back to the mask that was there before, with `heard` let through: a program that takes its signals in a
    /// thread of its own, by sigwait(3), blocks them in all others, and the child has but one, which is told to drain.
    #[inline]
    fn unblock_with(mut self, heard: libc::c_int) {
        // SAFETY: a valid set, and a valid signal.
        unsafe { libc::sigdelset(&raw mut self.before, heard) };
    }
}

impl Drop for BlockedSignals {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is the mask that was there before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

impl Child {
    #[expect(clippy::cast_sign_loss, reason = "fork(2) returned it, and it was positive")]
    pub(crate) fn pid(&self) -> u32 {
        self.pid as u32
    }

    pub(crate) fn exit(&self) -> Option<BorrowedFd<'_>> {
        self.exit.as_ref().map(AsFd::as_fd)
    }

    /// How it ended, if it has. Waits for this child only, never for any other of the program.
    pub(crate) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(exit) = &self.exit {
            match try_wait_for_descriptor(exit.as_fd()) {
                // Linux 5.3 has such descriptors and does not wait for them; a sandbox may forbid it.
                Err(error) if error.raw_os_error() != Some(libc::ECHILD) => {}
                result => return result,
            }
        }
        let mut status = 0;
        // SAFETY: `status` is a valid place for the status.
        match unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) } {
            0 => Ok(None),
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(Some(ExitStatus::from_raw(status))),
        }
    }

    /// Asks it to finish its request and end.
    pub(crate) fn drain(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    /// If someone else has waited for it, its number may be another process's by now: what is told is the pidfd, unless
    /// there is none or a sandbox allows only to make one.
    fn signal(&self, signal: libc::c_int) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(exit) = &self.exit {
            use std::os::fd::AsRawFd;

            let exit = exit.as_raw_fd();
            // SAFETY: pidfd_send_signal(2) takes a descriptor, a signal, no information about it, and no flags.
            let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, exit, signal, ptr::null::<()>(), 0) };
            if result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
                return;
            }
        }
        // SAFETY: kill(2) takes any numbers.
        unsafe { libc::kill(self.pid, signal) };
    }
}

/// Whether this process is a child that [`fork`] made.
pub(crate) fn is_forked() -> bool {
    !IS_PARENT.load(SeqCst)
}

/// Whether this process is such a child, and was told to drain.
pub(crate) fn is_draining() -> bool {
    IS_DRAINING.load(SeqCst)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it is small, and to be beside the handler")]
fn drain_on_signal(connection: Option<Arc<Stream>>, drains_on_interrupt: bool) {
    // For good: the socket is closed by `_exit`.
    CONNECTION.store(connection.map_or(ptr::null(), Arc::into_raw).cast_mut(), SeqCst);
    // SAFETY: an all-zero `sigaction` is a valid one: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = begin_drain as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `begin_drain` does nothing but what signal-safety(7) allows: atomics and shutdown(2), as in
    // `Stream::close_if_idle`; and it keeps errno.
    unsafe {
        libc::sigaction(libc::SIGTERM, &raw const action, ptr::null_mut());
        if drains_on_interrupt {
            libc::sigaction(libc::SIGINT, &raw const action, ptr::null_mut());
        }
    }
}

extern "C" fn begin_drain(_: libc::c_int) {
    IS_DRAINING.store(true, SeqCst);
    // SAFETY: null, or what is never given back.
    if let Some(connection) = unsafe { CONNECTION.load(SeqCst).as_ref() } {
        errno::preserve(|| connection.close_if_idle());
    }
}

/// In a forked child: closes a descriptor that belongs to the parent.
#[inline]
pub(crate) fn close_inherited(descriptor: RawFd) {
    debug_assert!(is_forked(), "in the parent its owner closes it");
    // SAFETY: the child leaves by `_exit`, so the owner that it has a copy of never closes it a second time.
    unsafe { libc::close(descriptor) };
}

/// How many threads this process has, where the system tells (Linux).
pub(crate) fn thread_count() -> Option<usize> {
    fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

pub(crate) fn process_id() -> u32 {
    std::process::id()
}

#[inline]
fn flush_standard_output() {
    // There is nobody to tell that the standard output is gone. To drop the error, which has no memory, is code elsewhere.
    mem::forget(io::stdout().flush());
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn exit_descriptor(pid: libc::pid_t) -> Option<OwnedFd> {
    use std::os::fd::FromRawFd;

    // SAFETY: pidfd_open(2) takes a process id and flags, and returns a new descriptor with close-on-exec set.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = RawFd::try_from(descriptor).ok().filter(|descriptor| *descriptor >= 0)?;
    // SAFETY: it was just made, and nothing else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn exit_descriptor(_: libc::pid_t) -> Option<OwnedFd> {
    None
}

/// How the child that a descriptor is for ended, if it has. Where someone else has waited for it, that is `ECHILD`,
/// whatever process has its number now.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn try_wait_for_descriptor(child: BorrowedFd<'_>) -> io::Result<Option<ExitStatus>> {
    use std::os::fd::AsRawFd;

    let descriptor = libc::id_t::try_from(child.as_raw_fd()).expect("an open descriptor");
    // SAFETY: an all-zero `siginfo_t` is a valid one.
    let mut end: libc::siginfo_t = unsafe { mem::zeroed() };
    // SAFETY: `end` is a valid place for what happened.
    if unsafe { libc::waitid(libc::P_PIDFD, descriptor, &raw mut end, libc::WEXITED | libc::WNOHANG) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid(2) has set it, or left it at zero.
    let status = unsafe { end.si_status() };
    // As wait(2) has it: the exit code above the number of the signal, and whether there is a core dump between.
    Ok(match end.si_code {
        0 => None,
        libc::CLD_EXITED => Some(ExitStatus::from_raw(status << 8)),
        libc::CLD_DUMPED => Some(ExitStatus::from_raw(status | 0x80)),
        _ => Some(ExitStatus::from_raw(status)),
    })
}
