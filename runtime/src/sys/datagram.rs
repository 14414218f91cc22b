//! `recvmsg(2)` and `sendmsg(2)`: what `recvfrom` hides, namely that a packet was cut, and the address of ours that
//! it came to. Where it hides neither, it and `sendto` have less to look at.

use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::{SockAddr, SockRef};

use super::stream::NO_SIGNAL;

/// What came with a packet.
#[derive(Debug)]
pub(crate) struct Received {
    /// The number of bytes put into the buffer.
    pub(crate) length: usize,
    /// The packet was longer than the buffer, and its rest is lost (`MSG_TRUNC`).
    pub(crate) truncated: bool,
    pub(crate) peer: SockAddr,
    /// The address that the peer sent to, where the socket was told to ask for it.
    pub(crate) destination: Option<Destination>,
}

/// An address of this host that a packet came to; an answer has to leave from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    ip: IpAddr,
    /// The interface, for IPv6, where a link-local address means nothing without.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    interface: Interface,
}

impl Destination {
    /// The address with a port. A link-local one has its interface with it.
    pub(crate) fn at(self, port: u16) -> SocketAddr {
        match self.ip.to_canonical() {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            IpAddr::V6(ip) if ip.is_unicast_link_local() => SocketAddrV6::new(ip, port, 0, self.interface as _).into(),
            ip => SocketAddr::new(ip, port),
        }
    }
}

/// The number of an interface, as `in6_pktinfo` has it.
#[cfg(target_os = "linux")]
type Interface = libc::c_uint;
#[cfg(target_os = "android")]
type Interface = libc::c_int;

/// Room for control messages of packet information, one of IPv4 and one of IPv6, aligned as `cmsghdr` wants it.
#[repr(align(8))]
struct Control([u8; 128]);

impl Control {
    fn empty() -> Self {
        Self([0; 128])
    }
}

/// Has a socket that is bound to every address report the one that each packet came to.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn ask_for_destination(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        turn_on(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
    }
    // Also for what comes over IPv4 to a socket of both, of which that of IPv6 tells a broadcast's address.
    turn_on(socket, libc::IPPROTO_IP, libc::IP_PKTINFO)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn turn_on(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the value is a valid `int`, and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const on).cast(),
            libc::socklen_t::try_from(size_of_val(&on)).expect("the size of an int"),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn ask_for_destination(_: BorrowedFd<'_>, _: bool) -> io::Result<()> {
    Ok(())
}

/// Receives one packet into `buffer`; `WouldBlock` where there is none and the socket does not block.
///
/// `with_destination`: the socket was [asked for it](ask_for_destination). Others get no room for control messages: on
/// a Unix-domain socket they may be descriptors that a peer sends (`SCM_RIGHTS`), and nobody would close them.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], with_destination: bool) -> io::Result<Received> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !with_destination {
        return receive_plainly(socket, buffer);
    }
    let mut control = Control::empty();
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: an all-zero `msghdr` is a valid one: no address, no parts, no control messages.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if with_destination {
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
    }

    let mut length = 0;
    // SAFETY: every pointer in `message` is to a live buffer of the length beside it, and recvmsg(2) sets the
    // length of the address to that of what it wrote.
    let ((), peer) = unsafe {
        SockAddr::try_init(|storage, size| {
            message.msg_name = storage.cast();
            message.msg_namelen = *size;
            let result = libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0);
            length = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
            *size = message.msg_namelen;
            Ok(())
        })
    }?;
    Ok(Received {
        length,
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        peer,
        destination: destination(&message),
    })
}

/// The same without the destination: here the whole length of a packet that was cut is told in its place (`MSG_TRUNC`).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn receive_plainly(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut length = 0;
    // SAFETY: both pointers are to live places of the lengths beside them, and recvfrom(2) sets the length of the
    // address to that of what it wrote.
    let ((), peer) = unsafe {
        SockAddr::try_init(|storage, size| {
            let (bytes, flags) = (buffer.as_mut_ptr().cast(), libc::MSG_TRUNC);
            let result = libc::recvfrom(socket.as_raw_fd(), bytes, buffer.len(), flags, storage.cast(), size);
            length = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
            Ok(())
        })
    }?;
    Ok(Received { length: length.min(buffer.len()), truncated: length > buffer.len(), peer, destination: None })
}

