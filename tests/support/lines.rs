//! What another process says.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lines of a pipe, read in a thread of its own, so that the program never waits for the test.
#[derive(Debug)]
pub(crate) struct Lines {
    coming: Receiver<String>,
    /// All that came, and whether somebody has asked for it.
    came: Vec<(String, bool)>,
}

impl Lines {
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Self {
        let (send, coming) = channel();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                // The test may have no more use for it, but the program has still to be heard out.
                let _ = send.send(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            }
        });
        Self { coming, came: Vec::new() }
    }

    /// The next one; `None` at the end, or if it does not come.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.with("")
    }

    /// The next one that contains `text`.
    pub(crate) fn with(&mut self, text: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut searched = 0;
        loop {
            let found = self.came[searched..].iter_mut().find(|(line, taken)| !taken && line.contains(text));
            if let Some((line, taken)) = found {
                *taken = true;
                return Some(line.trim_end_matches(['\r', '\n']).to_owned());
            }
            searched = self.came.len();
            let left = deadline.saturating_duration_since(Instant::now());
            self.came.push((self.coming.recv_timeout(left).ok()?, false));
        }
    }

    /// All that nobody has asked for.
    pub(crate) fn rest(&mut self) -> String {
        self.collect(|taken| !taken)
    }

    pub(crate) fn all(&mut self) -> String {
        self.collect(|_| true)
    }

    fn collect(&mut self, wanted: impl Fn(bool) -> bool) -> String {
        while let Ok(line) = self.coming.recv_timeout(PATIENCE) {
            self.came.push((line, false));
        }
        self.came.iter().filter(|(_, taken)| wanted(*taken)).map(|(line, _)| line.as_str()).collect()
    }
}
