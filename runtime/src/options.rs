//! The one table of options: name, type, default, documentation and the compositions each is for.

use std::io;
use std::time::Duration;

use crate::builder::Builder;
use crate::mixin::{Concurrent, Forking, MixIn, Threading};
use crate::protocol::MessageOptions;
use crate::transport::{DatagramTransport, InternetTransport, StreamTransport, Tcp, UnixTransport};

/// Writes, from one table, the field and the setter of [`Options`] and the setter of [`Builder`], which exists for
/// the fitting compositions only. It buys that an option is described in one place.
macro_rules! options {
    (@set $value:ident) => { $value.into() };
    (@set $value:ident $set:path) => { $set($value.into()) };
    ($(
        // `impl[generics] Builder<..>`
        [$($generics:tt)*] $builder:ty {
            $(
                $(#[$doc:meta])*
                $name:ident($argument:ty $(=> $set:path)?): $field:ty = $default:expr;
            )*
        }
    )*) => {
        /// What a server can be told, beside its address: the options of the attribute, as a value.
        ///
        /// The attribute and [`Builder`] are the usual ways to set them, and refuse those that do not fit the
        /// composition; here one that does not fit is passed over. It is for those who implement
        /// [`Handler`](crate::Handler) or [`SocketServer`](crate::SocketServer) by hand.
        ///
        /// A value that makes no sense is an [`InvalidInput`](io::ErrorKind::InvalidInput) error of `bind`, which names
        /// the option: 0 for `max_line`, `max_message`, `read_buffer`, `max_packet_size`, `max_threads` or
        /// `max_children`; less than a microsecond for `service_interval`, `read_timeout`, `write_timeout` or
        /// `request_deadline`; a `max_packet_size` of more than `i32::MAX`; a `socket_mode` that is more than `0o777`.
        ///
        /// ```
        /// use socketserver::Options;
        /// use std::time::Duration;
        ///
        /// let options = Options::new().max_threads(64).read_timeout(Duration::from_secs(30));
        /// # let _ = options;
        /// ```
        #[derive(Clone, Debug)]
        pub struct Options {
            $($( pub(crate) $name: $field, )*)*
        }

        impl Options {
            /// Every option at its default.
            pub fn new() -> Self {
                Self { $($( $name: $default, )*)* }
            }

            $($(
                $(#[$doc])*
                #[allow(clippy::useless_conversion, reason = "only what may be unset is converted")]
                pub fn $name(mut self, value: $argument) -> Self {
                    self.$name = options!(@set value $($set)?);
                    self
                }
            )*)*
        }

        $(
            impl<$($generics)*> $builder {
                $(
                    $(#[$doc])*
                    pub fn $name(mut self, value: $argument) -> Self {
                        self.options = self.options.$name(value);
                        self
                    }
                )*
            }
        )*
    };
}

options! {
    [S, T, M] Builder<S, T, M> {
        /// How long [`handle_request`](crate::Server::handle_request) waits for a request; `None`: for ever. Default:
        /// for ever.
        ///
        /// CPython: `BaseServer.timeout`, `None`, but 300 seconds under `ForkingMixIn`, where it also was what
        /// reaped the children; here they are reaped as they end.
        timeout(impl OptionalDuration): Option<Duration> = None;

        /// How often [`service_actions`](crate::Hooks::service_actions) is called while nothing else happens; at least
        /// a microsecond. Default: not at all, only after each request taken.
        ///
        /// CPython: `poll_interval` of `serve_forever`, half a second, which it needs to notice a shutdown. This
        /// server is woken by one, so that it sleeps until there is something to do.
        service_interval(impl OptionalDuration): Option<Duration> = None;

        /// How long a shutdown waits for requests in progress before it cuts their connections, or kills their children
        /// under `forking`; `None`: for ever. Default: 10 seconds.
        ///
        /// CPython waits for ever (`block_on_close`), which one idle client makes a hang.
        drain_timeout(impl OptionalDuration): Option<Duration> = Some(Duration::from_secs(10));

        /// The longest line, in bytes without its ending, that [`Reader::next_line`](crate::Reader::next_line)
        /// takes; a longer one is an [`InvalidData`](std::io::ErrorKind::InvalidData) error. Default: 65 536.
        ///
        /// CPython: none, `rfile.readline()` takes what comes; `http.server` passes 65 537 by hand.
        max_line(usize): usize = 65_536;

        /// The longest message, in bytes with what frames it, of a [`Frame`](crate::Frame) that has it from its
        /// [`MessageOptions`](crate::MessageOptions): [`Resp`](crate::Resp), and those of your own whose limit is known
        /// when the program runs. The others have theirs from `max_line`, or in their type. Default: 1 MiB.
        ///
        /// CPython has no counterpart.
        max_message(usize): usize = 1_048_576;

        /// Whether a line of a reply ends with CRLF, as most Internet protocols have it; otherwise it ends with LF.
        /// It is for handlers with `#[command]` or `#[message]`; both endings are taken from a peer. Default:
        /// `false`.
        ///
        /// CPython has no counterpart.
        crlf(bool): bool = false;

        /// Whether there is a command `help`, made from the names, the arguments and the documentation of the
        /// handler's `#[command]` methods: `help` shows all of them, `help NAME` the one. Default: `false`.
        ///
        /// CPython has no counterpart; its `cmd` module has such a command.
        help(bool): bool = false;
    }

    [S, T: StreamTransport, M] Builder<S, T, M> {
        /// How many connections the kernel queues until they are accepted. Default: as many as it allows, on Linux
        /// `net.core.somaxconn`.
        ///
        /// CPython: `request_queue_size`, 5, with which a burst of clients waits a second and more for its
        /// retransmissions; `SOMAXCONN` from 3.15 on.
        #[doc(alias = "request_queue_size")]
        backlog(u32): Option<u32> = None;

        /// How long one read waits for the peer before it fails with [`TimedOut`](std::io::ErrorKind::TimedOut);
        /// at least a microsecond, or `None`: for ever. Default: for ever; under `iterative` 60 seconds, since there a
        /// peer that says nothing holds up all others.
        ///
        /// A handler with `#[command]` or `#[message]` ends well if the peer was silent between two messages.
        ///
        /// CPython: `StreamRequestHandler.timeout`, `None`, which is for reads and writes alike. One idle client then
        /// keeps a server without a mix-in from all others, for as long as it likes.
        read_timeout(impl OptionalDuration => ReadTimeout::Set): ReadTimeout = ReadTimeout::OfTheMixIn;

        /// How long one write waits for a peer that does not read before it fails with
        /// [`TimedOut`](std::io::ErrorKind::TimedOut); at least a microsecond, or `None`: for ever. Default: for ever.
        ///
        /// CPython: `StreamRequestHandler.timeout`.
        write_timeout(impl OptionalDuration): Option<Duration> = None;

        /// How long a whole request may take, measured from its accept: a read or a write that would wait longer
        /// fails with [`TimedOut`](std::io::ErrorKind::TimedOut); at least a microsecond, or `None`: for ever. Default:
        /// for ever.
        ///
        /// It ends the peer that sends a byte now and then, which no timeout of a single read does. CPython has
        /// no counterpart.
        request_deadline(impl OptionalDuration): Option<Duration> = None;

        /// The size of a connection's read buffer, in bytes. Default: 8 192. It begins with at most 1 024 and grows
        /// with a peer that fills it, and beyond for a line or a message that needs it, up to the longest there may be.
        ///
        /// CPython: `rbufsize`, -1, which means 8 192 too.
        #[doc(alias = "rbufsize")]
        read_buffer(usize): usize = 8_192;

        /// How many bytes of output are gathered before they are sent without being asked for; 0: every write is
        /// sent at once. Default: 8 192.
        ///
        /// CPython: `wbufsize`, 0, with which a reply of two writes can wait for the peer's delayed
        /// acknowledgement. Here output is sent when the handler waits for input, so a prompt is never held back.
        #[doc(alias = "wbufsize")]
        write_buffer(usize): usize = 8_192;
    }

    [S, T: InternetTransport, M] Builder<S, T, M> {
        /// Whether the address may be bound while old connections of it linger in `TIME_WAIT` (`SO_REUSEADDR`).
        /// Default: `true` on `tcp`. On `udp` the kernel would let two servers share the port and one of them
        /// starve, so there it is `false`.
        ///
        /// CPython: `allow_reuse_address`, `False`, the reason for most "Address already in use" on a restart.
        #[doc(alias = "allow_reuse_address")]
        reuse_address(bool): Option<bool> = None;

        /// Whether several sockets may be bound to the address (`SO_REUSEPORT`), among which Linux spreads the
        /// requests. Default: `false`.
        ///
        /// CPython: `allow_reuse_port`, `False`.
        #[doc(alias = "allow_reuse_port")]
        reuse_port(bool): bool = false;

        /// Whether an IPv6 socket takes IPv6 peers only (`IPV6_V6ONLY`). Default: `false`: a server on `[::]`
        /// takes both, wherever it runs.
        ///
        /// CPython leaves it to the system.
        only_v6(bool): bool = false;
    }

    [S, M] Builder<S, Tcp, M> {
        /// Whether small segments are sent at once (`TCP_NODELAY`). Default: `true`.
        ///
        /// CPython: `disable_nagle_algorithm`, `False`. Output is gathered here, so there is nothing for Nagle's
        /// algorithm to save, and its waiting costs 40 ms a reply in the worst case.
        #[doc(alias = "disable_nagle_algorithm")]
        nodelay(bool): bool = true;
    }

    [S, T: DatagramTransport, M] Builder<S, T, M> {
        /// The longest packet that is received whole, in bytes; the rest of a longer one is lost, and
        /// [`Datagram::is_truncated`](crate::Datagram::is_truncated) says so. As a message such a packet is refused,
        /// with an error for `#[on_error]`. Default: 65 535, which is enough for any packet over UDP; one between
        /// Unix-domain sockets may be longer.
        ///
        /// CPython: `max_packet_size`, 8192, and a longer packet is cut in silence.
        max_packet_size(usize): usize = 65_535;
    }

    [S, T: UnixTransport, M] Builder<S, T, M> {
        /// The permission bits of the socket's path, such as `0o660`, set before any peer can connect; on macOS and
        /// the BSDs a packet may come before. Default: what the umask of the process leaves.
        ///
        /// CPython has no counterpart; a `chmod` after `bind` leaves a moment in which anybody can connect.
        socket_mode(u32): Option<u32> = None;
    }

    [S, T] Builder<S, T, Threading> {
        /// How many requests are handled at once; while there are so many, the kernel queues the next ones.
        /// Default: 1 024.
        ///
        /// CPython has no limit.
        max_threads(usize): usize = 1_024;

        /// The stack of each thread, in bytes. Default: what `std` gives a thread, 2 MiB of address space, of
        /// which only what is touched takes memory.
        ///
        /// CPython: `threading.stack_size()`.
        stack_size(usize): Option<usize> = None;

        /// Whether a shutdown leaves running threads to themselves instead of waiting for them. Default: `false`.
        /// They end with the process at the latest.
        ///
        /// CPython: `daemon_threads`, `False`.
        daemon_threads(bool): bool = false;
    }

    [S, T] Builder<S, T, Forking> {
        /// How many child processes there are at once; while there are so many, the kernel queues the next
        /// requests. Default: 40.
        ///
        /// CPython: `max_children`, 40, noticed only after one more child was forked.
        max_children(usize): usize = 40;
    }

    [S, T, M: Concurrent] Builder<S, T, M> {
        /// Whether a shutdown waits for requests in progress, up to `drain_timeout`. Default: `true`; `false`
        /// leaves their threads or children to themselves.
        ///
        /// CPython: `block_on_close`, `True`.
        block_on_close(bool): bool = true;
    }
}

/// What an option of time takes: a [`Duration`] or `None`. All that convert to `Option<Duration>` have it; it is there
/// for what is said of the others.
///
/// ```
/// use socketserver::Options;
/// use std::time::Duration;
///
/// let patient = Options::new().drain_timeout(None);
/// let quick = Options::new().drain_timeout(Duration::from_millis(500));
/// # let _ = (patient, quick);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a duration",
    label = "expected a `Duration`, or `None`",
    note = "write `Duration::from_secs(5)`, or `Duration::from_millis(500)`"
)]
pub trait OptionalDuration: Into<Option<Duration>> {}

#[diagnostic::do_not_recommend]
impl<D: Into<Option<Duration>>> OptionalDuration for D {}

/// Each thread has room for a packet. None is larger than a socket's buffer, whose size is an `int`.
const LARGEST_PACKET: usize = i32::MAX as usize;

/// What is not set is left to the mix-in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadTimeout {
    OfTheMixIn,
    Set(Option<Duration>),
}

