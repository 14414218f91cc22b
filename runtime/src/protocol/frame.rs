//! What a message is: a frame, found in the bytes received so far.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Range;

use super::reply_value::ReplyValue;

/// How the messages of a protocol are told apart: `#[handler(Server, frame = LengthPrefixed<u32>)]`.
///
/// There are [`Line`](crate::Line), which is the default, [`Delimited`](crate::Delimited),
/// [`LengthPrefixed`](crate::LengthPrefixed), [`Fixed`](crate::Fixed) and [`Resp`](crate::Resp). One of your own
/// decodes a message from the bytes received so far. It does no I/O, so that it can be tested without a socket, and be
/// driven by any loop: [`Reader::next_message`](crate::Reader::next_message) is one. CPython has no counterpart.
///
/// There is a new frame for each connection, so it may remember how far it has looked. On a transport of packets, one
/// packet is one message.
///
/// ```
/// use socketserver::{Decoded, Frame, FrameError, MessageOptions};
///
/// /// A message in the netstring format: `5:hello,`.
/// struct Netstring;
///
/// impl Frame for Netstring {
///     fn new(_: &MessageOptions) -> Self {
///         Self
///     }
///
///     fn max_length(&self) -> usize {
///         "9999:,".len() + 9_999
///     }
///
///     fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
///         let digits = received.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
///         match received.get(digits) {
///             None => return Ok(Decoded::Incomplete),
///             Some(b':') if digits > 0 => {}
///             Some(_) => return Err(FrameError::new("a netstring begins with its length and a colon")),
///         }
///         let length = received[..digits].iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
///         let body = digits + 1..digits + 1 + length;
///         match received.get(body.end) {
///             None => Ok(Decoded::Incomplete),
///             Some(b',') => Ok(Decoded::Message { length: body.end + 1, body }),
///             Some(_) => Err(FrameError::new("a netstring ends with a comma")),
///         }
///     }
///
///     fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> std::io::Result<()> {
///         output.extend_from_slice(format!("{}:", message.len()).as_bytes());
///         output.extend_from_slice(message);
///         output.push(b',');
///         Ok(())
///     }
/// }
///
/// let mut frame = Netstring::new(&MessageOptions::default());
/// assert!(matches!(frame.decode(b"5:hel"), Ok(Decoded::Incomplete)));
/// let Ok(Decoded::Message { body, length }) = frame.decode(b"5:hello,3:and") else { panic!() };
/// assert_eq!((body, length), (2..7, 8));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a frame",
    label = "does not say where a message ends",
    note = "there are `Line`, `Delimited<BYTE>`, `LengthPrefixed<u32>`, `Fixed<N>` and `Resp`, and your own types that implement `Frame`"
)]
pub trait Frame {
    /// A frame for one connection, or one packet.
    fn new(options: &MessageOptions) -> Self
    where
        Self: Sized;

    /// The most bytes that a message can take, with everything that belongs to its frame.
    ///
    /// Where so many have been received and [`decode`](Self::decode) still finds them incomplete, the connection is
    /// ended: this is what bounds the memory that a peer can take. It is ended too where a longer one came in one
    /// piece.
    fn max_length(&self) -> usize;

    /// Finds the first message in `received`: all that has been received and not been decoded yet, never empty. If it
    /// is incomplete, the next call gets the same bytes and more.
    ///
    /// Whatever else it finds takes at least one of the bytes received, and no more than there are. A frame that claims
    /// otherwise is wrong: the connection is ended, and the handler fails with an error that names the frame.
    ///
    /// # Errors
    ///
    /// The bytes are no message; see [`FrameError`].
    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError>;

    /// Finds the first message in `received`, behind which nothing will come. Default: as [`decode`](Self::decode);
    /// what it finds incomplete is an error.
    ///
    /// # Errors
    ///
    /// The bytes are no message.
    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        self.decode(received)
    }

    /// Appends a message, framed as the peer is to receive it. Default: as it is.
    ///
    /// # Errors
    ///
    /// The frame cannot hold this message.
    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        output.extend_from_slice(message);
        Ok(())
    }

    /// Appends a reply that is more than bytes, as the peer is to receive it, and returns `true`. Default: `false`,
    /// which leaves it to be told in messages; see [`ReplyValue`]. It is asked in a packet, too.
    ///
    /// # Errors
    ///
    /// The frame cannot hold it.
    fn encode_value(&self, _value: ReplyValue, _output: &mut Vec<u8>) -> io::Result<bool> {
        Ok(false)
    }

    /// The message in a packet. Default: all of it, since a packet needs no length and no end.
    ///
    /// # Errors
    ///
    /// The packet is no message. After an error that is final, the handler fails.
    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        Ok(packet)
    }

    /// Appends a message to the packet that is the reply. Default: as it is.
    ///
    /// # Errors
    ///
    /// The frame cannot hold this message.
    fn encode_packet(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        output.extend_from_slice(message);
        Ok(())
    }
}

