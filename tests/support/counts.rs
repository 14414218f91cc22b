//! What a process has, counted in `/proc`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Open descriptors of this process.
pub fn descriptors() -> usize {
    // One of them is the directory that is being read.
    entries("/proc/self/fd") - 1
}

/// Threads of this process.
pub fn threads() -> usize {
    entries("/proc/self/task")
}

/// The calling thread, as `/proc` knows it.
pub fn this_thread() -> libc::pid_t {
    // SAFETY: it has no preconditions.
    #[allow(unsafe_code, reason = "std does not tell the number of a thread")]
    unsafe {
        libc::gettid()
    }
}

/// Whether a thread of this process sleeps, as in a system call that waits.
pub fn sleeps(thread: libc::pid_t) -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).expect("the thread is there");
    // `pid (name) state ..`
    stat.rsplit_once(") ").expect("a name in parentheses").1.starts_with('S')
}

/// Children of this process, zombies too: process id and state.
pub fn children() -> Vec<(u32, char)> {
    let me = std::process::id();
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // `pid (name) state ppid ..`, and the name may have anything in it.
            let (head, tail) = stat.rsplit_once(')')?;
            let mut fields = tail.split_whitespace();
            let state = fields.next()?.chars().next()?;
            let parent: u32 = fields.next()?.parse().ok()?;
            let pid = head.split_once(' ')?.0.parse().ok()?;
            (parent == me).then_some((pid, state))
        })
        .collect()
}

/// Waits for what no event tells of; panics, naming it, if it does not come.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).expect("a directory of /proc").count()
}
