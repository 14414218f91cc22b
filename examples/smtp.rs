//! A mail sink: an SMTP server (RFC 5321) that takes mail for everybody into a maildir, to see what a program sends.
//!
//! ```text
//! cargo run --example smtp -- --maildir /tmp/mail      # on 127.0.0.1:2525
//!
//! swaks --server 127.0.0.1:2525 --to ann@example.com
//! nc -C 127.0.0.1 2525                                 # by hand: EHLO me, MAIL FROM:<..>, RCPT TO:<..>, DATA
//! ```
//!
//! It knows the extensions SIZE, 8BITMIME and PIPELINING, and nothing of TLS, passwords, relaying and mailboxes: who can
//! reach it can fill its disk. A mail is in memory until it is whole. One with a CR or LF that is not part of a CRLF is
//! refused, so that no two servers see different mails in it (a command may end with LF). It gets no `Received`; unknown
//! parameters are passed over; a silent peer hears no 421.

use std::fs::{self, File};
use std::io::{self, BufRead, ErrorKind::UnexpectedEof, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use clap::Parser;
use socketserver::{
    BoxError, Close, CommandError, CommandErrorKind, Connection, Reader, Rest, Writer, handler, socket_server,
};

/// A mail sink: SMTP to a maildir.
#[derive(Clone, Parser)]
struct Arguments {
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2525")]
    address: String,
    /// The maildir; it is made if there is none.
    #[arg(long, value_name = "DIR")]
    maildir: PathBuf,
    #[arg(long, value_name = "BYTES", default_value = "10485760")]
    max_mail: std::num::NonZeroUsize,
    #[arg(long, value_name = "COUNT", default_value = "64")]
    max_connections: std::num::NonZeroUsize,
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    read_timeout: std::num::NonZeroU64,
}

#[socket_server(tcp, threading, crlf = true, max_line = 1_024, write_timeout = Duration::from_mins(1))]
struct Smtp(Arguments);

#[derive(Default)]
struct Session {
    sender: Option<String>,
    recipients: Vec<String>,
}

#[handler(Smtp)]
impl Session {
    fn setup(&mut self, output: &mut Writer) -> io::Result<()> {
        write!(output, "220 localhost ESMTP mail sink\r\n")
    }

    #[command]
    fn ehlo(&mut self, smtp: &Smtp, client: &str) -> String {
        self.helo(client);
        format!("250-localhost\r\n250-SIZE {}\r\n250-8BITMIME\r\n250 PIPELINING", smtp.0.max_mail)
    }

    #[command]
    fn helo(&mut self, _client: &str) -> &'static str {
        self.rset()
    }

    #[command]
    fn mail(&mut self, smtp: &Smtp, from: &str, parameters: Vec<&str>) -> &'static str {
        let size = parameters.iter().find_map(|word| word.to_ascii_uppercase().strip_prefix("SIZE=")?.parse().ok());
        match mailbox(from, "FROM:") {
            _ if self.sender.is_some() => "503 there is a sender already",
            _ if size > Some(smtp.0.max_mail.get()) => "552 the mail is too long",
            None => "501 the sender is FROM:<..>",
            sender => {
                self.sender = sender;
                "250 ok"
            }
        }
    }

    #[command]
    fn rcpt(&mut self, to: &str, _parameters: Vec<&str>) -> &'static str {
        match mailbox(to, "TO:") {
            _ if self.sender.is_none() => "503 MAIL comes first",
            _ if self.recipients.len() >= 100 => "452 too many recipients",
            Some(recipient) if !recipient.is_empty() => {
                self.recipients.push(recipient);
                "250 ok"
            }
            _ => "501 a recipient is TO:<..>",
        }
    }

    #[command]
    fn data(&mut self, smtp: &Smtp, connection: &mut Connection) -> io::Result<String> {
        if self.recipients.is_empty() {
            return Ok("503 RCPT comes first".into());
        }
        let (sender, recipients) = (self.sender.take().unwrap_or_default(), self.recipients.join(", "));
        self.rset();
        let head = format!("Return-Path: <{sender}>\nDelivered-To: {recipients}\n");
        write!(connection, "354 the mail, and then a line with a dot\r\n")?;
        let mail = match receive(connection.reader(), head.into_bytes(), smtp.0.max_mail.get())? {
            Ok(mail) => mail,
            Err(refusal) => return Ok(refusal.into()),
        };
        let name = deliver(&smtp.0.maildir, &mail)?;
        log::info!("{}: from <{sender}> to {recipients}: {name}", connection.peer_address());
        Ok(format!("250 {name}"))
    }

    #[command]
    fn rset(&mut self) -> &'static str {
        *self = Self::default();
        "250 ok"
    }

    #[command]
    fn noop(&mut self, _text: Rest) -> &'static str {
        "250 ok"
    }

    #[command]
    fn vrfy(&mut self, _user: Rest) -> &'static str {
        "252 mail for everybody is taken"
    }

    #[command]
    fn quit(&mut self) -> Close<&'static str> {
        Close("221 bye")
    }

    #[on_error]
    fn refused(&mut self, error: &CommandError) -> String {
        match error.kind() {
            CommandErrorKind::Failed => format!("451 {error}"),
            CommandErrorKind::Unknown | CommandErrorKind::Frame => format!("500 {error}"),
            _ => format!("501 {error}"),
        }
    }
}