/// Sends `payload` as one packet to `peer`, from the address `source` if one is given.
#[inline]
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    payload: &[u8],
    peer: &SockAddr,
    source: Option<Destination>,
) -> io::Result<()> {
    loop {
        let sent = match source {
            None => SockRef::from(&socket).send_to_with_flags(payload, peer, NO_SIGNAL).map(drop),
            Some(source) => send_from(socket, payload, peer, source),
        };
        match sent {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent,
        }
    }
}

fn send_from(socket: BorrowedFd<'_>, payload: &[u8], peer: &SockAddr, source: Destination) -> io::Result<()> {
    let mut control = Control::empty();
    let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    // SAFETY: an all-zero `msghdr` is a valid one: no address, no parts, no control messages.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = peer.as_ptr().cast_mut().cast();
    message.msg_namelen = peer.len();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = put_source(&mut control, source) as _;
    // SAFETY: every pointer in `message` is to a live buffer of the length beside it; sendmsg(2) only reads.
    if unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, NO_SIGNAL) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn destination(message: &libc::msghdr) -> Option<Destination> {
    let mut destination = None;
    // SAFETY: `message` is as recvmsg(2) filled it in, its control buffer is live, and cmsg(3) is followed: from header
    // to header, and each payload that level and type promise, which is whole and need not be aligned.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            let data = libc::CMSG_DATA(header);
            // What had no room is cut (`MSG_CTRUNC`).
            let holds = |size| (*header).cmsg_len as usize >= data.addr() - header.addr() + size;
            match ((*header).cmsg_level, (*header).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) if holds(size_of::<libc::in_pktinfo>()) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    // Not `ipi_addr`, which may be a broadcast address, from which nothing can be sent; see ip(7).
                    let ip = Ipv4Addr::from_bits(u32::from_be(info.ipi_spec_dst.s_addr));
                    // It is the better one, where both have come.
                    return Some(Destination { ip: ip.into(), interface: 0 });
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if holds(size_of::<libc::in6_pktinfo>()) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    let ip = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    // Nothing can be sent from a group's address either.
                    destination =
                        (!ip.is_multicast()).then(|| Destination { ip: ip.into(), interface: info.ipi6_ifindex });
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    destination
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn destination(_: &libc::msghdr) -> Option<Destination> {
    None
}

/// Writes the control message that names the source address, and tells its length.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn put_source(control: &mut Control, source: Destination) -> usize {
    match source.ip {
        IpAddr::V4(ip) => {
            let address = libc::in_addr { s_addr: ip.to_bits().to_be() };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: address };
            put(control, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        IpAddr::V6(ip) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: ip.octets() },
                ipi6_ifindex: source.interface,
            };
            put(control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn put_source(_: &mut Control, _: Destination) -> usize {
    0
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn put<T>(control: &mut Control, level: libc::c_int, kind: libc::c_int, payload: T) -> usize {
    let size = u32::try_from(size_of::<T>()).expect("the size of a packet information");
    // SAFETY: CMSG_LEN and CMSG_SPACE only compute.
    let (length, space) = unsafe { (libc::CMSG_LEN(size) as usize, libc::CMSG_SPACE(size) as usize) };
    assert!(space <= control.0.len(), "a control message fits its buffer");
    // SAFETY: `Control` is aligned as a `cmsghdr` must be, and has just been seen to have room for it and `payload`.
    unsafe {
        let header = (&raw mut *control).cast::<libc::cmsghdr>();
        (*header).cmsg_len = length as _;
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(payload);
    }
    space
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_control_message_is_found_there() {
        let addresses: [(IpAddr, Interface, &str); 3] = [
            (Ipv4Addr::new(192, 0, 2, 7).into(), 0, "192.0.2.7:7"),
            ("2001:db8::7".parse().unwrap(), 3, "[2001:db8::7]:7"),
            ("fe80::7".parse().unwrap(), 3, "[fe80::7%3]:7"),
        ];
        for (ip, interface, at) in addresses {
            let mut control = Control::empty();
            let length = put_source(&mut control, Destination { ip, interface });
            // SAFETY: an all-zero `msghdr` is a valid one.
            let mut message: libc::msghdr = unsafe { mem::zeroed() };
            message.msg_control = (&raw mut control).cast();
            message.msg_controllen = length as _;
            let found = destination(&message).unwrap();
            assert_eq!((found.ip, found.interface), (ip, interface));
            assert_eq!(found.at(7).to_string(), at);
        }
    }

    #[test]
    fn a_message_without_control_messages_has_no_destination() {
        // SAFETY: an all-zero `msghdr` is a valid one.
        assert!(destination(&unsafe { mem::zeroed() }).is_none());
    }
}
