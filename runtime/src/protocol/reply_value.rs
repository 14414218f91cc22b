//! Replies that are more than bytes.

/// What a reply is, for a frame that tells its peer: see [`Frame::encode_value`](crate::Frame::encode_value). Without
/// such a frame it is told in messages.
///
/// ```
/// use socketserver::{Decoded, Frame, FrameError, Line, MessageOptions, ReplyValue};
/// use std::io::{self, Write};
///
/// /// Lines, of which a list begins with its length: `*2`.
/// struct Counted(Line);
///
/// impl Frame for Counted {
///     fn new(options: &MessageOptions) -> Self {
///         Self(Line::new(options))
///     }
///
///     fn max_length(&self) -> usize {
///         self.0.max_length()
///     }
///
///     fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
///         self.0.decode(received)
///     }
///
///     fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
///         self.0.decode_last(received)
///     }
///
///     fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
///         self.0.encode(message, output)
///     }
///
///     fn encode_value(&self, value: ReplyValue, output: &mut Vec<u8>) -> io::Result<bool> {
///         match value {
///             ReplyValue::List(length) => writeln!(output, "*{length}").map(|()| true),
///             _ => Ok(false),
///         }
///     }
/// }
///
/// let frame = Counted::new(&MessageOptions::default());
/// let mut output = Vec::new();
/// assert!(frame.encode_value(ReplyValue::List(2), &mut output)?);
/// assert!(!frame.encode_value(ReplyValue::Integer(7), &mut output)?);
/// assert_eq!(output, b"*2\n");
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyValue {
    /// `None`; otherwise an empty message.
    Nothing,
    /// A whole number; otherwise a message of its digits. Numbers beyond 64 bits are always that.
    Integer(i64),
    /// Otherwise the message `true` or `false`.
    Boolean(bool),
    /// A list: so many replies follow, which belong to it. Otherwise they are all.
    List(usize),
}