/// The mailbox in `FROM:<ann@example.com>`; that of a bounce is empty.
fn mailbox(argument: &str, keyword: &str) -> Option<String> {
    let (before, path) = argument.split_at_checked(keyword.len())?;
    let mailbox = path.strip_prefix('<')?.strip_suffix('>')?;
    (before.eq_ignore_ascii_case(keyword) && !mailbox.contains(char::is_control)).then(|| mailbox.to_owned())
}

/// Appends what comes up to the single dot to the head of the mail; one that is refused is heard out.
fn receive(input: &mut Reader, mut mail: Vec<u8>, max_mail: usize) -> io::Result<Result<Vec<u8>, &'static str>> {
    // Behind the end of the line before it. Of a mail that is too long, only what may belong to its end is kept.
    let (mut data, mut is_too_long) = (b"\r\n".to_vec(), false);
    while !data.ends_with(b"\r\n.\r\n") {
        if input.take(65_536).read_until(b'\n', &mut data)? == 0 {
            return Err(UnexpectedEof.into());
        }
        is_too_long |= data.len() > max_mail.saturating_add(5);
        data.drain(..if is_too_long { data.len() - 5 } else { 0 });
    }
    if is_too_long {
        return Ok(Err("552 the mail is too long"));
    }
    for line in data[2..data.len() - 3].split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").filter(|line| !line.contains(&b'\r'));
        let Some(line) = line else { return Ok(Err("554 CR and LF are only sent as CRLF")) };
        mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        mail.push(b'\n');
    }
    Ok(Ok(mail))
}

/// Writes the mail, which is in `new` once it is whole; its name, which no other of this host has.
fn deliver(maildir: &Path, mail: &[u8]) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (now, count) = (SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(), COUNT.fetch_add(1, Relaxed));
    let name = format!("{}.M{}P{}Q{count}.localhost", now.as_secs(), now.subsec_micros(), std::process::id());
    let draft = maildir.join("tmp").join(&name);
    let written = File::create_new(&draft).and_then(|mut file| file.write_all(mail).and_then(|()| file.sync_all()));
    let delivered = written.and_then(|()| fs::rename(&draft, maildir.join("new").join(&name)));
    delivered.inspect_err(|_| drop(fs::remove_file(&draft))).map(|()| name)
}

fn main() -> Result<(), BoxError> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    for directory in ["tmp", "new", "cur"].map(|name| arguments.maildir.join(name)) {
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    }
    let Arguments { address, max_connections, read_timeout, .. } = arguments.clone();
    let builder = Smtp(arguments).builder().max_threads(max_connections.get());
    let server = builder.read_timeout(Duration::from_secs(read_timeout.get())).bind(address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
