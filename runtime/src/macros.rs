//! The attributes, re-exported with their documentation: here its examples and links can name the runtime.

/// Makes a struct a server: `#[socket_server(transport, mix-in, option = value, ..)]`.
///
/// The struct is the state that all requests share. What is done with a request is written with
/// [`#[handler]`](macro@crate::handler). CPython: `class Upper(ThreadingMixIn, TCPServer)`.
///
/// | word | meaning |
/// |---|---|
/// | `tcp`, `udp`, `unix_stream`, `unix_datagram` | the transport; there is exactly one |
/// | `iterative`, `threading`, `forking` | the mix-in; `iterative` if there is none |
/// | `name = value` | an option, one of the methods of [`Options`](crate::Options); the value is any expression |
/// | `hooks` | you write `impl Hooks` yourself; without the word the server has the default ones |
/// | `crate = path` | where this crate is, if it is not `::socketserver` |
///
/// An option has to fit the composition: `max_children` on a `threading` server is an error, and so is a Python name,
/// which is answered with ours.
///
/// # What it adds to the struct
///
/// - `bind(self, address)`, which is [`Server::bind`](crate::Server::bind): a server that listens,
/// - `builder(self)`, which is [`Server::builder`](crate::Server::builder): options at run time,
/// - `TRANSPORT` and `MIX_IN`, the words of its composition, as `&'static str`,
/// - the implementation of [`SocketServer`](crate::SocketServer), and without `hooks` that of [`Hooks`](crate::Hooks).
///
/// It goes on any struct that is `Send`, `Sync` and `'static`, generic ones too, and anywhere, in a function or a macro
/// too.
///
/// ```
/// use socketserver::{Reader, Writer, handler, socket_server};
/// use std::io::{self, Write};
/// use std::time::Duration;
///
/// /// Sends every line back in upper case.
/// #[socket_server(tcp, threading, max_threads = 512, read_timeout = Duration::from_secs(60))]
/// struct Upper;
///
/// #[handler]
/// impl Upper {
///     fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
///         while let Some(line) = input.next_line()? {
///             writeln!(output, "{}", line.to_uppercase())?;
///         }
///         Ok(())
///     }
/// }
///
/// assert_eq!((Upper::TRANSPORT, Upper::MIX_IN), ("tcp", "threading"));
/// let server = Upper.bind("127.0.0.1:0")?;
/// # server.shutdown_handle().shutdown();
/// server.serve_forever()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub use socketserver_macros::socket_server;

/// Makes the methods of an `impl` block a server's request handler.
///
/// | form | `self` | for |
/// |---|---|---|
/// | `#[handler] impl Server` | `&self`, the server itself, shared by all requests | no state of a request's own |
/// | `#[handler(Server)] impl Session` | `&mut self`, a fresh value for each request | state of a request's own |
///
/// `crate = path` says where this crate is, if it is not `::socketserver`. CPython: a subclass of
/// `BaseRequestHandler`, of which each request gets an instance.
///
/// # Hooks
///
/// - `setup`, before the request. In the second form, without a receiver, it makes the session: `-> Self` or
///   `-> Result<Self, E>`. If it is missing or takes `&mut self`, the session's `Default` makes it. If it fails, nothing
///   else runs.
/// - `handle`, the request. The only one that has to be there.
/// - `finish`, after the request, also if `handle` failed or panicked.
///
/// They return `()` or `Result<(), E>`, with `E: Into<Box<dyn Error + Send + Sync>>`. Every other method is left alone.
///
/// # Arguments
///
/// A hook asks for what it needs by type, in any order:
///
/// | argument | what it is | where |
/// |---|---|---|
/// | `&mut` [`Reader`](crate::Reader), `&mut` [`Writer`](crate::Writer) | the two halves of the request | everywhere |
/// | `&mut` [`Connection`](crate::Connection) | the whole stream | `tcp`, `unix_stream` |
/// | `&mut` [`Datagram`](crate::Datagram) | the packet, and the means to reply | `udp`, `unix_datagram` |
/// | `&[u8]` | the packet's bytes | `udp`, `unix_datagram` |
/// | `&`[`Address`](crate::Address) | the peer | everywhere |
/// | [`SocketAddr`](std::net::SocketAddr) | the peer | `tcp`, `udp` |
/// | `&Server`, the struct's own type | the shared state | the second form; the first has `&self` |
/// | `&`[`ShutdownHandle`](crate::ShutdownHandle) | stops the server, tells whether it is stopping | everywhere |
/// | any type that implements [`FromRequest`](crate::FromRequest) | what you derive from the request | where it says |
///
/// Those that are not references are made first. A handler that asks for `Reader` and `Writer` only compiles unchanged
/// on all twelve servers.
///
/// ```
/// use socketserver::{Address, Reader, Writer, handler, socket_server};
/// use std::io::{self, Write};
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
///
/// /// One for the server, shared by all its connections.
/// #[socket_server(tcp, threading)]
/// #[derive(Default)]
/// pub struct Counter {
///     connections: AtomicUsize,
/// }
///
/// /// One for each connection.
/// struct Visit {
///     number: usize,
///     lines: usize,
/// }
///
/// #[handler(Counter)]
/// impl Visit {
///     fn setup(counter: &Counter) -> Self {
///         Self { number: counter.connections.fetch_add(1, Relaxed) + 1, lines: 0 }
///     }
///
///     fn handle(&mut self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
///         while input.next_line()?.is_some() {
///             self.lines += 1;
///             writeln!(output, "visit {}, line {}", self.number, self.lines)?;
///         }
///         Ok(())
///     }
///
///     fn finish(&mut self, peer: &Address) {
///         println!("{peer} sent {} lines", self.lines);
///     }
/// }
///
/// let server = Counter::default().bind("127.0.0.1:0")?;
/// # server.start()?.shutdown()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub use socketserver_macros::handler;
