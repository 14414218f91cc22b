//! The examples, run as a user would: started with arguments, spoken to, ended by a signal.
//!
//! Cargo builds the examples along with the tests, into a directory beside theirs. It does not where it is told which tests
//! to build: `cargo test --test NAME` wants `cargo build --examples` before it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use socketserver::Address;

use crate::children::ChildProcess;
use crate::lines::Lines;

/// A running example, killed when it is dropped. What it has logged is shown if the test fails.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: ChildProcess,
    output: Lines,
    log: Lines,
}

/// How an example ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to the standard output and nobody has read with [`Program::line`].
    pub output: String,
    /// All that it wrote to the standard error, where the log goes.
    pub log: String,
}

impl Program {
    /// Starts the example `name` with `arguments`, and the log as it is by default.
    #[track_caller]
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let program = executable(name);
        assert!(program.exists(), "the example `{name}` was not built: `cargo build --examples` does that");
        let mut process = ChildProcess::spawn(
            Command::new(program)
                .args(arguments)
                .env_remove("RUST_LOG")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        );
        let output = Lines::of(process.output());
        let log = Lines::of(process.child.stderr.take().expect("its log"));
        Self { name: name.to_owned(), process, output, log }
    }

    /// Where it says that it listens, the port resolved: waits for its next line `listening on ADDRESS`. A program of
    /// several servers has one for each.
    #[track_caller]
    pub fn address(&mut self) -> Address {
        let line = self.line();
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.split_whitespace().next());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        address.parse().map_or_else(|_| Address::Path(address.into()), Address::Inet)
    }

    /// The next line of its standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.output.next().unwrap_or_else(|| panic!("`{}` has no more to say", self.name))
    }

    /// Waits until it logs a line that contains `text`. Lines that nobody has asked for before are looked through
    /// first, so the order in which two things are logged does not matter.
    #[track_caller]
    pub fn logged(&mut self, text: &str) -> String {
        self.log.with(text).unwrap_or_else(|| panic!("`{}` does not log {text:?}", self.name))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        self.process.signal(signal);
    }

    /// Waits until it has ended by itself, or by a signal sent before.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = self.process.wait();
        Ended { status, output: self.output.rest(), log: self.log.all() }
    }

    /// Has it drain with `SIGTERM`, and sees that it ends with 0 and that nothing in it has panicked.
    #[track_caller]
    pub fn stop(self) -> Ended {
        self.signal(libc::SIGTERM);
        let ended = self.wait();
        assert_eq!(ended.status.code(), Some(0), "{}: {}{}", ended.status, ended.output, ended.log);
        assert!(!ended.log.contains("panicked"), "{}", ended.log);
        ended
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.process.child.kill();
            eprintln!("the log of `{}`:\n{}", self.name, self.log.all());
        }
    }
}

/// The executable of an example: `target/debug/examples/NAME`, where a test is `target/debug/deps/NAME-HASH`.
pub fn executable(name: &str) -> PathBuf {
    let this = env::current_exe().expect("this test's own program");
    let profile = this.parent().and_then(|deps| deps.parent()).expect("the directory of the profile");
    profile.join("examples").join(name)
}
