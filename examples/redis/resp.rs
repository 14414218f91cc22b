//! RESP2, the protocol of Redis: what a request is, and what a reply.

use std::io::{self, Write};

use socketserver::{Answer, CommandFrame, Decoded, Frame, FrameError, Line, MessageOptions, Reply, SpacedWords, Words};

/// A request: an array of bulk strings, `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`, or a line, as one types it.
pub(crate) struct Resp {
    line: Line,
    longest: usize,
    /// The array that has begun: so many bulk strings are missing, and what is before `end` has been looked at.
    missing: usize,
    end: usize,
}

impl Frame for Resp {
    fn new(options: &MessageOptions) -> Self {
        Self { line: Line::new(options), longest: options.max_message, missing: 0, end: 0 }
    }

    fn max_length(&self) -> usize {
        self.longest
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        if received[0] != b'*' {
            return inline(self.line.decode(received));
        }
        if self.end == 0 {
            let Some((number, end)) = number(received, "multibulk")? else { return Ok(Decoded::Incomplete) };
            self.missing = self.at_most(number.max(0), "multibulk")?;
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
                Some(other) => {
                    return Err(FrameError::new(format!("expected '$', got '{}'", other.escape_ascii())));
                }
            }
            let Some((number, start)) = number(bulk, "bulk")? else { return Ok(Decoded::Incomplete) };
            let length = start + self.at_most(number, "bulk")? + 2;
            if bulk.len() < length {
                return Ok(Decoded::Incomplete);
            }
            self.end += length;
            self.missing -= 1;
        }
        let length = std::mem::take(&mut self.end);
        Ok(Decoded::Message { body: 0..length, length })
    }

    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        if received[0] == b'*' { self.decode(received) } else { inline(self.line.decode_last(received)) }
    }

    /// A bulk string.
    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        write!(output, "${}\r\n", message.len())?;
        output.extend_from_slice(message);
        output.extend_from_slice(b"\r\n");
        Ok(())
    }
}

impl Resp {
    fn at_most(&self, number: i64, what: &str) -> Result<usize, FrameError> {
        let length = usize::try_from(number).ok().filter(|length| *length <= self.longest);
        length.ok_or_else(|| invalid(what))
    }
}

/// An empty line is no request, and behind one that is too long there is nothing more.
fn inline(line: Result<Decoded, FrameError>) -> Result<Decoded, FrameError> {
    match line {
        Ok(Decoded::Message { body, length }) if body.is_empty() => Ok(Decoded::Skip(length)),
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
    let text = received[1..line].strip_suffix(b"\r").and_then(|digits| str::from_utf8(digits).ok());
    let number = text.and_then(|text| text.parse().ok());
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

impl<'m> Words<'m> for RequestWords<'m> {}

/// What a client sent, fit to be part of an error: a line of text that is not too long.
pub(crate) fn error_text(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    text.chars().take(128).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A reply.
pub(crate) enum Value {
    Simple(&'static str),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    Array(Vec<Value>),
}

impl Value {
    pub(crate) fn count(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(crate) fn bulks<B: AsRef<[u8]>>(strings: impl IntoIterator<Item = B>) -> Self {
        Self::Array(strings.into_iter().map(|string| Self::Bulk(string.as_ref().to_vec())).collect())
    }
}

impl Reply for Value {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        match self {
            Self::Simple(text) => write!(answer, "+{text}\r\n"),
            Self::Error(text) => write!(answer, "-{text}\r\n"),
            Self::Integer(number) => write!(answer, ":{number}\r\n"),
            Self::Bulk(bytes) => answer.message(&bytes),
            Self::Nil => answer.write_all(b"$-1\r\n"),
            Self::Array(values) => {
                write!(answer, "*{}\r\n", values.len())?;
                values.into_iter().try_for_each(|value| value.reply(answer))
            }
        }
    }
}
