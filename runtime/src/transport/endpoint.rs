//! What a server can be bound to.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::{self, Debug};
use std::io;
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net as unix;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::listener::Listener;
use super::path::{self, BoundPath, DirectoryLock};
use super::{Tcp, Transport, Udp, UnixDatagram, UnixStream, datagram, stream};
use crate::options::Options;

/// What a server of transport `T` can be bound to.
///
/// | transport | an address | a socket that is bound already |
/// |---|---|---|
/// | [`Tcp`] | anything [`ToSocketAddrs`] that is `Debug` | [`TcpListener`], [`socket2::Socket`] |
/// | [`Udp`] | the same | [`UdpSocket`], [`socket2::Socket`] |
/// | [`UnixStream`] | a path, or `@name` | [`UnixListener`](unix::UnixListener), [`socket2::Socket`] |
/// | [`UnixDatagram`] | the same | [`UnixDatagram`](unix::UnixDatagram), [`socket2::Socket`] |
///
/// A name has several addresses at times: the first that can be bound is taken. `@name` is a name in the abstract
/// namespace of Linux and Android; elsewhere it is a path like any other. A path where a dead server has left its
/// socket is bound anew; where a server listens, or what is there is no socket, is an
/// [`AddrInUse`](io::ErrorKind::AddrInUse) error.
///
/// A socket that is given may be shared with other processes, as after socket activation, so its path stays where it
/// is and it is not shut down; it is made non-blocking. What concerns the bind is as its owner has set it, and the
/// options `backlog`, `reuse_address`, `reuse_port`, `only_v6` and `socket_mode` change nothing. CPython:
/// `server_bind`, `server_activate` and `bind_and_activate=False`.
///
/// `Kind` tells addresses from sockets and is always inferred. It buys that both can be given to the same `bind`,
/// although the standard library could declare a socket to be an address one day.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{handler, socket_server};
/// use std::net::{Ipv6Addr, TcpListener};
///
/// #[socket_server(tcp)]
/// struct Discard;
///
/// #[handler]
/// impl Discard {
///     fn handle(&self) {}
/// }
///
/// Discard.bind("127.0.0.1:0")?;
/// Discard.bind((Ipv6Addr::LOCALHOST, 0))?;
/// Discard.bind(TcpListener::bind("127.0.0.1:0")?)?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{T}` server cannot be bound to `{Self}`",
    label = "neither an address nor a socket of a `{T}` server",
    note = "`Tcp` and `Udp` take what `ToSocketAddrs` takes, such as \"127.0.0.1:9999\" or (\"::1\", 9999)",
    note = "`UnixStream` and `UnixDatagram` take a path, or \"@name\" for the abstract namespace",
    note = "all take a bound socket: of `std::net`, `std::os::unix::net`, or `socket2::Socket`"
)]
pub trait Endpoint<T: Transport, Kind = kind::Address> {
    /// Makes the socket, bound and, where connections are to be accepted, listening.
    ///
    /// # Errors
    ///
    /// What the system says about the address, in a message that names it: in use, not available, not permitted, not
    /// understood. [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is empty or has a NUL byte in it, and
    /// for a socket of another transport or one that does not listen.
    fn open(self, options: &Options) -> io::Result<Listener>;
}

/// The two kinds of [`Endpoint`].
pub mod kind {
    /// An address to bind to.
    #[derive(Clone, Copy, Debug)]
    pub struct Address;

    /// A socket that is bound already.
    #[derive(Clone, Copy, Debug)]
    pub struct Socket;
}

impl<A: ToSocketAddrs + Debug> Endpoint<Tcp, kind::Address> for A {
    fn open(self, options: &Options) -> io::Result<Listener> {
        open_internet(&self, |address| {
            let socket = stream::internet_socket(address, options)?;
            socket.bind(address)?;
            stream::set_nodelay(&socket, options)?;
            stream::listen(&socket, options)?;
            Listener::new(socket, false, None, options)
        })
    }
}

impl<A: ToSocketAddrs + Debug> Endpoint<Udp, kind::Address> for A {
    fn open(self, options: &Options) -> io::Result<Listener> {
        open_internet(&self, |address| {
            let socket = datagram::internet_socket(address, options)?;
            socket.bind(address)?;
            Listener::new(socket, false, None, options)
        })
    }
}

impl<P: AsRef<Path>> Endpoint<UnixStream, kind::Address> for P {
    fn open(self, options: &Options) -> io::Result<Listener> {
        open_unix(self.as_ref(), |name| {
            let socket = stream::unix_socket()?;
            let path = name.bind(&socket, options)?;
            stream::listen(&socket, options)?;
            Listener::new(socket, false, path, options)
        })
    }
}

impl<P: AsRef<Path>> Endpoint<UnixDatagram, kind::Address> for P {
    fn open(self, options: &Options) -> io::Result<Listener> {
        open_unix(self.as_ref(), |name| {
            let socket = datagram::unix_socket()?;
            let path = name.bind(&socket, options)?;
            Listener::new(socket, false, path, options)
        })
    }
}

