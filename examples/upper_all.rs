//! The line upper-caser on all twelve servers, chosen on the command line.
//!
//! ```text
//! cargo run --example upper_all -- --transport udp --mixin forking --address 127.0.0.1:9999
//! ```
//!
//! Without arguments it is `tcp`, `iterative`, and on 127.0.0.1:9999; a Unix-domain server without an address is on
//! `upper.sock` in the directory for temporary files. It prints the `socat` command that talks to it; on
//! `tcp` and `unix_stream`, `nc 127.0.0.1 9999` and `nc -U PATH` do so too.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use socketserver::{Address, Reader, Writer, handler, socket_server};

/// The handler of all twelve.
fn upper(input: &mut Reader, output: &mut Writer) -> io::Result<()> {
    while let Some(line) = input.next_line()? {
        writeln!(output, "{}", line.to_uppercase())?;
    }
    Ok(())
}

/// Writes each server, and `serve`, which runs the one of the two words.
macro_rules! servers {
    ($($server:ident($transport:ident, $mixin:ident);)*) => {
        $(
            #[socket_server($transport, $mixin)]
            struct $server;

            #[handler]
            impl $server {
                fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                    upper(input, output)
                }
            }
        )*

        fn serve(transport: &str, mixin: &str, address: &str) -> io::Result<()> {
            match (transport, mixin) {
                $((stringify!($transport), stringify!($mixin)) => {
                    let server = $server.bind(address)?;
                    server.shutdown_on_signals()?;
                    announce(transport, mixin, server.local_address());
                    server.serve_forever()?;
                    println!("drained; requests: {}", server.stats().accepted);
                    Ok(())
                })*
                _ => unreachable!("both words were checked"),
            }
        }
    };
}

servers! {
    TcpIterative(tcp, iterative);
    TcpThreading(tcp, threading);
    TcpForking(tcp, forking);
    UdpIterative(udp, iterative);
    UdpThreading(udp, threading);
    UdpForking(udp, forking);
    UnixStreamIterative(unix_stream, iterative);
    UnixStreamThreading(unix_stream, threading);
    UnixStreamForking(unix_stream, forking);
    UnixDatagramIterative(unix_datagram, iterative);
    UnixDatagramThreading(unix_datagram, threading);
    UnixDatagramForking(unix_datagram, forking);
}

fn announce(transport: &str, mixin: &str, address: &Address) {
    println!("listening on {address} ({transport}, {mixin})");
    println!("try it: printf 'hello\\n' | socat -t 1 - {}", peer(transport, address));
    println!("Ctrl-C drains and ends");
}

/// The server, as `socat` calls it.
fn peer(transport: &str, address: &Address) -> String {
    let name = address.to_string();
    match (transport, name.strip_prefix('@')) {
        ("unix_stream", None) => format!("unix-connect:{name}"),
        ("unix_stream", Some(name)) => format!("abstract-connect:{name}"),
        // A client without a name of its own could not be answered.
        ("unix_datagram", None) => format!("unix-sendto:{name},bind={name}.client"),
        ("unix_datagram", Some(name)) => format!("abstract-sendto:{name},bind={name}.client"),
        (tcp_or_udp, _) => format!("{tcp_or_udp}:{name}"),
    }
}

fn main() -> ExitCode {
    let served = Arguments::parse(env::args().skip(1)).and_then(|Arguments { transport, mixin, address }| {
        serve(transport, mixin, &address).map_err(|error| error.to_string())
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("upper_all: {error}");
            ExitCode::FAILURE
        }
    }
}

const TRANSPORTS: &[&str] = &["tcp", "udp", "unix_stream", "unix_datagram"];
const MIXINS: &[&str] = &["iterative", "threading", "forking"];

struct Arguments {
    transport: &'static str,
    mixin: &'static str,
    address: String,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut transport, mut mixin, mut address) = (TRANSPORTS[0], MIXINS[0], None);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{name}` needs a value"));
            match name.as_str() {
                "--transport" => transport = one_of(TRANSPORTS, &name, &value()?)?,
                "--mixin" => mixin = one_of(MIXINS, &name, &value()?)?,
                "--address" => address = Some(value()?),
                _ => return Err(unknown(&name, &["--transport", "--mixin", "--address"])),
            }
        }
        let address = address.unwrap_or_else(|| match transport {
            "tcp" | "udp" => "127.0.0.1:9999".to_owned(),
            _ => env::temp_dir().join("upper.sock").display().to_string(),
        });
        Ok(Self { transport, mixin, address })
    }
}

fn one_of(words: &'static [&str], name: &str, value: &str) -> Result<&'static str, String> {
    let word = words.iter().copied().find(|word| *word == value);
    word.ok_or_else(|| unknown(format_args!("{name} {value}"), words))
}

fn unknown(word: impl Display, words: &[&str]) -> String {
    format!("unknown `{word}`: there is {}", words.join(", "))
}
