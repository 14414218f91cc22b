//! A file server: HTTP/1.1 (RFC 9110, RFC 9112) for what is below one directory.
//!
//! ```text
//! cargo run --example http -- --root /usr/share/doc      # on 127.0.0.1:8080
//! curl -i -r 0-99 http://127.0.0.1:8080/FILE
//! ```
//!
//! It knows GET and HEAD, connections that are kept, pipelines, and one range of bytes. It has no TLS, no compression and
//! no validators, so a browser asks for everything again. A request with a body, or of HTTP/1.0, ends its connection. A
//! directory is always listed; a link that leads out of the root is refused. Who sends a byte now and then is served.

use std::ffi::OsString;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cap_std::{ambient_authority, fs::Dir};
use clap::Parser;
use httparse::{EMPTY_HEADER, Request, Status};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use socketserver::{
    Address, Answer, BoxError, CommandError, Decoded, Frame, FrameError, MessageOptions, Reply, handler, socket_server,
};

/// A file server over HTTP/1.1.
#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    address: String,
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    #[arg(long, value_name = "BYTES", default_value = "16384")]
    max_head: std::num::NonZeroUsize,
    #[arg(long, value_name = "COUNT", default_value = "256")]
    max_connections: std::num::NonZeroUsize,
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    idle_timeout: std::num::NonZeroU64,
}

/// A message is the head of a request, up to the blank line. One that ends before it is for the parser to refuse.
struct Head(usize);

#[rustfmt::skip] // The short functions are lines of a table.
impl Frame for Head {
    fn new(options: &MessageOptions) -> Self { Self(options.max_message) }
    fn max_length(&self) -> usize { self.0 }
    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|position| position + 4);
        Ok(end.map_or(Decoded::Incomplete, |length| Decoded::Message { body: 0..length, length }))
    }
    fn decode_last(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let length = received.len();
        Ok(Decoded::Message { body: 0..length, length })
    }
}

#[socket_server(tcp, threading)]
struct Http(Dir); // It opens nothing that is outside of it, whatever a path and its links say.

#[handler(frame = Head)]
impl Http {
    #[message]
    fn request(&self, head: &[u8], peer: &Address) -> Response {
        let mut fields = [EMPTY_HEADER; 64];
        let mut request = Request::new(&mut fields);
        let version = (request.parse(head) == Ok(Status::Complete(head.len()))).then_some(request.version).flatten();
        let field = |name: &str| {
            let fields = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            let values = fields.map(|field| String::from_utf8_lossy(field.value).to_ascii_lowercase());
            values.reduce(|all, next| all + "," + &next)
        };
        let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
        let range = field("range").filter(|_| method == "GET" && field("if-range").is_none());
        let is_bad = version.is_none() || version == Some(1) && field("host").is_none_or(|hosts| hosts.contains(','));
        let mut response = match method {
            _ if is_bad => Response::error("400 Bad Request"),
            "GET" | "HEAD" => self.find(target, range).unwrap_or_else(|error| {
                Response::error(match error.kind() {
                    ErrorKind::InvalidInput | ErrorKind::InvalidFilename => "400 Bad Request",
                    ErrorKind::NotFound | ErrorKind::NotADirectory => "404 Not Found",
                    ErrorKind::PermissionDenied => "403 Forbidden",
                    _ => "500 Internal Server Error",
                })
            }),
            _ => Response::error("501 Not Implemented"),
        };
        response.body = response.body.filter(|_| method != "HEAD");
        response.is_kept = version == Some(1)
            && !field("connection").is_some_and(|connection| connection.contains("close"))
            && field("content-length").or(field("transfer-encoding")).is_none();
        log::info!("{peer}: {method} {}: {}", target.escape_debug(), response.status);
        response
    }

    #[on_error]
    fn refused(&self, _error: &CommandError) -> Response {
        Response::error("431 Request Header Fields Too Large")
    }