/// What [`Frame::decode`] found at the beginning of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded {
    /// A message.
    Message {
        /// Where in these bytes the message itself is, without what frames it.
        body: Range<usize>,
        /// How many bytes it takes with its frame; what follows them is the next message.
        length: usize,
    },
    /// So many bytes that belong to no message.
    Skip(usize),
    /// The beginning of a message, or nothing yet.
    Incomplete,
}

/// Checks what a frame found in so many bytes: it is a user's, and may be wrong. The error says how.
pub(crate) fn check_decoded(decoded: &Result<Decoded, FrameError>, received: usize) -> Result<(), String> {
    let (body, taken) = match decoded {
        Ok(Decoded::Message { body, length }) => (body.clone(), Some(*length)),
        Ok(Decoded::Skip(length)) => (0..0, Some(*length)),
        Ok(Decoded::Incomplete) => (0..0, None),
        Err(error) => (0..0, error.passes_over()),
    };
    match taken {
        Some(length) if length == 0 || length > received => Err(format!("it takes {length} of {received} bytes")),
        Some(length) if !is_sound(&body, length, received) => {
            Err(format!("its message is at {body:?} of {length} bytes"))
        }
        _ => Ok(()),
    }
}

/// Whether a message can be there in so many bytes.
pub(crate) fn is_sound(body: &Range<usize>, length: usize, received: usize) -> bool {
    length != 0 && length <= received && body.start <= body.end && body.end <= length
}

/// The server's options that concern messages, for [`Frame::new`].
///
/// ```
/// let options = socketserver::MessageOptions::default();
/// assert_eq!((options.max_line, options.max_message, options.crlf), (65_536, 1_048_576, false));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MessageOptions {
    /// The option [`max_line`](crate::Options::max_line): the longest line, in bytes.
    pub max_line: usize,
    /// The option [`max_message`](crate::Options::max_message): the longest message, in bytes with what frames it.
    pub max_message: usize,
    /// The option [`crlf`](crate::Options::crlf): whether a line ends with CRLF.
    pub crlf: bool,
    /// The option [`help`](crate::Options::help): whether there is a command `help`.
    pub help: bool,
}

impl Default for MessageOptions {
    fn default() -> Self {
        crate::options::Options::new().messages()
    }
}

/// The bytes received are no message.
///
/// One that is final ends the connection, after the `#[on_error]` of the handler was told: where the next message
/// begins is not known. One that [passes over](Self::passing_over) the wrong message does not.
///
/// ```
/// use socketserver::FrameError;
///
/// let error = FrameError::new("a length of 4294967295 is more than the 1048576 that are allowed");
/// assert_eq!(error.passes_over(), None);
/// assert_eq!(FrameError::new("an empty message").passing_over(2).passes_over(), Some(2));
/// ```
#[derive(Debug)]
pub struct FrameError {
    message: Cow<'static, str>,
    passes_over: Option<usize>,
}

impl FrameError {
    /// An error that ends the connection.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), passes_over: None }
    }

    /// Decoding can go on behind the first `length` of the bytes received. A frame that has more to pass over remembers
    /// it, and answers [`Decoded::Skip`] as the bytes come.
    pub fn passing_over(self, length: usize) -> Self {
        Self { passes_over: Some(length), ..self }
    }

    /// How many bytes are to be taken before decoding goes on; `None` if the error is final.
    pub fn passes_over(&self) -> Option<usize> {
        self.passes_over
    }

    /// The one inside an error of [`Reader::next_message`](crate::Reader::next_message), if it is one.
    pub(crate) fn from_io(error: io::Error) -> io::Result<Self> {
        error.downcast()
    }
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for FrameError {}
