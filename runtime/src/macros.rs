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
/// `frame = type` says what a [message](#messages-and-commands) is, and `crate = path` where this crate is, if it is
/// not `::socketserver`. CPython: a subclass of `BaseRequestHandler`, of which each request gets an instance.
///
/// # Hooks
///
/// - `setup`, before the request. In the second form, without a receiver, it makes the session: `-> Self` or
///   `-> Result<Self, E>`. If it is missing or takes `&mut self`, the session's `Default` makes it. If it fails,
///   nothing else runs.
/// - `handle`, the request. The only one that has to be there, unless messages are taken one by one.
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
///
/// # Messages and commands
///
/// Instead of `handle`, which takes the whole request, methods can take its messages one by one. Attributes say which:
///
/// | attribute | the method is called | it may ask for |
/// |---|---|---|
/// | `#[command]` | for a message whose first word is its name, in any letter case | the words that follow |
/// | `#[command("get", "fetch")]` | the same, by these names | |
/// | `#[otherwise]` | for a message that is no command | the message |
/// | `#[message]` | for each message; there are no commands then | the message |
/// | `#[on_error]` | to answer an error | `&`[`CommandError`](crate::CommandError) |
///
/// Both forms can have them, and `setup` and `finish` beside them.
///
/// **A message** is a line, or what `frame = type` says: [`Line`](crate::Line), [`Delimited`](crate::Delimited),
/// [`LengthPrefixed`](crate::LengthPrefixed), [`Fixed`](crate::Fixed), [`Resp`](crate::Resp) for the clients of Redis,
/// or a [`Frame`](crate::Frame) of your own, which is a [`CommandFrame`](crate::CommandFrame) if it has commands. On a
/// transport of packets, a packet is a message.
///
/// **Arguments** are asked for by type:
///
/// | argument of a command | what it is |
/// |---|---|
/// | any type that implements `FromStr` | the next word, parsed; its error is an `E` as above |
/// | `&str`, `&[u8]` | the next word, borrowed |
/// | `Option` of one of these | the next word, if there is one |
/// | `Vec` or [`OneOrMore`](crate::OneOrMore) of these | all words that are left; of pairs `(A, B)`, two by two |
/// | [`Rest`](crate::Rest) | what is left of the message, as it stands |
/// | [`CommandName`](crate::CommandName) | the name that it was called by, in any place |
/// | what any hook may ask for | beside the words, in any place |
///
/// A `#[message]` or `#[otherwise]` may ask for its message in the ways of a single word, or as `Rest`. In a method
/// that is called for a message, `&[u8]` and `SocketAddr` are taken from the message; the peer is
/// `&`[`Address`](crate::Address). A `&mut Reader` begins behind the message: a command reads there what belongs to it.
///
/// **Replies** are what the methods return, any [`Reply`](crate::Reply): `()` is none, a string or a number is a
/// message, `Option` its value or an empty message, `Vec` a message for each, [`Close`](crate::Close) the reply and
/// then the end of the connection. They are gathered while further messages are in the buffer.
///
/// **Errors** are told to the peer, and the next message is taken: an unknown command, an argument that is missing, too
/// many or not to be parsed, a line that is too long, and the `Err` of a command that returns a `Result`. The reply is
/// what `#[on_error]` makes of it, or what the frame does: `error: ..` with what is wrong, if it is not `Resp`. An
/// error of a `#[message]`, if there is no `#[on_error]`, and an error of `#[on_error]` itself fail the handler, as an
/// error of `handle` does.
///
/// The server's options [`max_line`](crate::Options::max_line), [`max_message`](crate::Options::max_message),
/// [`crlf`](crate::Options::crlf) and [`help`](crate::Options::help) concern them. With `help`, the command `help`
/// shows each command with its arguments and the first paragraph of its documentation, and `help NAME` the one. CPython
/// has no counterpart.
///
/// ```
/// use socketserver::{Close, CommandError, handler, socket_server};
/// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
///
/// #[socket_server(tcp, threading, help = true)]
/// #[derive(Default)]
/// struct Counter {
///     count: AtomicI64,
/// }
///
/// #[handler]
/// impl Counter {
///     /// Adds BY, or one.
///     #[command]
///     fn add(&self, by: Option<i64>) -> i64 {
///         let by = by.unwrap_or(1);
///         self.count.fetch_add(by, Relaxed) + by
///     }
///
///     #[command("quit", "exit")]
///     fn quit(&self) -> Close<&'static str> {
///         Close("bye")
///     }
///
///     #[on_error]
///     fn refused(&self, error: &CommandError) -> String {
///         format!("what? {error}")
///     }
/// }
/// # use std::io::Write;
/// # let server = Counter::default().bind("127.0.0.1:0")?.start()?;
/// # let mut client = std::net::TcpStream::connect(server.local_address())?;
/// # client.write_all(b"add\nADD 4\nadd x\nnone\nquit\n")?;
/// # let text = std::io::read_to_string(client)?;
/// # let refused = "what? add: `by` cannot be `x`: invalid digit found in string\nwhat? no such command: `none`";
/// # assert_eq!(text, format!("1\n5\n{refused}\nbye\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub use socketserver_macros::handler;