impl ReadTimeout {
    pub(crate) fn get(self) -> Option<Duration> {
        match self {
            Self::OfTheMixIn => None,
            Self::Set(timeout) => timeout,
        }
    }
}

impl Options {
    /// Those that are not set, as this mix-in has them.
    pub(crate) fn of_mix_in<M: MixIn>(mut self) -> Self {
        if let ReadTimeout::OfTheMixIn = self.read_timeout {
            self.read_timeout = ReadTimeout::Set(M::READ_TIMEOUT);
        }
        self
    }

    /// Refuses what no server can do.
    pub(crate) fn check(&self) -> io::Result<()> {
        let counts = [
            ("max_line", self.max_line),
            ("max_message", self.max_message),
            ("read_buffer", self.read_buffer),
            ("max_packet_size", self.max_packet_size),
            ("max_threads", self.max_threads),
            ("max_children", self.max_children),
        ];
        // To the kernel a timeout of less is for ever, and ticks without a pause leave no time for anything else.
        let times = [
            ("service_interval", self.service_interval),
            ("read_timeout", self.read_timeout.get()),
            ("write_timeout", self.write_timeout),
            ("request_deadline", self.request_deadline),
        ];
        let invalid = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if let Some((name, _)) = counts.into_iter().find(|(_, value)| *value == 0) {
            invalid(format!("`{name}` must be at least 1"))
        } else if let Some((name, _)) =
            times.into_iter().find(|(_, value)| value.is_some_and(|value| value < Duration::from_micros(1)))
        {
            invalid(format!("`{name}` must be at least a microsecond, or `None`"))
        } else if self.max_packet_size > LARGEST_PACKET {
            invalid(format!("`max_packet_size` must be at most {LARGEST_PACKET}"))
        } else if self.socket_mode.is_some_and(|mode| mode > 0o777) {
            invalid("`socket_mode` must be permission bits, such as `0o660`".to_owned())
        } else {
            Ok(())
        }
    }

    /// Those that concern messages.
    pub(crate) fn messages(&self) -> MessageOptions {
        MessageOptions { max_line: self.max_line, max_message: self.max_message, crlf: self.crlf, help: self.help }
    }

    /// Whether the server waits for its requests when it is shut down.
    pub(crate) fn waits(&self) -> bool {
        self.block_on_close && !self.daemon_threads
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
