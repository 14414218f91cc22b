//! `errno`, which `std` reads and does not write.

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as location;
#[cfg(any(target_os = "linux", target_os = "dragonfly"))]
use libc::__errno_location as location;
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
use libc::__error as location;

/// Runs `action` and puts back the `errno` that was there: what a signal handler interrupts may be about to read it,
/// see signal-safety(7).
pub(super) fn preserve(action: impl FnOnce()) {
    // SAFETY: each thread has its own, which is there as long as the thread.
    let errno = unsafe { *location() };
    action();
    // SAFETY: as above.
    unsafe { *location() = errno };
}
