//! Receives the messages of syslog (RFC 5424, and RFC 3164 as it is spoken) on UDP and on a Unix datagram socket at once,
//! and prints their fields, each message a line.
//!
//! ```text
//! cargo run --example syslog -- --path /tmp/syslog.sock     # and on UDP at 127.0.0.1:5514
//!
//! logger --socket /tmp/syslog.sock --tag backup done
//! logger --server 127.0.0.1 --port 5514 --udp --priority mail.err 'no more room'
//! logger --socket /tmp/syslog.sock --rfc5424 --msgid LOGIN --sd-id origin --sd-param 'ip="192.0.2.1"' hello
//! ```
//!
//! The fields are facility and severity, timestamp, host, application, process id, message id, structured data and the
//! message, with tabs in between, and `-` for what is absent. Control characters are shown by their escapes, so a packet
//! is one line whatever is in it. What is no message is told in the log, and the next packet is taken.
//!
//! Left out: TCP and TLS (RFC 6587, 5425), files and their rotation, relaying. RFC 3164 has no years and no time zones:
//! this year's and the local one are taken. What is not UTF-8 is replaced.

use std::env;
use std::io::{self, Write};
use std::num::ParseIntError;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{Datelike, Local};
use clap::{Parser, value_parser};
use env_logger::Env;
use log::{error, warn};
use socketserver::{Datagram, handler, socket_server};
use syslog_loose::{Message, Protocol, Variant, decompose_pri, parse_message_with_year};

/// Receives and prints syslog messages.
#[derive(Parser)]
struct Arguments {
    /// Where to receive on UDP.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5514")]
    address: String,
    /// The Unix datagram socket; by default `syslog.sock` in the directory for temporary files.
    #[arg(long, default_value_os_t = env::temp_dir().join("syslog.sock"))]
    path: PathBuf,
    /// The permissions of that socket, in octal: who may write to it may log.
    #[arg(long, value_name = "MODE", default_value = "666", value_parser = octal)]
    socket_mode: u32,
    /// The longest packet taken whole, in bytes; the rest of a longer one is lost.
    #[arg(long, value_name = "BYTES", default_value_t = 8192, value_parser = value_parser!(u32).range(1..=1 << 20))]
    max_packet_size: u32,
}

fn octal(text: &str) -> Result<u32, ParseIntError> {
    u32::from_str_radix(text, 8)
}

#[socket_server(udp)]
struct Udp;

#[handler]
impl Udp {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        receive(packet)
    }
}

#[socket_server(unix_datagram)]
struct Unix;

#[handler]
impl Unix {
    fn handle(&self, packet: &mut Datagram) -> io::Result<()> {
        receive(packet)
    }
}

/// The handler of both.
fn receive(packet: &Datagram) -> io::Result<()> {
    let (peer, length) = (packet.peer_address(), packet.payload().len());
    if packet.is_truncated() {
        warn!("a packet from {peer} is longer than {length} bytes, and its end is lost");
    }
    let text = String::from_utf8_lossy(packet.payload());
    match parse(text.trim_end_matches(['\n', '\0'])) {
        Ok(message) => writeln!(io::stdout(), "{}", line(&message)),
        Err(reason) => {
            let beginning: String = text.chars().take(80).collect();
            warn!("a malformed packet of {length} bytes from {peer}: {reason}: {beginning:?}");
            Ok(())
        }
    }
}

fn parse(text: &str) -> Result<Message<&str>, &'static str> {
    let beginning = text.strip_prefix('<').and_then(|text| text.split_once('>'));
    let (priority, rest) = beginning.ok_or("it does not begin with a priority")?;
    let priority = priority.parse().ok().filter(|priority| *priority <= 191);
    let priority = priority.ok_or("its priority is no number up to 191")?;
    let mut message = parse_message_with_year(text, |_| Local::now().year(), Variant::Either);
    if message.facility.is_none() {
        if rest.starts_with("1 ") {
            return Err("it is not whole, or not as RFC 5424 has it");
        }
        // There is no header: Python's `SysLogHandler` writes none, and RFC 3164 (4.3.2) has the rest be the text.
        (message.facility, message.severity) = decompose_pri(priority);
        message.msg = rest;
    }
    // `TIMESTAMP TAG: MESSAGE`, as syslog(3) writes it to its own host.
    if message.protocol == Protocol::RFC3164 && message.appname.is_none() {
        message.appname = message.hostname.take();
    }
    message.msg = message.msg.trim_start_matches('\u{feff}');
    Ok(message)
}

/// The fields as they are printed.
fn line(message: &Message<&str>) -> String {
    let priority = message.facility.zip(message.severity);
    let structured_data: String = message.structured_data.iter().map(ToString::to_string).collect();
    let fields = [
        priority.map(|(facility, severity)| format!("{}.{}", facility.as_str(), severity.as_str())),
        message.timestamp.map(|timestamp| timestamp.to_rfc3339()),
        message.hostname.map(str::to_owned),
        message.appname.map(str::to_owned),
        message.procid.as_ref().map(ToString::to_string),
        message.msgid.map(str::to_owned),
        Some(structured_data),
        Some(message.msg.to_owned()),
    ];
    fields
        .map(|field| field.filter(|field| !field.is_empty()).map_or("-".to_owned(), |field| escaped(&field)))
        .join("\t")
}

fn escaped(field: &str) -> String {
    let mut escaped = String::new();
    for character in field.chars() {
        // Others end a line too, or have what follows shown from right to left.
        if character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(Env::default().default_filter_or("info")).init();
    if let Err(error) = serve(&Arguments::parse()) {
        error!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn serve(arguments: &Arguments) -> io::Result<()> {
    let most = arguments.max_packet_size as usize;
    let udp = Udp.builder().max_packet_size(most).bind(&arguments.address)?;
    let unix = Unix.builder().max_packet_size(most).socket_mode(arguments.socket_mode).bind(&arguments.path)?;
    udp.shutdown_on_signals()?;
    unix.shutdown_on_signals()?;

    println!("listening on {}", udp.local_address());
    println!("listening on {}", unix.local_address());
    println!("Ctrl-C drains and ends");
    let unix = unix.start()?;
    udp.serve_forever()?;
    println!("drained; packets: {}", udp.stats().accepted + unix.stats().accepted);
    unix.shutdown()
}
