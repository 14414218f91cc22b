//! The arguments of commands and messages, each asked for by its type.

use std::fmt;
use std::ops::Deref;
use std::str;

use super::command_name::CommandName;
use super::error::CommandError;
use super::message::{Failure, Message};
use super::one_or_more::OneOrMore;
use super::word::{Item, Word, all, parse};
use crate::extract::{Argument, Parts, by};
use crate::handler::RequestHandler;

/// The rest of a message, as it stands: what follows the arguments before it. It derefs to `str`, and may be empty.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Rest, handler, socket_server};
///
/// #[socket_server(tcp, threading)]
/// struct Parrot;
///
/// #[handler]
/// impl Parrot {
///     /// `say 3 what  you want`
///     #[command]
///     fn say(&self, times: usize, what: Rest) -> Vec<String> {
///         vec![what.to_string(); times.min(10)]
///     }
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest<'m>(&'m str);

impl Deref for Rest<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An argument of a `#[command]`, `#[message]`, `#[otherwise]` or `#[on_error]`. `By` keeps the ways apart in which it
/// can come, which buys that all are asked for alike; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "a command of a `{T}` server cannot ask for `{Self}`",
    label = "neither parsed from a word of the message, nor something that a `{T}` server has to give",
    note = "from the message: any type that implements `FromStr` with an error that is `Into<Box<dyn Error + Send + Sync>>`, `&str`, `&[u8]`, an `Option`, a `Vec` or a `OneOrMore` of such, the last two of pairs too, and `Rest`; `CommandName`; in an `#[on_error]`, `&CommandError`",
    note = "from the request: `&mut Reader`, `&mut Writer`, `&Address`, `&ShutdownHandle`, the server itself as `&{S}`, and your own types that implement `FromRequest<{T}>`; on streams `&mut Connection`, on packets `&mut Datagram`"
)]
pub trait MessageArgument<'m, 'r, S: RequestHandler, T, By>: Sized {
    /// How a command shows that it takes it.
    const SHAPE: Shape;

    /// Makes it, if it is one that is made, from the message or from the request as a whole.
    ///
    /// # Errors
    ///
    /// The message does not have it, or why it could not be made.
    fn make(
        name: &'static str,
        message: &mut Message<'_, 'm>,
        parts: &mut Parts<'r, S>,
    ) -> Result<Option<Self>, Failure>;

    /// Takes it from the request's parts, if it is one that is lent.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn lend(parts: &mut Parts<'r, S>) -> Result<Self, Failure>;
}

/// How an argument is shown by the command `help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not from the message.
    None,
    /// `KEY`
    Required,
    /// `[BY]`
    Optional,
    /// `KEYS...`
    Several,
}

/// How an argument comes out of a message.
pub(crate) mod from {
    use std::marker::PhantomData;

    /// One word of it; `By` says how the word is read.
    #[derive(Debug)]
    pub struct Word<By>(PhantomData<By>);

    /// One word, if there is one more.
    #[derive(Debug)]
    pub struct Optional<By>(PhantomData<By>);

    /// All words that there are.
    #[derive(Debug)]
    pub struct Several<By>(PhantomData<By>);

    /// All words that there are, and there is one.
    #[derive(Debug)]
    pub struct AtLeastOne<By>(PhantomData<By>);

    /// All that is left, as it stands.
    #[derive(Debug)]
    pub struct Remainder;

    /// The name before the words.
    #[derive(Debug)]
    pub struct Name;

    /// The error that is to be answered.
    #[derive(Debug)]
    pub struct Error;
}

/// What may come next in the list of arguments.
pub mod order {
    /// The arguments of a command: anything.
    #[derive(Debug, Default)]
    pub struct Words;

    /// After an optional one: no required one.
    #[derive(Debug, Default)]
    pub struct AfterOptional;

    /// A `#[message]` or `#[otherwise]`: the message, once.
    #[derive(Debug, Default)]
    pub struct Whole;

    /// An `#[on_error]`: the error.
    #[derive(Debug, Default)]
    pub struct OnError;

    /// No list of arguments is ever here. It keeps the compiler from taking for given the state that is the only one in
    /// which an argument may stand, and from an error in terms of states.
    #[derive(Debug, Default)]
    pub struct Never;

    /// Nothing is left of the message.
    #[derive(Debug, Default)]
    pub struct Nothing;
}

/// Whether an argument may stand where it does, after arguments that left `Before`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand here",
    label = "the arguments before it leave nothing for it, or there is no message to take it from",
    note = "a command takes what it requires first, then each `Option`, and last one `Vec` or a `Rest`; or last of what it requires a `OneOrMore`",
    note = "a `#[message]` and an `#[otherwise]` take their message once, and whole: as `&[u8]`, `&str`, `Rest`, or what implements `FromStr`; an `#[on_error]`, and nothing else, takes `&CommandError`"
)]
pub trait Placed<By, Before, Left> {}

#[diagnostic::do_not_recommend]
impl<A, By: Follows<Before, Left>, Before, Left> Placed<By, Before, Left> for A {}

/// The same of how an argument comes. What it leaves is a parameter and not an associated type, so that an argument
/// that cannot stand where it does is one error and not two.
pub trait Follows<Before, Left> {}

macro_rules! follows {
    ($(impl$(<$word:ident>)? $before:ident => $left:ident for $by:ty;)*) => {$(
        impl$(<$word>)? Follows<order::$before, order::$left> for $by {}
    )*};
}

