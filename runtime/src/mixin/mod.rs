//! Who processes a request: the loop's own thread, a thread of its own, or a child process of its own.

mod crew;
mod forking;
mod iterative;
mod rush;
mod threading;

use std::io;
use std::time::Duration;

pub use forking::Forking;
pub use iterative::Iterative;
pub use threading::Threading;

pub(crate) use forking::Children;

use crate::hooks::Hooks;
use crate::server::Server;
use crate::transport::Transport;

/// Who processes a request: [`Iterative`], [`Threading`] or [`Forking`].
///
/// CPython: no mix-in, `ThreadingMixIn`, `ForkingMixIn`, and their `process_request`. There are no others, so the
/// trait cannot be implemented.
///
/// ```
/// use socketserver::{MixIn, Threading};
/// assert_eq!(Threading::NAME, "threading");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a mix-in",
    note = "the mix-ins are `Iterative`, `Threading` and `Forking`"
)]
pub trait MixIn: Process {
    /// The word for it in the attribute, as in `#[socket_server(tcp, threading)]`.
    const NAME: &'static str;
}

/// A mix-in that processes several requests at once: [`Threading`] and [`Forking`].
pub trait Concurrent: MixIn {}

/// How a mix-in runs a server.
pub trait Process: Sized + Send + Sync + 'static {
    /// How long a read waits, unless the server says.
    #[doc(hidden)]
    const READ_TIMEOUT: Option<Duration> = None;

    /// Serves until a shutdown, and then until all is done.
    #[doc(hidden)]
    fn serve_forever<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport;

    /// Takes one request and has it processed; `false`: none came within `timeout`.
    #[doc(hidden)]
    fn handle_request<S, T>(server: &Server<S, T, Self>) -> io::Result<bool>
    where
        S: Hooks<Request = T::Request>,
        T: Transport;

    /// Ends what `handle_request` has left in progress.
    #[doc(hidden)]
    fn close<S, T>(server: &Server<S, T, Self>) -> io::Result<()>
    where
        S: Hooks<Request = T::Request>,
        T: Transport;
}
