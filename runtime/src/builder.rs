//! Options at run time.

use std::fmt;
use std::io;

use crate::base::Base;
use crate::extract::RequestOf;
use crate::handler::SocketServer;
use crate::hooks::Hooks;
use crate::mixin::MixIn;
use crate::options::Options;
use crate::server::{Server, Steps};
use crate::transport::{Endpoint, Transport};

/// A server whose options are set at run time, on top of those of the attribute.
///
/// Each option is a method of the same name, with the same default, and exists where it fits the composition.
/// CPython: class attributes, which have to be set before the constructor binds.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
/// use std::time::Duration;
///
/// #[socket_server(tcp, threading, max_threads = 64)]
/// struct Quiet;
///
/// #[handler]
/// impl Quiet {
///     fn handle(&self) {}
/// }
///
/// let server = Quiet.builder().max_threads(8).read_timeout(Duration::from_secs(5)).bind("127.0.0.1:0")?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a builder does nothing until `bind`"]
pub struct Builder<S, T = <S as SocketServer>::Transport, M = <S as SocketServer>::MixIn> {
    service: S,
    pub(crate) options: Options,
    steps: Steps<S, T, M>,
}

impl<S, T, M> Builder<S, T, M>
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    pub(crate) fn new(service: S) -> Self {
        Self { service, options: S::options().of_mix_in::<M>(), steps: Steps::new() }
    }
}

impl<S, T: Transport, M> Builder<S, T, M> {
    /// Binds the server to `address`; see [`Server::bind`].
    ///
    /// # Errors
    ///
    /// Those of [`Server::bind`].
    pub fn bind<Kind>(self, address: impl Endpoint<T, Kind>) -> io::Result<Server<S, T, M>> {
        self.options.check()?;
        let listener = address.open(&self.options)?;
        Ok(Server::new(Base::new(self.service, listener, self.options), self.steps))
    }
}

/// `builder` of a struct with the attribute.
pub fn builder<S: SocketServer + Hooks<Request = RequestOf<S>>>(service: S) -> Builder<S> {
    Builder::new(service)
}

impl<S, T, M> fmt::Debug for Builder<S, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).finish_non_exhaustive()
    }
}
