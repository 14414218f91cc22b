//! Where replies are written: the output, in the frame.

use std::fmt;
use std::io::{self, Write};

use super::frame::Frame;
use super::reply_value::ReplyValue;
use crate::error::BoxError;
use crate::request::{Writer, formatted};

/// Where a [`Reply`](crate::Reply) is written.
///
/// As [`Write`] it takes bytes as they are; [`message`](Self::message) frames them. What is written is gathered, and
/// sent when no further request is in the buffer.
///
/// ```
/// use socketserver::{Answer, Reply, ReplyValue};
/// use std::io;
///
/// /// The members of a team, after their number.
/// struct Team(Vec<String>);
///
/// impl Reply for Team {
///     fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
///         if self.0.is_empty() {
///             answer.fail("there is nobody");
///             return Ok(());
///         }
///         answer.value(ReplyValue::List(1 + self.0.len()))?;
///         answer.message_fmt(format_args!("{}", self.0.len()))?;
///         self.0.iter().try_for_each(|name| answer.message(name.as_bytes()))
///     }
/// }
/// ```
pub struct Answer<'a> {
    output: &'a mut Writer,
    frame: &'a dyn Frame,
    is_packet: bool,
    /// Where a message is framed; kept, so that replies take no memory anew.
    framed: &'a mut Vec<u8>,
    outcome: Outcome,
}

/// What a reply means beside its bytes.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) closes: bool,
    pub(super) failure: Option<BoxError>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(output: &'a mut Writer, frame: &'a dyn Frame, is_packet: bool, framed: &'a mut Vec<u8>) -> Self {
        Self { output, frame, is_packet, framed, outcome: Outcome::default() }
    }

    /// Writes a message in its frame: with [`Line`](crate::Line), the bytes and a line ending.
    ///
    /// # Errors
    ///
    /// What sending says, or that the frame cannot hold the message.
    pub fn message(&mut self, message: &[u8]) -> io::Result<()> {
        let framed = &mut *self.framed;
        framed.clear();
        if self.is_packet { self.frame.encode_packet(message, framed) } else { self.frame.encode(message, framed) }?;
        self.output.write_all(framed)
    }

    /// Writes formatted text as a message: `answer.message_fmt(format_args!("{number}"))`.
    ///
    /// # Errors
    ///
    /// As [`message`](Self::message).
    pub fn message_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        formatted::write(text, |message| self.message(message))
    }

    /// Writes a reply that is more than bytes: as the frame tells it, or in messages.
    ///
    /// # Errors
    ///
    /// As [`message`](Self::message).
    pub fn value(&mut self, value: ReplyValue) -> io::Result<()> {
        self.framed.clear();
        if self.frame.encode_value(value, self.framed)? {
            return self.output.write_all(self.framed);
        }
        match value {
            ReplyValue::Nothing => self.message(b""),
            ReplyValue::Integer(number) => self.message_fmt(format_args!("{number}")),
            ReplyValue::Boolean(is_true) => self.message_fmt(format_args!("{is_true}")),
            ReplyValue::List(_) => Ok(()),
        }
    }

    /// Ends the connection once the reply is sent.
    pub fn close(&mut self) {
        self.outcome.closes = true;
    }

    /// Has `#[on_error]` make the reply, as the `Err` of a `Result` does. It comes behind whatever is written, and of
    /// several errors the last one counts: a reply that is to be one looks for them first.
    pub fn fail(&mut self, error: impl Into<BoxError>) {
        self.outcome.failure = Some(error.into());
    }

    pub(super) fn into_outcome(self) -> Outcome {
        self.outcome
    }
}

impl Write for Answer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.output.write_fmt(text)
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
