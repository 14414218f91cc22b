//! The socket that requests come from.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::{Socket, Type};

use super::path::BoundPath;
use crate::address::Address;
use crate::options::Options;
use crate::protocol::MessageOptions;
use crate::shutdown::ShutdownHandle;
use crate::sys;
use crate::sys::child::process_id;
use crate::sys::poll::{Interest, is_readable, poll};

/// The socket that a server's requests come from, made by an [`Endpoint`](crate::Endpoint): bound, and listening
/// where connections are to be accepted.
///
/// CPython: the attribute `socket` of a server.
///
/// ```
/// use socketserver::{Endpoint, Options, Tcp};
///
/// let listener = Endpoint::<Tcp, _>::open("127.0.0.1:0", &Options::new())?;
/// assert_ne!(listener.local_address().port(), Some(0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    /// Shared with the packets in progress, which are answered through it.
    socket: Arc<Socket>,
    local: Address,
    given: bool,
    /// The process that has made it.
    process: u32,
    tells_destination: bool,
    settings: RequestSettings,
    path: Mutex<Option<BoundPath>>,
}

/// What every request of a listener is set up with.
#[derive(Clone, Debug)]
pub(crate) struct RequestSettings {
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) write_timeout: Option<Duration>,
    pub(crate) request_deadline: Option<Duration>,
    pub(crate) read_buffer: usize,
    pub(crate) write_buffer: usize,
    pub(crate) messages: MessageOptions,
    pub(crate) max_packet_size: usize,
    pub(crate) nodelay: bool,
    pub(crate) shutdown: ShutdownHandle,
}

impl RequestSettings {
    pub(crate) fn new(options: &Options, shutdown: ShutdownHandle) -> Self {
        Self {
            read_timeout: options.read_timeout.get(),
            write_timeout: options.write_timeout,
            request_deadline: options.request_deadline,
            read_buffer: options.read_buffer,
            write_buffer: options.write_buffer,
            messages: options.messages(),
            max_packet_size: options.max_packet_size,
            nodelay: options.nodelay,
            shutdown,
        }
    }
}

/// How a wait for the listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Ready,
    TimedOut,
    ShuttingDown,
}

impl Listener {
    pub(super) fn new(socket: Socket, given: bool, path: Option<BoundPath>, options: &Options) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let tells_destination =
            socket.r#type()? == Type::DGRAM && local.as_socket().is_some_and(|local| local.ip().is_unspecified());
        if tells_destination {
            sys::datagram::ask_for_destination(socket.as_fd(), local.is_ipv6())?;
        }
        Ok(Self {
            socket: Arc::new(socket),
            local: Address::from_sock_addr(&local),
            given,
            process: process_id(),
            tells_destination,
            settings: RequestSettings::new(options, ShutdownHandle::new()?),
            path: Mutex::new(path),
        })
    }

    /// The address that it is bound to; a port 0 is the port that the system chose.
    pub fn local_address(&self) -> &Address {
        &self.local
    }

    pub(crate) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// Whether each packet comes with the address that it was sent to: the socket is bound to every address.
    pub(crate) fn tells_destination(&self) -> bool {
        self.tells_destination
    }

    pub(crate) fn settings(&self) -> &RequestSettings {
        &self.settings
    }

    pub(crate) fn shutdown(&self) -> &ShutdownHandle {
        &self.settings.shutdown
    }

    /// Whether its connections have `TCP_NODELAY` as it should be: they inherit it on Linux, where it was set on the
    /// listener (a given one is not ours to change), and need none on a Unix-domain socket.
    pub(crate) fn hands_on_nodelay(&self) -> bool {
        cfg!(target_os = "linux") && !self.given || !matches!(self.local, Address::Inet(_))
    }

    /// Whether other processes may accept from it too, so that it is not shut down: it was given to us, or this process
    /// has a copy, and the one that has bound it was forked. What that one has forked it does not know by itself.
    fn is_shared(&self) -> bool {
        self.given || self.process != process_id()
    }

    /// From now on [`Transport::get_request`](super::Transport::get_request) waits by itself, where the wait can be
    /// ended: threads in accept(2) are woken one for each connection, those in poll(2) all for every one.
    pub(crate) fn block(&self) -> io::Result<()> {
        // Only Linux ends accept(2) when the listener is shut down, and one that is shared must not be.
        if cfg!(target_os = "linux") && !self.is_shared() {
            self.socket.set_nonblocking(false)?;
        }
        Ok(())
    }

    /// After [`ShutdownHandle::shutdown`]: ends the waits of threads in accept(2), and those of clients in the queue,
    /// who would wait for a server that does not come. One that is shared may have others to serve it.
    pub(crate) fn stop(&self) {
        if !self.is_shared() {
            // UDP answers ENOTCONN, and wakes the threads all the same.
            let _ = self.socket.shutdown(Shutdown::Read);
        }
    }

    /// Whether there is a request already.
    pub(crate) fn has_request(&self) -> bool {
        is_readable(self.as_fd())
    }

    /// Waits until there may be a request.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> io::Result<Waiting> {
        let mut interests = [Interest::readable(self.shutdown().closing()), Interest::readable(self.as_fd())];
        let ready = poll(&mut interests, deadline)?;
        Ok(match interests {
            [closing, _] if closing.is_ready() => Waiting::ShuttingDown,
            _ if ready => Waiting::Ready,
            _ => Waiting::TimedOut,
        })
    }

    /// Takes the path away, also while requests that were left behind still share the listener.
    pub(crate) fn unlink(&self) {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(path) = path {
            path.unlink();
        }
    }

    /// In a forked child that serves a connection: gives up the copy of the listener, so that the port is free when
    /// the parent leaves it.
    pub(crate) fn close_in_child(&self) {
        sys::child::close_inherited(self.socket.as_raw_fd());
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
