//! The words of a message, and what each can be.

use std::str::{self, FromStr};

use super::error::CommandError;
use super::message::{Failure, Message};
use crate::error::BoxError;

/// What one word of a message can be.
pub trait Word<'m, By>: Sized {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// The word is none of these.
    fn read(word: &'m [u8]) -> Result<Self, BoxError>;
}

/// How a word is read.
mod read {
    use std::marker::PhantomData;

    /// By `FromStr`.
    #[derive(Debug)]
    pub struct Parsed;

    /// Lent as text.
    #[derive(Debug)]
    pub struct Text;

    /// Lent as bytes.
    #[derive(Debug)]
    pub struct Bytes;

    /// Two words, each in its own way.
    #[derive(Debug)]
    pub struct Pair<First, Second>(PhantomData<(First, Second)>);
}

impl<A: FromStr<Err: Into<BoxError>>> Word<'_, read::Parsed> for A {
    fn read(word: &[u8]) -> Result<Self, BoxError> {
        str::from_utf8(word)?.parse().map_err(Into::into)
    }
}

impl<'m> Word<'m, read::Text> for &'m str {
    fn read(word: &'m [u8]) -> Result<Self, BoxError> {
        Ok(str::from_utf8(word)?)
    }
}

impl<'m> Word<'m, read::Bytes> for &'m [u8] {
    fn read(word: &'m [u8]) -> Result<Self, BoxError> {
        Ok(word)
    }
}

/// What there can be several of: a word, or a pair of them.
pub trait Item<'m, By>: Sized {
    /// Reads it, if its first word is that.
    ///
    /// # Errors
    ///
    /// A word is not what it has to be, or the second one is missing.
    fn read(name: &'static str, first: &'m [u8], message: &mut Message<'_, 'm>) -> Result<Self, Failure>;
}

impl<'m, A: Word<'m, By>, By> Item<'m, By> for A {
    fn read(name: &'static str, first: &'m [u8], _: &mut Message<'_, 'm>) -> Result<Self, Failure> {
        parse(name, first)
    }
}

impl<'m, A: Word<'m, First>, B: Word<'m, Second>, First, Second> Item<'m, read::Pair<First, Second>> for (A, B) {
    fn read(name: &'static str, first: &'m [u8], message: &mut Message<'_, 'm>) -> Result<Self, Failure> {
        let second = message.next_word().ok_or_else(|| Failure::Refused(CommandError::missing(name)))?;
        Ok((parse(name, first)?, parse(name, second)?))
    }
}

pub(super) fn all<'m, A: Item<'m, By>, By>(
    name: &'static str,
    message: &mut Message<'_, 'm>,
) -> Result<Vec<A>, Failure> {
    let mut items = Vec::new();
    while let Some(first) = message.next_word() {
        items.push(A::read(name, first, message)?);
    }
    Ok(items)
}

pub(super) fn parse<'m, A: Word<'m, By>, By>(name: &'static str, word: &'m [u8]) -> Result<A, Failure> {
    A::read(word).map_err(|error| Failure::Refused(CommandError::invalid(name, word, error)))
}
