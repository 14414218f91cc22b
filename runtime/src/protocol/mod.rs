//! Messages and commands: what a peer sends, cut into messages, and what is replied to each.
//!
//! No I/O happens here but in `serve`: frames work on the bytes received so far, so that any loop can drive them.

mod answer;
pub(crate) mod argument;
mod command;
mod command_name;
mod error;
mod frame;
mod frames;
pub(crate) mod help;
pub(crate) mod message;
mod one_or_more;
mod reply;
mod reply_value;
pub(crate) mod serve;
mod word;

/// What a buffer may keep when the message that it grew for is over, in bytes. Few messages are longer; and with one
/// behind it, a connection that waits must not hold on to the longest there can be.
pub(crate) const KEPT_ROOM: usize = 65_536;

pub use answer::Answer;
pub use argument::Rest;
pub use command::{CommandFrame, SpacedWords, Words};
pub use command_name::CommandName;
pub use error::{CommandError, CommandErrorKind};
pub use frame::{Decoded, Frame, FrameError, MessageOptions};
pub(crate) use frame::{check_decoded, is_sound};
pub use frames::{Delimited, Fixed, LengthPrefixed, Line, LittleEndian, Prefix, Resp};
pub use one_or_more::OneOrMore;
pub use reply::{Close, Raw, Reply};
pub use reply_value::ReplyValue;

/// Ends a message, in the buffer that it was in.
pub(crate) fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_ROOM);
}
