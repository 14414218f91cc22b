//! Ours, with the macros.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::Instant;

use socketserver::{Datagram, Reader, Writer, handler, socket_server};

use super::{Job, Kind, PAUSE, SHORT, serves, unsupported};

/// `servers! { Name: options of the attribute, hook; .. }`
macro_rules! servers {
    ($($name:ident: $transport:ident, $mixin:ident $(, $option:ident = $value:expr)*; $hook:ident;)*) => {$(
        #[socket_server($transport, $mixin $(, $option = $value)*)]
        struct $name;

        servers! { @$hook $name }
    )*};
    (@short $name:ident) => {
        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                let mut request = [0; SHORT];
                input.read_exact(&mut request)?;
                request.make_ascii_uppercase();
                output.write_all(&request)
            }
        }
    };
    (@blocking $name:ident) => {
        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                let mut request = [0; SHORT];
                input.read_exact(&mut request)?;
                thread::sleep(PAUSE);
                request.make_ascii_uppercase();
                output.write_all(&request)
            }
        }
    };
    (@lines $name:ident) => {
        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
                let mut reply = Vec::new();
                while let Some(line) = input.next_line_bytes()? {
                    reply.clear();
                    reply.extend_from_slice(line);
                    reply.push(b'\n');
                    reply.make_ascii_uppercase();
                    output.write_all(&reply)?;
                }
                Ok(())
            }
        }
    };
    (@packets $name:ident) => {
        #[handler]
        impl $name {
            fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
                packet.reply(&packet.payload().to_ascii_uppercase())
            }
        }
    };
}

const MOST: usize = 11_000;

servers! {
    ShortThreading: tcp, threading, max_threads = MOST; short;
    BlockingThreading: tcp, threading, max_threads = MOST; blocking;
    ShortIterative: tcp, iterative; short;
    ShortForking: tcp, forking; short;
    LinesThreading: tcp, threading, max_threads = MOST; lines;
    LinesSlim: tcp, threading, max_threads = MOST, stack_size = 65_536; lines;
    LinesIterative: tcp, iterative; lines;
    PacketsThreading: udp, threading, max_threads = MOST; packets;
    PacketsIterative: udp, iterative; packets;
    PacketsForking: udp, forking; packets;
    UnixShortThreading: unix_stream, threading, max_threads = MOST; short;
    UnixLinesThreading: unix_stream, threading, max_threads = MOST; lines;
    UnixPacketsThreading: unix_datagram, threading, max_threads = MOST; packets;
}

macro_rules! serve {
    ($name:ident, $address:expr) => {{
        in_own_frame(|| {
            let server = $name.bind($address)?;
            serves(server.local_address())?;
            server.serve_forever()
        })
    }};
}

/// As in a program that has one server. A frame with all of them has 27 KB, and what a forking parent writes to between
/// two forks is copied by the page.
#[inline(never)]
fn in_own_frame(serve: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    serve()
}

const ANY: &str = "127.0.0.1:0";

pub(super) fn serve(kind: Kind, job: Job, path: &Path) -> io::Result<()> {
    match (kind, job) {
        (Kind::Threading, Job::Short) => serve!(ShortThreading, ANY),
        (Kind::Threading, Job::Blocking) => serve!(BlockingThreading, ANY),
        (Kind::Iterative, Job::Short) => serve!(ShortIterative, ANY),
        (Kind::Forking, Job::Short) => serve!(ShortForking, ANY),
        (Kind::Threading, Job::Lines) => serve!(LinesThreading, ANY),
        (Kind::ThreadingSlim, Job::Lines) => serve!(LinesSlim, ANY),
        (Kind::Iterative, Job::Lines) => serve!(LinesIterative, ANY),
        (Kind::Threading, Job::Packets) => serve!(PacketsThreading, ANY),
        (Kind::Iterative, Job::Packets) => serve!(PacketsIterative, ANY),
        (Kind::Forking, Job::Packets) => serve!(PacketsForking, ANY),
        (Kind::Threading, Job::UnixShort) => serve!(UnixShortThreading, path),
        (Kind::Threading, Job::UnixLines) => serve!(UnixLinesThreading, path),
        (Kind::Threading, Job::UnixPackets) => serve!(UnixPacketsThreading, path),
        _ => Err(unsupported(job)),
    }
}

macro_rules! time_one {
    ($name:ident) => {{
        let server = $name.bind(ANY)?;
        let shutdown = server.shutdown_handle();
        let address = server.local_address().socket_addr().expect("an Internet address");
        let serving = thread::spawn(move || server.serve_forever().map(|()| Instant::now()));
        // It has served one request, and then is idle.
        let mut client = TcpStream::connect(address)?;
        client.write_all(&[b'a'; SHORT])?;
        if io::read_to_string(client)? != "A".repeat(SHORT) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let told = Instant::now();
        shutdown.shutdown();
        let returned = serving.join().expect("the server does not panic")?;
        returned.duration_since(told).as_secs_f64() * 1e6
    }};
}

/// Prints, for each of so many servers, the microseconds from `shutdown()` until `serve_forever` has returned.
pub(crate) fn time_shutdown(kind: Kind, times: usize) -> io::Result<()> {
    for _ in 0..times {
        let microseconds = match kind {
            Kind::Threading => time_one!(ShortThreading),
            Kind::Iterative => time_one!(ShortIterative),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        writeln!(io::stdout(), "{microseconds}")?;
    }
    Ok(())
}
