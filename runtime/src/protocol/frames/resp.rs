//! The protocol of Redis.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::mem;
use std::num::{ParseFloatError, ParseIntError};
use std::str;

use super::line::Line;
use crate::protocol::answer::Answer;
use crate::protocol::command::{CommandFrame, SpacedWords, Words};
use crate::protocol::error::{CommandError, CommandErrorKind};
use crate::protocol::frame::{Decoded, Frame, FrameError, MessageOptions};
use crate::protocol::reply_value::ReplyValue;

/// Commands in RESP2, the protocol of Redis: any of its clients, in any language, speaks to such a server.
///
/// A message is an array of bulk strings, of which the first names the command, or a line, as one types it: what
/// Redis calls an inline command. Arguments may hold any bytes, and are asked for as `&[u8]` then: a `Vec<u8>` is all
/// that are left, each a number. Strings and bytes are replied as bulk strings, whole numbers and `bool` as integers,
/// `None` as the null, a `Vec` as an array; [`Raw`](crate::Raw) sends other replies, such as `Raw("+OK\r\n")`. A
/// command that returns `()` has to write its reply itself: a client waits for one.
///
/// An error is replied as one, in one line: as it stands if it begins with a code, a word in upper case as in
/// `WRONGTYPE no list`, and otherwise with the code `ERR`. What is no number, missing, too much or unknown is refused
/// in the words of Redis. A message, and thereby an argument, is at most as long as the option `max_message`, and a
/// line as `max_line`; quotes in a line mean nothing.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Resp, handler, socket_server};
/// use std::io::{Read, Write};
/// use std::net::{Shutdown, TcpStream};
///
/// #[socket_server(tcp, threading)]
/// struct Sums;
///
/// #[handler(frame = Resp)]
/// impl Sums {
///     #[command]
///     fn add(&self, left: i64, right: i64) -> Result<i64, &'static str> {
///         left.checked_add(right).ok_or("that is too much")
///     }
/// }
///
/// let server = Sums.bind("127.0.0.1:0")?.start()?;
/// let mut client = TcpStream::connect(server.local_address().socket_addr().unwrap())?;
/// client.write_all(b"*3\r\n$3\r\nADD\r\n$1\r\n2\r\n$1\r\n3\r\nadd 9223372036854775807 1\r\nsub 2 1\r\n")?;
/// client.shutdown(Shutdown::Write)?;
/// let mut replies = String::new();
/// client.read_to_string(&mut replies)?;
/// assert_eq!(replies, ":5\r\n-ERR that is too much\r\n-ERR unknown command 'sub'\r\n");
/// # server.shutdown()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Resp {
    line: Line,
    longest: usize,
    array: Array,
}

/// How much of an array has been looked at: so many bulk strings are missing, and what is before `end` is known.
#[derive(Debug, Default)]
struct Array {
    missing: usize,
    end: usize,
}

impl Frame for Resp {
    fn new(options: &MessageOptions) -> Self {
        Self { line: Line::new(options), longest: options.max_message, array: Array::default() }
    }

    fn max_length(&self) -> usize {
        self.longest
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        if received[0] == b'*' {
            self.array.decode(received, self.longest)
        } else {
            inline(received, self.line.decode(received))
        }
    }

    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        if received[0] == b'*' { self.decode(received) } else { inline(received, self.line.decode_last(received)) }
    }

    /// A bulk string.
    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        write!(output, "${}\r\n", message.len())?;
        output.extend_from_slice(message);
        output.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        if packet.first() != Some(&b'*') {
            return self.line.decode_packet(packet);
        }
        match Array::default().decode(packet, packet.len()) {
            Ok(Decoded::Message { length, .. }) if length == packet.len() => Ok(packet),
            Ok(_) => Err(FrameError::new("the packet is not one request").passing_over(packet.len())),
            Err(error) => Err(error.passing_over(packet.len())),
        }
    }

    fn encode_packet(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        self.encode(message, output)
    }

    fn encode_value(&self, value: ReplyValue, output: &mut Vec<u8>) -> io::Result<bool> {
        match value {
            ReplyValue::Nothing => output.write_all(b"$-1\r\n"),
            ReplyValue::Integer(number) => write!(output, ":{number}\r\n"),
            ReplyValue::Boolean(is_true) => write!(output, ":{}\r\n", u8::from(is_true)),
            ReplyValue::List(length) => write!(output, "*{length}\r\n"),
        }?;
        Ok(true)
    }
}