    fn find(&self, target: &str, range: Option<String>) -> io::Result<Response> {
        // As a client of a proxy says it, with the host.
        let target = target.strip_prefix("http://").map_or(target, |rest| rest.split_once('/').unwrap_or_default().1);
        let path = target.split('?').next().unwrap_or_default().trim_matches('/');
        let file = Path::new(".").join(OsString::from_vec(percent_decode_str(path).collect()));
        let metadata = self.0.metadata(&file)?;
        if metadata.is_dir() {
            let page = list(&self.0.open_dir(&file)?, path)?;
            let (html, length) = ("Content-Type: text/html; charset=utf-8\r\n".to_owned(), page.len() as u64);
            return Ok(Response::new("200 OK", html, Cursor::new(page), length));
        }
        // To open anything else could wait for ever.
        let mut content = if metadata.is_file() { self.0.open(&file)? } else { return Err(ErrorKind::NotFound.into()) };
        let length = content.metadata()?.len();
        let kind = mime_guess::from_path(&file).first_or_octet_stream();
        let fields = format!("Content-Type: {kind}\r\nAccept-Ranges: bytes\r\n");
        let Some(range) = range.and_then(|text| part(&text, length)) else {
            return Ok(Response::new("200 OK", fields, content, length));
        };
        if range.is_empty() {
            let fields = format!("Content-Range: bytes */{length}\r\n");
            return Ok(Response { fields, ..Response::error("416 Range Not Satisfiable") });
        }
        content.seek(SeekFrom::Start(range.start))?;
        let fields = format!("{fields}Content-Range: bytes {}-{}/{length}\r\n", range.start, range.end - 1);
        Ok(Response::new("206 Partial Content", fields, content, range.end - range.start))
    }
}

/// The one range of `bytes=..`; empty if it begins behind the end.
fn part(text: &str, length: u64) -> Option<std::ops::Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=").filter(|text| !text.contains('+'))?.split_once('-')?;
    if first.is_empty() {
        return Some(length.saturating_sub(last.parse().ok()?)..length);
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    (first <= last).then(|| first.min(length)..last.saturating_add(1).min(length))
}

fn list(directory: &Dir, path: &str) -> io::Result<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut rows = Vec::new();
    for entry in directory.entries()? {
        let (name, kind) = entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)))?;
        let (link, slash) = (percent_encode(name.as_bytes(), NON_ALPHANUMERIC), if kind.is_dir() { "/" } else { "" });
        rows.push(format!("<li><a href=\"{link}{slash}\">{}{slash}</a>\n", escape(&name.to_string_lossy())));
    }
    rows.sort_unstable();
    let base = escape(&format!("/{path}/").replace("//", "/"));
    Ok(format!("<!DOCTYPE html>\n<base href=\"{base}\"><title>{base}</title>\n<ul>\n{}</ul>\n", rows.concat()))
}

struct Response {
    status: &'static str,
    fields: String,
    body: Option<Box<dyn Read>>,
    length: u64,
    is_kept: bool,
}

impl Response {
    fn new(status: &'static str, fields: String, body: impl Read + 'static, length: u64) -> Self {
        Self { status, fields, body: Some(Box::new(body)), length, is_kept: false }
    }

    fn error(status: &'static str) -> Self {
        Self::new(status, "Content-Type: text/plain\r\n".into(), status.as_bytes(), status.len() as u64)
    }
}

impl Reply for Response {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        let Self { status, fields, body, length, is_kept } = self;
        let date = httpdate::HttpDate::from(SystemTime::now());
        let connection = if is_kept { "keep-alive" } else { "close" };
        let fields = format!("{fields}Date: {date}\r\nConnection: {connection}\r\nContent-Length: {length}\r\n");
        write!(answer, "HTTP/1.1 {status}\r\n{fields}\r\n")?;
        if body.map_or(Ok(length), |body| io::copy(&mut body.take(length), answer))? < length {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the file has become shorter"));
        }
        if !is_kept {
            answer.close();
        }
        Ok(())
    }
}

fn main() -> Result<(), BoxError> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let Arguments { address, root, max_head, max_connections, idle_timeout } = Arguments::parse();
    let root = Dir::open_ambient_dir(&root, ambient_authority()).map_err(|why| format!("{}: {why}", root.display()))?;
    let timeout = Duration::from_secs(idle_timeout.get());
    let builder = Http(root).builder().max_message(max_head.get()).max_threads(max_connections.get());
    let server = builder.read_timeout(timeout).write_timeout(timeout).bind(address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    Ok(server.serve_forever()?)
}
