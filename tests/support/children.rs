//! A child process of a test.

use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use crate::wait_until;

/// A child process, killed when it is dropped.
#[derive(Debug)]
pub struct ChildProcess {
    pub(crate) child: Child,
}

impl ChildProcess {
    /// Starts it.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, which is a pipe, the first time that it is asked for.
    pub fn output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("its output")
    }

    pub(crate) fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("its input")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        kill(libc::pid_t::try_from(self.pid()).expect("a process id"), signal);
    }

    /// Waits until it has ended; how it did.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        wait_until("the child process ends", || self.child.try_wait().expect("its status").is_some());
        self.child.wait().expect("its status")
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to a process that is there: one that nobody has waited for yet.
#[track_caller]
pub fn kill(process: libc::pid_t, signal: i32) {
    let process = Pid::from_raw(process).expect("a process id");
    kill_process(process, Signal::from_named_raw(signal).expect("a signal")).expect("the process is there");
}
