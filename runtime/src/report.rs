//! Where the default hooks say what went wrong.

use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says it in one line.
pub(crate) fn error(message: Arguments<'_>) {
    #[cfg(feature = "log")]
    if log::max_level() != log::LevelFilter::Off {
        log::error!("{message}");
        return;
    }
    // A program without a standard error has nowhere to hear it.
    let _ = writeln!(io::stderr(), "socketserver: {message}");
}

/// Says it, unless something was said in the last second; then it is counted, and the count said the next time.
pub(crate) fn at_most_once_a_second(message: Arguments<'_>) {
    static LAST: Mutex<Option<(Instant, u64)>> = Mutex::new(None);

    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *last {
        Some((said, unsaid)) if said.elapsed() < Duration::from_secs(1) => *unsaid += 1,
        last => {
            let unsaid = last.map_or(0, |(_, unsaid)| unsaid);
            *last = Some((Instant::now(), 0));
            if unsaid == 0 {
                error(message);
            } else {
                error(format_args!("{message} (and {unsaid} more errors before)"));
            }
        }
    }
}
