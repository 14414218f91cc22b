//! Nothing that a strict program denies is in the generated code.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    single_use_lifetimes,
    trivial_casts,
    unused_results,
    dead_code,
    unreachable_code,
    future_incompatible,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic
)]

use socketserver::{
    Address, Close, CommandError, Connection, FromRequest, Hooks, Reader, Rest, UnixStream, Writer, handler,
    socket_server,
};
use std::fmt;
use std::io::{self, Write as _};

/// Private, and hardly used.
#[socket_server(tcp, threading)]
struct Upper;

#[handler]
impl Upper {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            writeln!(output, "{}", line.to_uppercase())?;
        }
        Ok(())
    }
}

/// Commands, strictly.
#[socket_server(tcp, threading, help = true)]
struct Commands;

#[handler]
impl Commands {
    /// Looks KEY up.
    #[command("get", "fetch")]
    fn get(&self, key: &str, rest: Rest<'_>, peer: &Address) -> Option<String> {
        (peer.port().is_some() && rest.is_empty()).then(|| key.to_owned())
    }

    #[command]
    fn quit(&self) -> Close<&'static str> {
        Close("bye")
    }

    #[otherwise]
    fn unknown(&self, line: &str) -> usize {
        line.len()
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        error.to_string()
    }
}

/// A whole composition.
pub mod public {
    use socketserver::{Address, Datagram, handler, socket_server};

    /// Public, never used.
    #[socket_server(udp, max_packet_size = 512)]
    #[derive(Debug, Default)]
    pub struct Echo {
        /// Kept as it is.
        #[cfg_attr(all(), doc = "documented")]
        pub count: u8,
        #[cfg(any())]
        absent: Absent,
    }

    #[derive(Debug)]
    struct Exchange;

    #[handler(Echo)]
    impl Exchange {
        fn setup(echo: &Echo, _: &Address) -> Self {
            assert_eq!(echo.count, 0);
            Self
        }

        fn handle(&mut self, packet: &mut Datagram) -> ! {
            panic!("{} bytes", packet.payload().len())
        }
    }
}

/// What it has of a request, it has by value.
#[derive(Debug)]
pub struct Length(usize);

impl FromRequest<UnixStream> for Length {
    type Error = io::Error;

    fn from_request(connection: &mut Connection) -> io::Result<Self> {
        Ok(Self(connection.reader().next_line()?.map_or(0, str::len)))
    }
}

/// Says how long the first line is, and does not look at itself.
#[socket_server(unix_stream, hooks)]
struct Measure;

impl Hooks for Measure {}

#[handler]
impl Measure {
    fn setup(&self, _: &Address) {}

    #[cfg_attr(all(), doc = "Documented.")]
    fn handle(&self, length: Length, output: &mut Writer) -> io::Result<()> {
        writeln!(output, "{}", length.0)
    }

    #[cfg(unix)]
    fn finish(&self) {}
}

/// Never returns.
#[socket_server(unix_stream)]
struct Never<S: fmt::Display>(S);

#[handler]
impl<S: fmt::Display + Send + Sync + 'static> Never<S> {
    fn setup(&self) -> ! {
        panic!("{}", self.0)
    }

    fn handle(&self) -> ! {
        std::process::exit(0)
    }
}

fn main() {
    drop(Upper.builder());
    drop(Commands.builder());
    drop(Measure.builder());
    drop(Never("x").builder());
}
