//! Why a command was not done.

use std::error::Error;
use std::fmt;

use super::frame::FrameError;
use crate::error::BoxError;

/// Why a message was refused, as `#[on_error]` gets it.
///
/// Its text is for the peer: it names the command, the argument and what is wrong with it.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{CommandError, CommandErrorKind, handler, socket_server};
///
/// #[socket_server(tcp)]
/// struct Adder;
///
/// #[handler]
/// impl Adder {
///     #[command]
///     fn add(&self, left: i64, right: i64) -> Result<i64, &'static str> {
///         left.checked_add(right).ok_or("too much")
///     }
///
///     #[on_error]
///     fn refused(&self, error: &CommandError) -> String {
///         match error.kind() {
///             CommandErrorKind::Failed => format!("500 {error}"),
///             _ => format!("400 {error}"),
///         }
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct CommandError {
    kind: CommandErrorKind,
    command: &'static str,
    argument: &'static str,
    /// What the peer sent, where that is what is wrong.
    sent: String,
    source: Option<BoxError>,
}

/// What is wrong with a message: see [`CommandError::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// There is no such command, and no `#[otherwise]`.
    Unknown,
    /// An argument is missing.
    Missing,
    /// An argument is what its type cannot be; the source says why.
    Invalid,
    /// There are more arguments than the command takes.
    Surplus,
    /// The command itself returned an error, which is the source.
    Failed,
    /// The bytes received are no message; the source is the [`FrameError`].
    Frame,
}

impl CommandError {
    pub(super) fn unknown(word: &[u8]) -> Self {
        Self { sent: shown(word), ..Self::of(CommandErrorKind::Unknown) }
    }

    pub(super) fn missing(argument: &'static str) -> Self {
        Self { argument, ..Self::of(CommandErrorKind::Missing) }
    }

    pub(super) fn invalid(argument: &'static str, word: &[u8], source: BoxError) -> Self {
        Self { argument, sent: shown(word), source: Some(source), ..Self::of(CommandErrorKind::Invalid) }
    }

    pub(super) fn surplus(word: &[u8]) -> Self {
        Self { sent: shown(word), ..Self::of(CommandErrorKind::Surplus) }
    }

    pub(super) fn failed(source: BoxError) -> Self {
        Self { source: Some(source), ..Self::of(CommandErrorKind::Failed) }
    }

    pub(super) fn frame(error: FrameError) -> Self {
        Self { source: Some(error.into()), ..Self::of(CommandErrorKind::Frame) }
    }

    pub(super) fn in_command(self, command: &'static str) -> Self {
        Self { command, ..self }
    }

    fn of(kind: CommandErrorKind) -> Self {
        Self { kind, command: "", argument: "", sent: String::new(), source: None }
    }

    /// What is wrong.
    pub fn kind(&self) -> CommandErrorKind {
        self.kind
    }

    /// The command, by the name that it was called by, in lower case; empty where none was, or in a `#[message]`.
    pub fn command(&self) -> &str {
        self.command
    }

    /// The argument that is missing or invalid, by its name in the program; otherwise empty.
    pub fn argument(&self) -> &str {
        self.argument
    }

    /// What the peer sent and is wrong: the unknown command, the invalid or the surplus argument; otherwise empty.
    ///
    /// Bytes that are not UTF-8 are replaced, characters that cannot be seen are escaped, and no more than 64 are kept.
    pub fn sent(&self) -> &str {
        &self.sent
    }

    /// The error that the handler fails with: that of the command or the frame itself, where there is one.
    pub(super) fn into_failure(self) -> BoxError {
        match (self.kind, self.source) {
            (CommandErrorKind::Failed | CommandErrorKind::Frame, Some(source)) => source,
            (_, source) => Self { source, ..self }.into(),
        }
    }

    pub(super) fn ends_connection(&self) -> bool {
        let frame_error = self.source.as_ref().and_then(|source| source.downcast_ref::<FrameError>());
        self.kind == CommandErrorKind::Frame && frame_error.is_none_or(|error| error.passes_over().is_none())
    }
}

/// Whatever a peer sent, fit to be sent back in a line.
fn shown(word: &[u8]) -> String {
    const MOST: usize = 64;

    let text = String::from_utf8_lossy(&word[..word.len().min(MOST * 4)]);
    // Quotes and backslashes are no harm, and escaped they would not be what was sent.
    let shown = text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\");
    shown.chars().take(MOST).collect()
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, command, argument, sent, source } = self;
        let in_command = if command.is_empty() { String::new() } else { format!("{command}: ") };
        match (kind, source) {
            (CommandErrorKind::Unknown, _) => write!(f, "no such command: `{sent}`"),
            (CommandErrorKind::Missing, _) => write!(f, "{in_command}`{argument}` is missing"),
            (CommandErrorKind::Invalid, Some(source)) => {
                write!(f, "{in_command}`{argument}` cannot be `{sent}`: {source}")
            }
            (CommandErrorKind::Surplus, _) => write!(f, "{in_command}`{sent}` is one argument too many"),
            (_, Some(source)) => write!(f, "{source}"),
            (_, None) => write!(f, "{kind:?}"),
        }
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