follows! {
    impl<By> Words => Words for from::Word<By>;
    impl<By> Words => AfterOptional for from::Optional<By>;
    impl<By> Words => Nothing for from::Several<By>;
    impl<By> Words => Nothing for from::AtLeastOne<By>;
    impl<By> Never => Never for from::AtLeastOne<By>;
    impl Words => Words for from::Name;
    impl Words => Nothing for from::Remainder;
    impl<By> AfterOptional => AfterOptional for from::Optional<By>;
    impl<By> AfterOptional => Nothing for from::Several<By>;
    impl AfterOptional => AfterOptional for from::Name;
    impl AfterOptional => Nothing for from::Remainder;
    impl<By> Whole => Nothing for from::Word<By>;
    impl Whole => Nothing for from::Remainder;
    impl OnError => OnError for from::Error;
    impl Never => Never for from::Error;
}

/// What a request gives leaves everything of the message.
impl<Before> Follows<Before, Before> for by::Reference {}

impl<Before> Follows<Before, Before> for by::Value {}

/// The next argument of the list, made if it is one that is made, and what may come after it.
///
/// # Errors
///
/// As [`MessageArgument::make`].
pub fn make<'m, 'r, A, S, T, By, Before, Left>(
    _: Before,
    name: &'static str,
    message: &mut Message<'_, 'm>,
    parts: &mut Parts<'r, S>,
) -> Result<(Option<A>, Left), Failure>
where
    A: MessageArgument<'m, 'r, S, T, By> + Placed<By, Before, Left>,
    S: RequestHandler,
    Left: Default,
{
    Ok((A::make(name, message, parts)?, Left::default()))
}

/// The one that was made, or else one that is lent.
///
/// # Errors
///
/// As [`MessageArgument::lend`].
pub fn or_lend<'m, 'r, A, S, T, By>(made: Option<A>, parts: &mut Parts<'r, S>) -> Result<A, Failure>
where
    A: MessageArgument<'m, 'r, S, T, By>,
    S: RequestHandler,
{
    made.map_or_else(|| A::lend(parts), Ok)
}

/// How the command `help` shows an argument.
pub fn shape<'m, 'r, A, S, T, By>() -> Shape
where
    A: MessageArgument<'m, 'r, S, T, By>,
    S: RequestHandler,
{
    A::SHAPE
}

#[diagnostic::do_not_recommend]
impl<'r, S, T, A> MessageArgument<'_, 'r, S, T, by::Reference> for A
where
    S: RequestHandler,
    A: Argument<'r, S, T, by::Reference>,
{
    const SHAPE: Shape = Shape::None;

    fn make(_: &'static str, _: &mut Message<'_, '_>, _: &mut Parts<'r, S>) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    fn lend(parts: &mut Parts<'r, S>) -> Result<Self, Failure> {
        A::take(parts).map_err(Failure::Ended)
    }
}

#[diagnostic::do_not_recommend]
impl<'r, S, T, A> MessageArgument<'_, 'r, S, T, by::Value> for A
where
    S: RequestHandler,
    A: Argument<'r, S, T, by::Value>,
{
    const SHAPE: Shape = Shape::None;

    fn make(_: &'static str, _: &mut Message<'_, '_>, parts: &mut Parts<'r, S>) -> Result<Option<Self>, Failure> {
        A::take(parts).map(Some).map_err(Failure::Ended)
    }

    fn lend(parts: &mut Parts<'r, S>) -> Result<Self, Failure> {
        A::take(parts).map_err(Failure::Ended)
    }
}

/// The arguments that come from the message: all are made, and none is lent.
macro_rules! from_message {
    ($([$($generics:tt)*] $by:ty => $argument:ty: $shape:expr, |$name:ident, $message:ident| $make:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<'m, 'r, S: RequestHandler, T, $($generics)*> MessageArgument<'m, 'r, S, T, $by> for $argument {
            const SHAPE: Shape = $shape;

            fn make(
                $name: &'static str,
                $message: &mut Message<'_, 'm>,
                _: &mut Parts<'r, S>,
            ) -> Result<Option<Self>, Failure> {
                $make
            }

            fn lend(_: &mut Parts<'r, S>) -> Result<Self, Failure> {
                unreachable!("an argument of a message was not made")
            }
        }
    )*};
}

from_message! {
    [A: Word<'m, By>, By] from::Word<By> => A: Shape::Required, |name, message| {
        match message.next_word() {
            Some(word) => parse(name, word).map(Some),
            None => Err(Failure::Refused(CommandError::missing(name))),
        }
    };

    [A: Word<'m, By>, By] from::Optional<By> => Option<A>: Shape::Optional, |name, message| {
        message.next_word().map(|word| parse(name, word)).transpose().map(Some)
    };

    [A: Item<'m, By>, By] from::Several<By> => Vec<A>: Shape::Several, |name, message| all(name, message).map(Some);

    [A: Item<'m, By>, By] from::AtLeastOne<By> => OneOrMore<A>: Shape::Several, |name, message| {
        match all(name, message)? {
            none if none.is_empty() => Err(Failure::Refused(CommandError::missing(name))),
            some => Ok(Some(Self(some))),
        }
    };

    [] from::Name => CommandName: Shape::None, |_name, message| Ok(Some(Self(message.command())));

    [] from::Remainder => Rest<'m>: Shape::Several, |name, message| {
        let rest = message.rest();
        match str::from_utf8(rest) {
            Ok(rest) => Ok(Some(Self(rest))),
            Err(error) => Err(Failure::Refused(CommandError::invalid(name, rest, error.into()))),
        }
    };

    [] from::Error => &'m CommandError: Shape::None, |_name, message| Ok(message.error());
}
