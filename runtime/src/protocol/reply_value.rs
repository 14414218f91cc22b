//! Replies that are more than bytes.

/// What a reply is, for a frame that tells its peer: see [`Frame::encode_value`](crate::Frame::encode_value). Without
/// such a frame it is told in messages.
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
