// Its examples are written with the attributes.
#![cfg_attr(feature = "macros", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "macros"), doc = "Python's `socketserver` for Rust, without its attributes.")]
#![doc(test(attr(deny(warnings), allow(dead_code, unused_variables))))]

#[cfg(not(unix))]
compile_error!("`socketserver` is for Unix: Linux, Android, macOS and the BSDs");

mod accept;
mod address;
mod base;
mod bell;
mod builder;
mod error;
mod extract;
mod handler;
mod hooks;
mod mixin;
mod options;
mod phase;
mod protocol;
mod report;
mod request;
mod running;
mod server;
mod shutdown;
mod stats;
mod sync;
mod sys;
mod transport;

pub use address::Address;
pub use builder::Builder;
pub use error::{BoxError, HandlerError, Hook, IntoBoxError};
pub use extract::FromRequest;
pub use handler::{Handler, SocketServer};
pub use hooks::Hooks;
pub use mixin::{Concurrent, Forking, Iterative, MixIn, Threading};
pub use options::{OptionalDuration, Options};
pub use protocol::{
    Answer, Close, CommandError, CommandErrorKind, CommandFrame, CommandName, Decoded, Delimited, Fixed, Frame,
    FrameError, LengthPrefixed, Line, LittleEndian, MessageOptions, OneOrMore, Prefix, Raw, Reply, ReplyValue, Resp,
    Rest, SpacedWords, Words,
};
pub use request::{Connection, Datagram, Reader, Request, Writer};
pub use running::Running;
pub use server::Server;
pub use shutdown::ShutdownHandle;
pub use stats::Stats;
pub use transport::{
    DatagramTransport, Endpoint, InternetTransport, Listener, StreamTransport, Tcp, Transport, Udp, UnixDatagram,
    UnixStream, UnixTransport, kind,
};

/// The crate whose `Socket` a connection lends, for the options that it sets.
pub use socket2;

#[cfg(feature = "macros")]
pub use macros::{handler, socket_server};

#[cfg(feature = "macros")]
mod macros;

#[cfg(feature = "macros")]
#[doc = include_str!("tutorial.md")]
pub mod tutorial {}

/// CPython's `TCPServer`.
pub type TcpServer<S> = Server<S, Tcp, Iterative>;
/// CPython's `UDPServer`.
pub type UdpServer<S> = Server<S, Udp, Iterative>;
/// CPython's `UnixStreamServer`.
pub type UnixStreamServer<S> = Server<S, UnixStream, Iterative>;
/// CPython's `UnixDatagramServer`.
pub type UnixDatagramServer<S> = Server<S, UnixDatagram, Iterative>;
/// CPython's `ThreadingTCPServer`.
pub type ThreadingTcpServer<S> = Server<S, Tcp, Threading>;
/// CPython's `ThreadingUDPServer`.
pub type ThreadingUdpServer<S> = Server<S, Udp, Threading>;
/// CPython's `ThreadingUnixStreamServer`.
pub type ThreadingUnixStreamServer<S> = Server<S, UnixStream, Threading>;
/// CPython's `ThreadingUnixDatagramServer`.
pub type ThreadingUnixDatagramServer<S> = Server<S, UnixDatagram, Threading>;
/// CPython's `ForkingTCPServer`.
pub type ForkingTcpServer<S> = Server<S, Tcp, Forking>;
/// CPython's `ForkingUDPServer`.
pub type ForkingUdpServer<S> = Server<S, Udp, Forking>;
/// CPython's `ForkingUnixStreamServer`.
pub type ForkingUnixStreamServer<S> = Server<S, UnixStream, Forking>;
/// CPython's `ForkingUnixDatagramServer`.
pub type ForkingUnixDatagramServer<S> = Server<S, UnixDatagram, Forking>;

/// What the macros' expansions call. Not for use by hand: it may change with any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::builder::builder;
    pub use crate::extract::{Argument, Fresh, IntoSession, Outcome, Parts, RequestOf, TransportOf, by};
    pub use crate::handler::{PerhapsServer, RequestHandler, Shared, run, unfinished};
    pub use crate::hooks::DefaultHooks;
    pub use crate::protocol::argument::{MessageArgument, Shape, make, or_lend, order, shape};
    pub use crate::protocol::help::Entry;
    pub use crate::protocol::message::{Failure, Message};
    pub use crate::protocol::serve::{Turn, commands, messages, refuse};
}