/// One transport's sockets: `socket2`'s, which is checked, and the standard library's.
macro_rules! sockets {
    ($($transport:ty, $std:ty, $type:expr, $domains:expr;)*) => {$(
        impl Endpoint<$transport, kind::Socket> for Socket {
            fn open(self, options: &Options) -> io::Result<Listener> {
                check_given(&self, $type, $domains)
                    .and_then(|()| Listener::new(self, true, None, options))
                    .map_err(|error| CannotBind::error("the socket that was given".into(), error))
            }
        }

        impl Endpoint<$transport, kind::Socket> for $std {
            fn open(self, options: &Options) -> io::Result<Listener> {
                Endpoint::<$transport, kind::Socket>::open(Socket::from(self), options)
            }
        }
    )*};
}

sockets! {
    Tcp, TcpListener, Type::STREAM, &[Domain::IPV4, Domain::IPV6];
    Udp, UdpSocket, Type::DGRAM, &[Domain::IPV4, Domain::IPV6];
    UnixStream, unix::UnixListener, Type::STREAM, &[Domain::UNIX];
    UnixDatagram, unix::UnixDatagram, Type::DGRAM, &[Domain::UNIX];
}

/// What is set before binding on the sockets of both Internet transports.
pub(super) fn set_internet_options(
    socket: &Socket,
    address: &SockAddr,
    options: &Options,
    reuse_address: bool,
) -> io::Result<()> {
    socket.set_reuse_address(reuse_address)?;
    socket.set_reuse_port(options.reuse_port)?;
    if address.is_ipv6() {
        socket.set_only_v6(options.only_v6)?;
    }
    Ok(())
}

/// Opens the first of the addresses that can be, as `std` does; the error is that of the last.
fn open_internet(
    address: &(impl ToSocketAddrs + Debug),
    open: impl Fn(&SockAddr) -> io::Result<Listener>,
) -> io::Result<Listener> {
    let candidates = address.to_socket_addrs().map_err(|error| CannotBind::error(format!("{address:?}"), error))?;
    let nothing = io::Error::new(io::ErrorKind::InvalidInput, "it stands for no address");
    let mut last = CannotBind::error(format!("{address:?}"), nothing);
    for candidate in candidates {
        match open(&candidate.into()) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = CannotBind::error(candidate.to_string(), error),
        }
    }
    Err(last)
}

fn open_unix(path: &Path, open: impl FnOnce(Name<'_>) -> io::Result<Listener>) -> io::Result<Listener> {
    let name = Name::new(path);
    let _lock = matches!(name, Ok(Name::Path(_))).then(|| DirectoryLock::take(path));
    name.and_then(open).map_err(|error| CannotBind::error(path.display().to_string(), error))
}

/// The name of a Unix-domain socket.
enum Name<'a> {
    Path(&'a Path),
    Abstract(SockAddr),
}

impl<'a> Name<'a> {
    fn new(path: &'a Path) -> io::Result<Self> {
        let invalid = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        match path.as_os_str().as_bytes() {
            // To the kernel an empty name asks for any free one.
            [] => invalid("the path is empty"),
            name if name.contains(&0) => invalid("the path has a NUL byte in it"),
            [b'@', name @ ..] if cfg!(any(target_os = "linux", target_os = "android")) => {
                Ok(Self::Abstract(SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()))?))
            }
            _ => Ok(Self::Path(path)),
        }
    }

    fn bind(self, socket: &Socket, options: &Options) -> io::Result<Option<BoundPath>> {
        match self {
            Self::Path(path) => path::bind(socket, path, options.socket_mode).map(Some),
            Self::Abstract(address) => socket.bind(&address).map(|()| None),
        }
    }
}

/// Refuses a socket that cannot be what it is given for.
fn check_given(socket: &Socket, kind: Type, domains: &[Domain]) -> io::Result<()> {
    let invalid = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    if !domains.contains(&socket.local_addr()?.domain()) {
        invalid("its address family is another transport's")
    } else if socket.r#type()? != kind {
        invalid("its type is another transport's")
    } else if kind == Type::STREAM && !listens(socket)? {
        invalid("it does not listen")
    } else {
        Ok(())
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn listens(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// The others do not tell; there the first accept(2) fails.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn listens(_: &Socket) -> io::Result<bool> {
    Ok(true)
}

/// Why a server could not be bound, with the address that it was to be bound to.
struct CannotBind {
    address: String,
    source: io::Error,
}

impl CannotBind {
    fn error(address: String, source: io::Error) -> io::Error {
        io::Error::new(source.kind(), Self { address, source })
    }
}

impl fmt::Display for CannotBind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot bind to {}: {}", self.address, self.source)
    }
}

/// `main` shows the error that it returns in this way.
impl Debug for CannotBind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.to_string(), f)
    }
}

impl Error for CannotBind {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
