//! What the memcached and its clients send each other, beside the lines.

use std::io::{self, Read, Write};
use std::str::FromStr;

use socketserver::{Answer, Reader, Reply};

use crate::cache::Item;

pub(crate) const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format";
pub(crate) const TOO_LARGE: &str = "SERVER_ERROR object too large for cache";

const MAX_KEY: usize = 250;

/// The key, if it is not too long.
pub(crate) fn checked(key: &[u8]) -> Result<&[u8], &'static str> {
    if key.len() <= MAX_KEY { Ok(key) } else { Err(BAD_FORMAT) }
}

/// The data block of a command, which is read even if the command is refused. Memory grows with what is received.
pub(crate) fn read_data(
    input: &mut Reader,
    key: &[u8],
    bytes: u32,
    max_value: usize,
) -> io::Result<Result<Vec<u8>, &'static str>> {
    let length = bytes as usize;
    let mut block = input.take(u64::from(bytes) + 2);
    let refused = checked(key).err().or((length > max_value).then_some(TOO_LARGE));
    if let Some(error) = refused {
        io::copy(&mut block, &mut io::sink())?;
        return Ok(Err(error));
    }
    let mut data = Vec::new();
    block.read_to_end(&mut data)?;
    let is_whole = data.get(length..) == Some(b"\r\n");
    data.truncate(length);
    Ok(if is_whole { Ok(data) } else { Err("CLIENT_ERROR bad data chunk") })
}

/// The items that were found.
pub(crate) struct Found<'k> {
    pub(crate) items: Vec<(&'k [u8], Item)>,
    pub(crate) with_unique: bool,
}

impl Reply for Found<'_> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        for (key, item) in self.items {
            answer.write_all(b"VALUE ")?;
            answer.write_all(key)?;
            write!(answer, " {} {}", item.flags, item.data.len())?;
            if self.with_unique {
                write!(answer, " {}", item.unique)?;
            }
            answer.write_all(b"\r\n")?;
            answer.message(&item.data)?;
        }
        answer.message(b"END")
    }
}

/// A reply that a client may not want, be it an error.
pub(crate) struct Unless<R = &'static str>(pub(crate) Option<NoReply>, pub(crate) R);

impl<R: Reply> Reply for Unless<R> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        match self.0 {
            Some(NoReply) => Ok(()),
            None => self.1.reply(answer),
        }
    }
}

/// The word `noreply`.
#[derive(Clone, Copy)]
pub(crate) struct NoReply;

impl FromStr for NoReply {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word == "noreply" { Ok(Self) } else { Err(BAD_FORMAT) }
    }
}

impl NoReply {
    /// The word, if it is among what is left of a command's options; there can be no other.
    pub(crate) fn last(options: &[&str]) -> Result<Option<Self>, &'static str> {
        match options {
            [] => Ok(None),
            [word] => word.parse().map(Some),
            _ => Err("ERROR"),
        }
    }
}
