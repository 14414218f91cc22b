//! What a server lets its owner decide, beside handling the requests.

use std::io;
use std::process::ExitStatus;

use crate::address::Address;
use crate::error::HandlerError;
use crate::handler::{Handler, Shared};
use crate::report;

/// The server's own hooks, each with a default.
///
/// `#[socket_server(.., hooks)]` says that you write the `impl`; without the word the server has the defaults.
/// CPython: the methods of the same names that a subclass of `BaseServer` overrides.
///
/// Under `threading` those that concern a request run in its thread, several at once. A panic in any of them is
/// contained and reported, and the server goes on.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{Connection, Hooks, handler, socket_server};
///
/// #[socket_server(tcp, threading, hooks)]
/// struct LocalOnly;
///
/// impl Hooks for LocalOnly {
///     fn verify_request(&self, request: &Connection) -> bool {
///         request.peer_address().socket_addr().is_some_and(|peer| peer.ip().is_loopback())
///     }
/// }
///
/// #[handler]
/// impl LocalOnly {
///     fn handle(&self) {}
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the server `{Self}` has no `impl Hooks`",
    label = "nobody has written its hooks",
    note = "write `impl Hooks for {Self} {{ .. }}`, be it empty; without the word `hooks` in the attribute it has the defaults"
)]
pub trait Hooks: Handler {
    /// Whether the request is to be handled. Default: `true`. One that is refused is shut down and closed.
    ///
    /// Under `iterative` and `forking`, and in [`handle_request`](crate::Server::handle_request), it runs in the loop,
    /// which takes no other request meanwhile: there it should not wait for anybody. A panic refuses.
    #[expect(unused_variables, reason = "the default does not look")]
    fn verify_request(&self, request: &Self::Request) -> bool {
        true
    }

    /// A request failed. Default: one line, to the crate `log` where that feature is on and a logger is installed,
    /// else to the standard error; nothing if only [the peer went away](HandlerError::is_peer_gone).
    ///
    /// Under `forking` it runs in the child.
    fn handle_error(&self, error: &HandlerError, peer: &Address) {
        if !error.is_peer_gone() {
            report::error(format_args!("request from {peer}: {error}"));
        }
    }

    /// [`handle_request`](crate::Server::handle_request) has waited for the option `timeout` in vain. Default: nothing.
    fn handle_timeout(&self) {}

    /// Called for each request taken, after `verify_request` and before its handler, and every `service_interval` if
    /// that is set. Default: nothing.
    fn service_actions(&self) {}

    /// accept(2) or recv(2) failed, or a request was taken and closed for want of a child or, in
    /// [`handle_request`](crate::Server::handle_request), of a thread. Default: one line, as for
    /// [`handle_error`](Self::handle_error), and not more than one in a second.
    ///
    /// The server goes on by itself: at once after an error that concerns one connection, after a pause of 5 ms to
    /// 1 s while the system is out of descriptors or memory, or if such errors do not end. One that means that the
    /// listener is gone is not told here: [`serve_forever`](crate::Server::serve_forever) returns it. CPython passes
    /// over these errors, and spins.
    fn accept_error(&self, error: &io::Error) {
        report::at_most_once_a_second(format_args!("cannot take a request: {error}"));
    }

    /// A child of a `forking` server has ended and was waited for. Default: one line if a signal ended it.
    ///
    /// The status is 0 if the request was handled, 1 if its handler failed, or what the handler itself exited with. It
    /// is not called for a child that somebody else has waited for, as the system does where `SIGCHLD` is ignored.
    /// CPython tells nobody.
    fn child_exited(&self, pid: u32, status: ExitStatus) {
        if status.code().is_none() {
            report::error(format_args!("child {pid} ended by {status}"));
        }
    }
}

/// [`Shared`], and what `#[socket_server]` writes instead of it without the word `hooks`.
pub trait DefaultHooks: Shared {}

impl<S: DefaultHooks> Shared for S {}

#[diagnostic::do_not_recommend]
impl<S: Handler + DefaultHooks> Hooks for S {}
