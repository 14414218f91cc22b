//! What a command or a message is answered with.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;

use super::answer::Answer;
use super::argument::Rest;
use super::reply_value::ReplyValue;
use crate::error::IntoBoxError;

/// What a `#[command]`, a `#[message]`, `#[otherwise]` or `#[on_error]` may return: what the peer is answered with.
///
/// | type | reply |
/// |---|---|
/// | `()` | nothing |
/// | strings, numbers, `bool`, `char` | a message: with the frame [`Line`](crate::Line), a line |
/// | `&[u8]`, `Vec<u8>`, `Arc<[u8]>` | a message |
/// | [`Raw`] | bytes as they are, without a frame |
/// | `Option<R>` | that of its value, or an empty message |
/// | `Vec<R>` | that of each; nothing for none, so a peer that is to know where they end needs a last one |
/// | `Result<R, E>` | that of its value, or what `#[on_error]` makes of the error |
/// | `Vec<Result<R, E>>` | that of all values, or of the first error alone |
/// | [`Close<R>`](Close) | that of its value, and then the end of the connection |
///
/// A frame may tell its peer whether a reply is a number, a list or nothing: [`Resp`](crate::Resp) does.
///
/// Each message of a `Vec` is written by itself. Where another thread writes to a [clone](crate::Writer::try_clone) of
/// the writer, what it writes may come between two of them, and under `Resp` amid an array: send such a list as one
/// [`Raw`] reply then, or let one thread write.
///
/// Types of your own implement it:
///
/// ```
/// use socketserver::{Answer, Reply};
/// use std::io;
///
/// struct Point {
///     x: i32,
///     y: i32,
/// }
///
/// impl Reply for Point {
///     fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
///         answer.message_fmt(format_args!("{} {}", self.x, self.y))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reply",
    label = "not something that a peer can be answered with",
    note = "strings and numbers are, `()` for no reply, `Option`, `Vec`, `Result` and `Close` of such, `Raw` bytes, and your own types that implement `Reply`"
)]
pub trait Reply: Sized {
    /// Writes the reply.
    ///
    /// # Errors
    ///
    /// What sending says.
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()>;

    /// Writes a `Vec` of them. It is what makes a `Vec<u8>` one message of bytes, not many of numbers.
    #[doc(hidden)]
    fn reply_all(replies: Vec<Self>, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.value(ReplyValue::List(replies.len()))?;
        replies.into_iter().try_for_each(|reply| reply.reply(answer))
    }
}

/// A reply after which the connection ends: `Close("bye")`. On a transport of packets it is just the reply.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Close, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::TcpStream;
///
/// #[socket_server(tcp, threading)]
/// struct Brief;
///
/// #[handler]
/// impl Brief {
///     #[command]
///     fn quit(&self) -> Close<&'static str> {
///         Close("bye")
///     }
/// }
///
/// let server = Brief.bind("127.0.0.1:0")?.start()?;
/// let mut client = TcpStream::connect(server.local_address())?;
/// client.write_all(b"quit\n")?;
/// assert_eq!(io::read_to_string(client)?, "bye\n");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<R = ()>(pub R);

impl<R: Reply> Reply for Close<R> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        self.0.reply(answer)?;
        answer.close();
        Ok(())
    }
}

/// A reply of bytes as they are, in no frame and without a line ending.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Raw, handler, socket_server};
/// use std::io::{self, Write};
/// use std::net::{Shutdown, TcpStream};
///
/// #[socket_server(tcp, threading)]
/// struct Asking;
///
/// #[handler]
/// impl Asking {
///     #[command]
///     fn ask(&self) -> Raw<&'static str> {
///         Raw("? ")
///     }
/// }
///
/// let server = Asking.bind("127.0.0.1:0")?.start()?;
/// let mut client = TcpStream::connect(server.local_address())?;
/// client.write_all(b"ask\n")?;
/// client.shutdown(Shutdown::Write)?;
/// assert_eq!(io::read_to_string(client)?, "? ");
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<B>(pub B);

impl<B: AsRef<[u8]>> Reply for Raw<B> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.write_all(self.0.as_ref())
    }
}

impl Reply for () {
    fn reply(self, _: &mut Answer<'_>) -> io::Result<()> {
        Ok(())
    }

    /// No list either: a peer would wait for what is in it.
    fn reply_all(_: Vec<Self>, _: &mut Answer<'_>) -> io::Result<()> {
        Ok(())
    }
}

impl<R: Reply> Reply for Option<R> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        match self {
            Some(reply) => reply.reply(answer),
            None => answer.value(ReplyValue::Nothing),
        }
    }
}

impl<R: Reply> Reply for Vec<R> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        R::reply_all(self, answer)
    }
}

impl<R: Reply, E: IntoBoxError> Reply for Result<R, E> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        match self {
            Ok(reply) => reply.reply(answer),
            Err(error) => {
                answer.fail(error);
                Ok(())
            }
        }
    }

    /// A list of values or an error, not a list with errors in it: they are answered one at a time, and behind the
    /// list.
    fn reply_all(results: Vec<Self>, answer: &mut Answer<'_>) -> io::Result<()> {
        results.into_iter().collect::<Result<Vec<_>, _>>().reply(answer)
    }
}

impl Reply for u8 {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.value(ReplyValue::Integer(self.into()))
    }

    fn reply_all(bytes: Vec<Self>, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message(&bytes)
    }
}

impl Reply for &[u8] {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message(self)
    }
}

impl Reply for Arc<[u8]> {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message(&self)
    }
}

macro_rules! strings {
    ($($string:ty)*) => {$(
        impl Reply for $string {
            fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
                answer.message(self.as_bytes())
            }
        }
    )*};
}

strings!(&str String &String Box<str> Arc<str> Cow<'_, str> Rest<'_>);

macro_rules! shown {
    ($($shown:ty)*) => {$(
        impl Reply for $shown {
            fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
                answer.message_fmt(format_args!("{self}"))
            }
        }
    )*};
}

shown!(f32 f64 char fmt::Arguments<'_>);

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Reply for $integer {
            fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
                match self.try_into() {
                    Ok(number) => answer.value(ReplyValue::Integer(number)),
                    Err(_) => answer.message_fmt(format_args!("{self}")),
                }
            }
        }
    )*};
}

integers!(u64 i128 u128 isize usize);

macro_rules! small_integers {
    ($($integer:ty)*) => {$(
        impl Reply for $integer {
            fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
                answer.value(ReplyValue::Integer(self.into()))
            }
        }
    )*};
}

small_integers!(i8 i16 u16 i32 u32 i64);

impl Reply for bool {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.value(ReplyValue::Boolean(self))
    }
}
