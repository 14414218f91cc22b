//! The name that a command was called by.

use std::fmt;
use std::ops::Deref;

/// The name that a command was called by, in lower case: for a `#[command]` with several names. It derefs to `str`, and
/// takes nothing of the message.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{CommandName, handler, socket_server};
/// use std::collections::VecDeque;
/// use std::sync::{Mutex, PoisonError};
///
/// #[socket_server(tcp, threading)]
/// #[derive(Default)]
/// struct Line {
///     waiting: Mutex<VecDeque<String>>,
/// }
///
/// #[handler]
/// impl Line {
///     #[command("first", "last")]
///     fn take(&self, end: CommandName) -> Option<String> {
///         let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
///         if &*end == "first" { waiting.pop_front() } else { waiting.pop_back() }
///     }
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandName(pub(super) &'static str);

impl Deref for CommandName {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
