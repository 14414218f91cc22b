//! Where a socket is: an Internet address, a path, an abstract name, or nowhere.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::option;
use std::path::PathBuf;

use socket2::SockAddr;

/// The address of a server or of a peer, of any of the four transports.
///
/// CPython hands out a tuple, a `str`, `bytes` or `None`, by address family; here it is one type.
///
/// It is printed as people write it, `127.0.0.1:9999`, `[::1]:9999`, `[fe80::1%2]:9999`, `/run/chat.sock`, `@abstract`,
/// and it implements [`ToSocketAddrs`], so that a client connects to it as it is:
///
/// ```
/// use socketserver::Address;
/// use std::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = Address::from(listener.local_addr()?);
/// assert_eq!(address.port(), Some(listener.local_addr()?.port()));
/// TcpStream::connect(&address)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IPv4 or IPv6 address with its port. A peer that reached an IPv6 socket over IPv4 is shown by its IPv4
    /// address. A link-local one of IPv6 has its interface as the scope, without which nothing can be sent to it.
    Inet(SocketAddr),
    /// A Unix-domain socket with a path in the file system.
    Path(PathBuf),
    /// A Unix-domain socket with a name in Linux's abstract namespace, without the leading zero byte. It is printed
    /// after an `@`, as `bind` takes it; bytes that are not printable ASCII are shown as escapes.
    Abstract(Vec<u8>),
    /// A Unix-domain socket that was never bound, as most clients are. Nothing can be sent to it by name.
    Unnamed,
}

impl Address {
    /// The Internet address, where it is one.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            _ => None,
        }
    }

    /// The port, where it is an Internet address.
    pub fn port(&self) -> Option<u16> {
        self.socket_addr().map(|address| address.port())
    }

    pub(crate) fn from_sock_addr(address: &SockAddr) -> Self {
        if let Some(inet) = address.as_socket() {
            Self::Inet(canonical(inet))
        } else if let Some(path) = address.as_pathname() {
            Self::Path(path.to_owned())
        } else if let Some(name) = abstract_name(address) {
            Self::Abstract(name.to_owned())
        } else {
            Self::Unnamed
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Inet(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Path(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
            Self::Unnamed => f.write_str("(unnamed)"),
        }
    }
}

/// An address of a Unix-domain socket is an [`InvalidInput`](io::ErrorKind::InvalidInput) error.
impl ToSocketAddrs for Address {
    type Iter = option::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        match self.socket_addr() {
            Some(address) => Ok(Some(address).into_iter()),
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{self} is not an Internet address"))),
        }
    }
}

/// `::ffff:192.0.2.1` as `192.0.2.1`: a dual-stack socket must not hide who is there. Any other stays as it is, with
/// its interface, without which a link-local one leads nowhere.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_name(address: &SockAddr) -> Option<&[u8]> {
    address.as_abstract_namespace()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_name(_: &SockAddr) -> Option<&[u8]> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_printed_as_people_write_it() {
        let inet = |text: &str| Address::Inet(text.parse().unwrap()).to_string();
        assert_eq!(inet("127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(inet("[::1]:80"), "[::1]:80");
        assert_eq!(Address::Path("/run/x".into()).to_string(), "/run/x");
        assert_eq!(Address::Abstract(b"a\0b".to_vec()).to_string(), "@a\\x00b");
        assert_eq!(Address::Unnamed.to_string(), "(unnamed)");
    }

    #[test]
    fn a_mapped_peer_is_shown_as_ipv4() {
        let mapped: SocketAddr = "[::ffff:192.0.2.1]:7".parse().unwrap();
        let address = Address::from_sock_addr(&mapped.into());
        assert_eq!(address, Address::Inet("192.0.2.1:7".parse().unwrap()));
    }

    #[test]
    fn a_link_local_address_keeps_its_interface() {
        let address: SocketAddr = "[fe80::1%3]:7".parse().unwrap();
        assert_eq!(Address::from_sock_addr(&address.into()), Address::Inet(address));
    }

    #[test]
    fn only_an_internet_address_can_be_connected_to_by_number() {
        let error = Address::Path("/run/x".into()).to_socket_addrs().unwrap_err();
        assert_eq!(error.to_string(), "/run/x is not an Internet address");
    }
}
