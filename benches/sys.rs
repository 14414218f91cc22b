//! The raw system calls: of the load generator, and of the peers that are the floors.
#![allow(unsafe_code, reason = "the floors are what a C program would do, and std has neither epoll nor fork")]

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// The CPU time that a process has used, with the children that it has waited for.
pub(crate) fn cpu_time(pid: u32) -> io::Result<Duration> {
    Ok(own_cpu_time(pid)? + children_cpu_time(pid)?)
}

/// To the nanosecond; `/proc` counts in ticks of 10 ms.
fn own_cpu_time(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write to the variable that they are given, and nothing else.
    unsafe {
        let error = libc::clock_getcpuclockid(to_pid(pid), &raw mut clock);
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        check(libc::clock_gettime(clock, &raw mut time))?;
    }
    let seconds = u64::try_from(time.tv_sec).map_err(io::Error::other)?;
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec).map_err(io::Error::other)?))
}

/// `cutime` and `cstime` of `/proc/PID/stat`.
fn children_cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // `pid (name) state ..`, and the name may have anything in it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // SAFETY: sysconf(3) takes a number and returns one.
    let ticks_per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    Ok(Duration::from_millis(ticks * 1_000 / u64::try_from(ticks_per_second).map_err(io::Error::other)?))
}

/// Has the process end when this one does, however it does.
pub(crate) fn end_with_parent(command: &mut Command) -> &mut Command {
    let ask = || {
        // SAFETY: prctl(2) is async-signal-safe, and with this option takes a signal.
        check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }).map(drop)
    };
    // SAFETY: the closure makes one system call, and allocates nothing.
    unsafe { command.pre_exec(ask) }
}

/// Asks a process of ours, not yet waited for, to end.
pub(crate) fn terminate(pid: u32) -> io::Result<()> {
    // SAFETY: kill(2) takes numbers.
    check(unsafe { libc::kill(to_pid(pid), libc::SIGTERM) }).map(drop)
}

/// In the child `None`, in the parent the child's process id. For processes with one thread.
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: the callers are peers with one thread, so the child may do what it likes.
    let pid = check(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Ends a forked child at once, without the destructors of its parent.
pub(crate) fn exit() -> ! {
    // SAFETY: _exit(2) does not return.
    unsafe { libc::_exit(0) }
}

/// Waits for all children that have ended.
pub(crate) fn reap() {
    // SAFETY: a null pointer says that the status is not wanted.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}

/// Waits for one child; whether it has ended.
pub(crate) fn wait_for(pid: i32) -> bool {
    // SAFETY: as in `reap`.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) != 0 }
}

/// A descriptor that is readable once a child has ended, as `pidfd_open(2)` has it.
pub(crate) fn exit_of(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: it takes numbers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = check(i32::try_from(descriptor).map_err(io::Error::other)?)?;
    // SAFETY: it is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// For [`poll`]: whether it can be read.
pub(crate) fn readable(descriptor: BorrowedFd<'_>) -> libc::pollfd {
    libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// poll(2), until one of them is ready.
pub(crate) fn poll(entries: &mut [libc::pollfd]) -> io::Result<()> {
    let count = libc::nfds_t::try_from(entries.len()).map_err(io::Error::other)?;
    // SAFETY: there are so many entries.
    check(unsafe { libc::poll(entries.as_mut_ptr(), count, -1) }).map(drop)
}

/// Has SIGTERM and SIGINT wait; the mask that there was.
pub(crate) fn block_signals() -> libc::sigset_t {
    // SAFETY: a set of zeros is a valid place for one, and each call gets such places.
    unsafe {
        let (mut signals, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGTERM);
        libc::sigaddset(&raw mut signals, libc::SIGINT);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, &raw mut before);
        before
    }
}

pub(crate) fn unblock_signals(before: &libc::sigset_t) {
    // SAFETY: it is a mask that there was.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

/// Has SIGTERM end the process, whatever it did before.
pub(crate) fn end_on_signals() {
    // SAFETY: SIG_DFL is a valid action.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_DFL) };
}

/// In a forked child: close(2) of what is the parent's.
pub(crate) fn close(descriptor: BorrowedFd<'_>) {
    // SAFETY: the child leaves by _exit(2), so that the owner which it has a copy of never closes it again.
    unsafe { libc::close(descriptor.as_raw_fd()) };
}

/// accept4(2), without asking who it is.
pub(crate) fn accept(listener: BorrowedFd<'_>, flags: i32) -> io::Result<OwnedFd> {
    let nobody = std::ptr::null_mut();
    // SAFETY: null pointers say that the address is not wanted.
    let accepted = check(unsafe { libc::accept4(listener.as_raw_fd(), nobody, nobody.cast(), flags) })?;
    // SAFETY: it is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(accepted) })
}

/// recv(2).
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer is to a live buffer of the length beside it.
    let received = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}

/// send(2).
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer is to a live buffer of the length beside it.
    let sent = unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Ends the output, and sees whether there is input that would reset the connection when it is closed.
pub(crate) fn end(socket: BorrowedFd<'_>) {
    let mut rest = [0_u8; 512];
    // SAFETY: the pointer is to a live buffer of the length beside it.
    unsafe {
        libc::shutdown(socket.as_raw_fd(), libc::SHUT_WR);
        libc::recv(socket.as_raw_fd(), rest.as_mut_ptr().cast(), rest.len(), libc::MSG_DONTWAIT);
    }
}

/// epoll(7), level-triggered.
pub(crate) struct Epoll {
    descriptor: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    pub(crate) const READABLE: i32 = libc::EPOLLIN;
    pub(crate) const WRITABLE: i32 = libc::EPOLLOUT;

    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: epoll_create1(2) takes flags.
        let descriptor = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: it is new, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self { descriptor, events: vec![libc::epoll_event { events: 0, u64: 0 }; 256] })
    }

    /// Watches a descriptor, under a token of the caller's, until it is closed.
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, token: usize, interest: i32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, descriptor, token, interest)
    }

    /// Watches it for something else.
    pub(crate) fn modify(&self, descriptor: BorrowedFd<'_>, token: usize, interest: i32) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, descriptor, token, interest)
    }

    fn control(&self, what: i32, descriptor: BorrowedFd<'_>, token: usize, interest: i32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest.cast_unsigned(), u64: token as u64 };
        // SAFETY: the event is live, and only read.
        let result =
            unsafe { libc::epoll_ctl(self.descriptor.as_raw_fd(), what, descriptor.as_raw_fd(), &raw mut event) };
        check(result).map(drop)
    }

    /// The tokens of what is ready, after `patience` none.
    pub(crate) fn wait(&mut self, patience: Option<Duration>) -> io::Result<impl Iterator<Item = usize>> {
        let milliseconds = patience.map_or(-1, |patience| i32::try_from(patience.as_millis()).unwrap_or(i32::MAX));
        let room = i32::try_from(self.events.len()).map_err(io::Error::other)?;
        // SAFETY: there is `room` for so many events.
        let ready =
            unsafe { libc::epoll_wait(self.descriptor.as_raw_fd(), self.events.as_mut_ptr(), room, milliseconds) };
        let ready = usize::try_from(check(ready)?).map_err(io::Error::other)?;
        Ok(self.events[..ready].iter().map(|event| usize::try_from(event.u64).unwrap_or(usize::MAX)))
    }
}

fn to_pid(pid: u32) -> libc::pid_t {
    libc::pid_t::try_from(pid).expect("a process id")
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
