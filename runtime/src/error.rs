//! What a handler's failure is told as.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Any error that a hook returns.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// An error that a request can fail with. All that convert to a [`BoxError`] have it; it is there for what is said of
/// the others.
///
/// ```
/// use socketserver::{BoxError, IntoBoxError};
/// use std::io;
///
/// fn is_one(_: impl IntoBoxError) {}
/// is_one(io::Error::other("lost"));
/// is_one(BoxError::from("lost"));
/// is_one("lost");
/// ```
#[diagnostic::on_unimplemented(
    message = "a request cannot fail with `{Self}`",
    label = "expected an error that is `Into<Box<dyn Error + Send + Sync>>`",
    note = "`std::io::Error` is one, a `String`, and each type that implements `std::error::Error`",
    note = "an error in a box crosses threads: write `Box<dyn Error + Send + Sync>` for `Box<dyn Error>`"
)]
pub trait IntoBoxError: Into<BoxError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> IntoBoxError for E {}

/// Why a request failed, as [`Hooks::handle_error`](crate::Hooks::handle_error) gets it.
///
/// It tells which hook failed first and how, and keeps a later error of `finish` too, of which CPython shows only
/// the later. A panic in a hook is contained, and is an error like any other.
///
/// ```
/// use socketserver::{HandlerError, Hook};
/// use std::error::Error;
/// use std::io;
///
/// let error = HandlerError::from(io::Error::from(io::ErrorKind::BrokenPipe));
/// assert_eq!(error.hook(), Hook::Handle);
/// assert!(error.is_peer_gone());
/// assert_eq!(error.to_string(), "`handle` failed: broken pipe");
/// assert!(error.source().is_some());
/// ```
#[derive(Debug)]
pub struct HandlerError {
    // Boxed, so that the `Result` of every request is small.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    hook: Hook,
    failure: Failure,
    finish: Option<HandlerError>,
}

#[derive(Debug)]
enum Failure {
    Returned(BoxError),
    Panicked(String),
}

/// The three hooks of a handler.
///
/// ```
/// assert_eq!(socketserver::Hook::Setup.to_string(), "setup");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// Before the request is handled. If it fails, neither `handle` nor `finish` runs.
    Setup,
    /// The request itself.
    Handle,
    /// After the request, also after a failed `handle`; and sending what was still gathered.
    Finish,
}

impl HandlerError {
    /// The failure of `hook`, because of `source`.
    pub fn new(hook: Hook, source: impl Into<BoxError>) -> Self {
        Self::of(hook, Failure::Returned(source.into()))
    }

    pub(crate) fn panicked(hook: Hook, payload: Box<dyn Any + Send>) -> Self {
        Self::of(hook, Failure::Panicked(panic_message(payload)))
    }

    fn of(hook: Hook, failure: Failure) -> Self {
        Self { inner: Box::new(Inner { hook, failure, finish: None }) }
    }

    pub(crate) fn and_finish(mut self, later: HandlerError) -> Self {
        self.inner.finish = Some(later);
        self
    }

    /// The hook that failed; the first, if `finish` failed too.
    pub fn hook(&self) -> Hook {
        self.inner.hook
    }

    /// Whether the hook panicked. There is no source then; the message is the panic's.
    pub fn is_panic(&self) -> bool {
        matches!(self.inner.failure, Failure::Panicked(_))
    }

    /// The error of `finish`, where that failed after `handle` had.
    pub fn finish_error(&self) -> Option<&HandlerError> {
        self.inner.finish.as_ref()
    }

    /// Whether it only says that the peer went away: an [`io::Error`], anywhere among the sources, of the kind
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe), [`ConnectionReset`](io::ErrorKind::ConnectionReset) or
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted).
    ///
    /// That is a peer's everyday right, and the default [`handle_error`](crate::Hooks::handle_error) says nothing
    /// about it.
    pub fn is_peer_gone(&self) -> bool {
        let mut source = self.source();
        while let Some(error) = source {
            let io = error.downcast_ref::<io::Error>();
            if io.is_some_and(says_peer_gone) {
                return true;
            }
            // The source of an `io::Error` is that of the error inside, which would be passed over.
            source = match io.and_then(io::Error::get_ref) {
                Some(inside) => Some(inside),
                None => error.source(),
            };
        }
        false
    }
}

fn says_peer_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionReset | ConnectionAborted)
}

/// A failure of `handle`, so that one who implements [`Handler`](crate::Handler) by hand can use `?`.
impl From<io::Error> for HandlerError {
    fn from(error: io::Error) -> Self {
        Self::new(Hook::Handle, error)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = self.inner.hook;
        match &self.inner.failure {
            Failure::Returned(error) => write!(f, "`{hook}` failed: {error}")?,
            Failure::Panicked(message) => write!(f, "`{hook}` panicked: {message}")?,
        }
        match &self.inner.finish {
            Some(later) => write!(f, "; then {later}"),
            None => Ok(()),
        }
    }
}

impl Error for HandlerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.inner.failure {
            Failure::Returned(error) => Some(&**error),
            Failure::Panicked(_) => None,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup => "setup",
            Self::Handle => "handle",
            Self::Finish => "finish",
        })
    }
}

/// The system refuses a thread: by itself the error is a bare "Resource temporarily unavailable".
pub(crate) fn no_thread(error: &io::Error) -> io::Error {
    io::Error::other(format!("cannot start a thread: {error}"))
}

/// What was panicked with, if it is text, as it nearly always is.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else {
        // Its destructor may panic too, and what that panics with again.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        "a value that is not text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_errors_are_told_the_first_first() {
        let error = HandlerError::new(Hook::Handle, "first").and_finish(HandlerError::new(Hook::Finish, "second"));
        assert_eq!(error.hook(), Hook::Handle);
        assert_eq!(error.to_string(), "`handle` failed: first; then `finish` failed: second");
        assert_eq!(error.finish_error().map(HandlerError::hook), Some(Hook::Finish));
    }

    #[test]
    fn a_panic_is_told_by_its_message_whatever_it_was_thrown_with() {
        let told = |payload: Box<dyn Any + Send>| HandlerError::panicked(Hook::Setup, payload).to_string();
        assert_eq!(told(Box::new("static")), "`setup` panicked: static");
        assert_eq!(told(Box::new("owned".to_owned())), "`setup` panicked: owned");
        assert_eq!(told(Box::new(7)), "`setup` panicked: a value that is not text");
    }

    #[test]
    fn the_peer_is_gone_however_deep_the_error_is_that_says_so() {
        let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(HandlerError::from(reset()).is_peer_gone());
        assert!(HandlerError::new(Hook::Finish, io::Error::other(reset())).is_peer_gone());
        assert!(!HandlerError::from(io::Error::from(io::ErrorKind::TimedOut)).is_peer_gone());
        assert!(!HandlerError::new(Hook::Handle, "no").is_peer_gone());
    }
}
