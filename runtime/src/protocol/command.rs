//! How a message names a command and its arguments.

use std::io;

use super::answer::Answer;
use super::error::CommandError;
use super::frame::Frame;

/// A frame whose messages are commands: `#[command]` needs one.
///
/// The frames of this crate have words between spaces. One of your own says what its words are, the name of the command
/// first. They are bytes, borrowed from the message.
///
/// ```
/// use socketserver::{CommandFrame, Line, Words};
///
/// let mut words = Line::words(b"set key two words");
/// assert_eq!(words.next(), Some(&b"set"[..]));
/// assert_eq!(words.next(), Some(&b"key"[..]));
/// assert_eq!(words.rest(), b"two words");
/// ```
#[diagnostic::on_unimplemented(
    message = "the messages of the frame `{Self}` are no commands",
    label = "does not say which command a message is",
    note = "write `impl CommandFrame for {Self} {{}}` for words between spaces, or take whole messages with `#[message]`"
)]
pub trait CommandFrame: Frame {
    /// The words of a message: the command's name, then its arguments. Default: what spaces and tabs are between.
    fn words(message: &[u8]) -> impl Words<'_> {
        SpacedWords::new(message)
    }

    /// What a peer is told of an error, if the handler has no `#[on_error]`. Default: a message `error: ..`, in one
    /// line whatever the error says.
    ///
    /// # Errors
    ///
    /// What sending says.
    fn refuse(error: &CommandError, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message(format!("error: {error}").replace(char::is_control, " ").as_bytes())
    }
}

/// The words of one message, borrowed from it.
pub trait Words<'m>: Iterator<Item = &'m [u8]> {
    /// All that follows the words taken so far, as it stands. Default: the next word alone, for messages whose words
    /// are not one text.
    fn rest(&mut self) -> &'m [u8] {
        self.next().unwrap_or_default()
    }
}

/// Words between spaces and tabs.
///
/// ```
/// use socketserver::{SpacedWords, Words};
///
/// let mut words = SpacedWords::new(b"say   it  loud");
/// assert_eq!(words.next(), Some(&b"say"[..]));
/// assert_eq!(words.rest(), b"  it  loud");
/// ```
#[derive(Clone, Debug)]
pub struct SpacedWords<'m> {
    rest: &'m [u8],
}

impl<'m> SpacedWords<'m> {
    /// The words of `text`.
    pub fn new(text: &'m [u8]) -> Self {
        Self { rest: text }
    }
}

impl<'m> Iterator for SpacedWords<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        let start = self.rest.iter().position(|byte| !is_space(*byte))?;
        let text = &self.rest[start..];
        let end = text.iter().position(|byte| is_space(*byte)).unwrap_or(text.len());
        // One space ends the word; those after it belong to the rest.
        self.rest = text.get(end + 1..).unwrap_or_default();
        Some(&text[..end])
    }
}

impl<'m> Words<'m> for SpacedWords<'m> {
    fn rest(&mut self) -> &'m [u8] {
        std::mem::take(&mut self.rest)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A command's name in lower case, so that any letter case is the same command.
#[derive(Debug)]
pub(super) struct Name {
    letters: [u8; Self::LONGEST],
    length: usize,
}

impl Name {
    /// The macros refuse a command with a longer name, so a longer word names none.
    const LONGEST: usize = 64;

    /// The name in `word`; empty if it is no command's.
    pub(super) fn of(word: &[u8]) -> Self {
        let mut name = Self { letters: [0; Self::LONGEST], length: 0 };
        if let Some(letters) = name.letters.get_mut(..word.len()) {
            letters.copy_from_slice(word);
            letters.make_ascii_lowercase();
            name.length = word.len();
        }
        name
    }

    /// Its bytes, to match on.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}
