//! One message: what the arguments of its handler are made from, and why it may have failed.

use std::fmt;

use super::command::Words;
use super::error::CommandError;
use crate::error::BoxError;

/// What the arguments of one call are made from, beside the request.
#[derive(Debug)]
pub struct Message<'w, 'm> {
    whole: &'m [u8],
    name: &'m [u8],
    /// The command that it names, in lower case, once that is known.
    command: &'static str,
    source: Source<'w, 'm>,
}

enum Source<'w, 'm> {
    /// The words after a command's name.
    Words(&'w mut (dyn Words<'m> + 'w)),
    /// All of the message as one word, until it is taken.
    Whole(Option<&'m [u8]>),
    /// No message at all.
    Error(&'m CommandError),
}

/// Why a message was not handled.
#[derive(Debug)]
pub enum Failure {
    /// The peer is told, and the next message is handled.
    Refused(CommandError),
    /// The handler fails.
    Ended(BoxError),
    /// There is nothing to answer an error with: it is the handler's own.
    Unanswered,
}

impl<'w, 'm> Message<'w, 'm> {
    pub(super) fn whole(whole: &'m [u8]) -> Self {
        Self { whole, name: &[], command: "", source: Source::Whole(Some(whole)) }
    }

    pub(super) fn of_words(whole: &'m [u8], words: &'w mut (dyn Words<'m> + 'w)) -> Self {
        let name = words.next().unwrap_or_default();
        Self { whole, name, command: "", source: Source::Words(words) }
    }

    /// What an `#[on_error]` gets.
    pub fn of_error(error: &'m CommandError) -> Self {
        Self { whole: &[], name: &[], command: "", source: Source::Error(error) }
    }

    /// For an `#[otherwise]`: the message as it came.
    pub fn take_whole(&mut self) {
        self.source = Source::Whole(Some(self.whole));
    }

    /// There is no such command, and no `#[otherwise]`.
    ///
    /// # Errors
    ///
    /// Always: it is what the peer is told.
    pub fn unknown(&self) -> Result<(), Failure> {
        Err(Failure::Refused(CommandError::unknown(self.name)))
    }

    /// It is a command with these names, in lower case: the one that it was called by.
    pub fn called(&mut self, names: &[&'static str]) -> &'static str {
        let by = names.iter().find(|name| name.as_bytes().eq_ignore_ascii_case(self.name));
        self.command = by.copied().unwrap_or_default();
        self.command
    }

    pub(super) fn command(&self) -> &'static str {
        self.command
    }

    /// Refuses words that no argument has taken.
    ///
    /// # Errors
    ///
    /// There are some.
    pub fn end(&mut self) -> Result<(), Failure> {
        match self.next_word() {
            None => Ok(()),
            Some(word) => Err(Failure::Refused(CommandError::surplus(word))),
        }
    }

    pub(super) fn name(&self) -> &'m [u8] {
        self.name
    }

    pub(super) fn next_word(&mut self) -> Option<&'m [u8]> {
        match &mut self.source {
            Source::Words(words) => words.next(),
            Source::Whole(whole) => whole.take(),
            Source::Error(_) => None,
        }
    }

    pub(super) fn rest(&mut self) -> &'m [u8] {
        match &mut self.source {
            Source::Words(words) => words.rest(),
            Source::Whole(whole) => whole.take().unwrap_or_default(),
            Source::Error(_) => &[],
        }
    }

    pub(super) fn error(&self) -> Option<&'m CommandError> {
        match self.source {
            Source::Error(error) => Some(error),
            Source::Words(_) | Source::Whole(_) => None,
        }
    }
}

impl fmt::Debug for Source<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
