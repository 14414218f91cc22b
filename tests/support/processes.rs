//! Tests of forking servers: each server is a process of its own, with one thread, and the test is its client.
//!
//! The test binary has no harness. Called as cargo calls it, it runs its tests; called by itself with `--serve NAME`,
//! it is the server of that name.

use std::env;
use std::fs;
use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdin, Command, ExitCode, ExitStatus, Stdio};

use socketserver::Address;

use crate::children::ChildProcess;
use crate::lines::Lines;

/// Runs tests by name, or the server that this process is called for. Arguments filter, as with the usual harness.
pub fn run(tests: &[(&str, fn())], servers: &[(&str, fn())]) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [flag, name, ..] if flag == "--serve" => {
            let (_, serve) = servers.iter().find(|(known, _)| known == name).expect("a server of that name");
            serve();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen = |name: &str| {
        let fits = |filter: &&String| if exact { name == filter.as_str() } else { name.contains(filter.as_str()) };
        filters.is_empty() || filters.iter().any(fits)
    };
    let chosen: Vec<_> = tests.iter().filter(|(name, _)| chosen(name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for (name, test) in &chosen {
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    let (result, passed, left_out) =
        (if failed == 0 { "ok" } else { "FAILED" }, chosen.len() - failed, tests.len() - chosen.len());
    println!(
        "\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left_out} filtered out\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In a server process: tells the test where it is bound.
pub fn serves(address: &Address) {
    println!("{address}");
    stdout().flush().expect("the test reads");
}

/// A server process, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: ChildProcess,
    output: Lines,
    address: Address,
}

impl Server {
    /// Starts the server `name` of this test binary with `arguments`, and waits until it is bound.
    #[track_caller]
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let mut process = ChildProcess::spawn(
            Command::new(env::current_exe().expect("this test's own program"))
                .args(["--serve", name])
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let mut output = Lines::of(process.output());
        let line = output.next().expect("the address");
        let address = match (line.parse::<SocketAddr>(), line.strip_prefix('@')) {
            (Ok(address), _) => Address::Inet(address),
            (_, Some(name)) => Address::Abstract(name.into()),
            _ => Address::Path(line.into()),
        };
        Self { process, output, address }
    }

    /// Where it is bound.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its standard input, for a server that waits for a word.
    pub fn input(&mut self) -> &mut ChildStdin {
        self.process.input()
    }

    /// The next line of its standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.output.next().expect("a line of output")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        self.process.signal(signal);
    }

    /// Whether it has ended. It may have left children that have its output.
    pub fn has_ended(&self) -> bool {
        self.is_in_state('Z')
    }

    /// Whether its first thread sleeps, as in a system call that waits.
    pub fn sleeps(&self) -> bool {
        self.is_in_state('S')
    }

    fn is_in_state(&self, state: char) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("nobody has waited for it");
        // `pid (name) state ..`
        stat.rsplit_once(')').expect("a name in parentheses").1.trim_start().starts_with(state)
    }

    /// Waits until it has ended; how it did, and what it, and the children that it left, had still to say.
    #[track_caller]
    pub fn wait(mut self) -> (ExitStatus, String) {
        (self.process.wait(), self.output.rest())
    }

    /// Asks it to shut down, and sees that it ends well.
    #[track_caller]
    pub fn stop(self) -> String {
        self.signal(libc::SIGTERM);
        let (status, rest) = self.wait();
        assert!(status.success(), "the server ended with {status}: {rest}");
        rest
    }
}