impl Array {
    fn decode(&mut self, received: &[u8], longest: usize) -> Result<Decoded, FrameError> {
        if self.end == 0 {
            let Some((number, end)) = number(received, "multibulk")? else { return Ok(Decoded::Incomplete) };
            self.missing = at_most(longest, number.max(0), "multibulk")?;
            if self.missing == 0 {
                return Ok(Decoded::Skip(end));
            }
            self.end = end;
        }
        while self.missing > 0 {
            let bulk = &received[self.end..];
            match bulk.first() {
                None => return Ok(Decoded::Incomplete),
                Some(b'$') => {}
                Some(other) => return Err(FrameError::new(format!("expected '$', got '{}'", other.escape_ascii()))),
            }
            let Some((number, start)) = number(bulk, "bulk")? else { return Ok(Decoded::Incomplete) };
            let length = start + at_most(longest, number, "bulk")? + 2;
            if bulk.len() < length {
                return Ok(Decoded::Incomplete);
            }
            if !bulk[..length].ends_with(b"\r\n") {
                return Err(FrameError::new("expected CRLF behind a bulk string"));
            }
            self.end += length;
            self.missing -= 1;
        }
        let length = mem::take(&mut self.end);
        Ok(Decoded::Message { body: 0..length, length })
    }
}

fn at_most(longest: usize, number: i64, what: &str) -> Result<usize, FrameError> {
    let length = usize::try_from(number).ok().filter(|length| *length <= longest);
    length.ok_or_else(|| invalid(what))
}

/// A line without a word is no request, and behind one that is too long there is nothing more.
fn inline(received: &[u8], line: Result<Decoded, FrameError>) -> Result<Decoded, FrameError> {
    match line {
        Ok(Decoded::Message { body, length }) if SpacedWords::new(&received[body.clone()]).next().is_none() => {
            Ok(Decoded::Skip(length))
        }
        Err(_) => Err(FrameError::new("too big inline request")),
        decoded => decoded,
    }
}

/// The number in the first line, behind its mark, and where the line ends; `None` if it has not come yet.
fn number(received: &[u8], what: &str) -> Result<Option<(i64, usize)>, FrameError> {
    const LONGEST: usize = "*-9223372036854775808\r\n".len();

    let Some(line) = received.iter().take(LONGEST).position(|byte| *byte == b'\n') else {
        return if received.len() < LONGEST { Ok(None) } else { Err(invalid(what)) };
    };
    // Redis takes no sign but a minus, and no zeros before other digits.
    let digits = received[1..line].strip_suffix(b"\r");
    let digits = digits.filter(|digits| matches!(digits, [b'0'] | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..]));
    let number = digits.and_then(|digits| str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    number.map(|number| Some((number, line + 1))).ok_or_else(|| invalid(what))
}

fn invalid(what: &str) -> FrameError {
    FrameError::new(format!("invalid {what} length"))
}

impl CommandFrame for Resp {
    fn words(message: &[u8]) -> impl Words<'_> {
        match message {
            [b'*', ..] => {
                let bulks = message.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                RequestWords::Array(&message[bulks..])
            }
            line => RequestWords::Line(SpacedWords::new(line)),
        }
    }

    fn refuse(error: &CommandError, answer: &mut Answer<'_>) -> io::Result<()> {
        let command = error.command();
        let text = match error.kind() {
            CommandErrorKind::Missing | CommandErrorKind::Surplus => {
                format!("ERR wrong number of arguments for '{command}' command")
            }
            CommandErrorKind::Unknown => format!("ERR unknown command '{}'", error.sent()),
            CommandErrorKind::Frame => format!("ERR Protocol error: {error}"),
            CommandErrorKind::Invalid | CommandErrorKind::Failed => match error.source() {
                Some(source) if source.is::<ParseIntError>() => {
                    "ERR value is not an integer or out of range".to_owned()
                }
                Some(source) if source.is::<ParseFloatError>() => "ERR value is not a valid float".to_owned(),
                Some(source) if has_code(&source.to_string()) => source.to_string(),
                _ => format!("ERR {error}"),
            },
        };
        write!(answer, "-{}\r\n", text.replace(char::is_control, " "))
    }
}

/// Whether an error begins with a word in upper case, by which clients tell errors apart.
fn has_code(text: &str) -> bool {
    let code = text.split(' ').next().unwrap_or_default();
    code.len() > 1 && code.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// The words of a whole request.
enum RequestWords<'m> {
    Array(&'m [u8]),
    Line(SpacedWords<'m>),
}

impl<'m> Iterator for RequestWords<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        match self {
            Self::Line(words) => words.next(),
            Self::Array(bulks) => {
                let (length, start) = number(bulks, "bulk").ok()??;
                let (bulk, rest) = bulks[start..].split_at_checked(usize::try_from(length).ok()?)?;
                *bulks = rest.strip_prefix(b"\r\n")?;
                Some(bulk)
            }
        }
    }
}

impl<'m> Words<'m> for RequestWords<'m> {
    fn rest(&mut self) -> &'m [u8] {
        match self {
            Self::Line(words) => words.rest(),
            Self::Array(_) => self.next().unwrap_or_default(),
        }
    }
}
