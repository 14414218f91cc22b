//! A memcached: its text protocol, and what was used least recently evicted.
//!
//! ```text
//! cargo run --example memcached                          # on 127.0.0.1:11211
//! printf 'set greeting 0 60 5\r\nhello\r\nget greeting\r\nquit\r\n' | nc 127.0.0.1 11211
//! ```
//!
//! Unlike memcached it takes commands in any letter case and a last line without its end, does not pad what `decr`
//! shortens, passes over the value of a key that is too long, keeps what was there where a value is too large, and
//! tells of wrong words despite `noreply`. Left out: the binary and meta protocols, `gat`, most of `stats`, SASL, UDP.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use clap::{Parser, builder::TypedValueParser};
use hashlink::LinkedHashMap;
use socketserver::{
    BoxError, Close, CommandError, CommandErrorKind, CommandName, OneOrMore, Reader, Writer, handler, socket_server,
};

const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format";
const TOO_LARGE: &str = "SERVER_ERROR object too large for cache";

type Result<T = &'static str, E = &'static str> = std::result::Result<T, E>; // Either is the line of a reply.

/// A memcached server.
#[derive(Parser)]
#[socket_server(tcp, threading, crlf = true, max_line = 1 << 18)]
struct Memcached {
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11211")]
    address: String,
    /// What all items may take, those that are over too: keys, values, and 64 bytes for each.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_memory: usize,
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_value: u32,
    #[arg(long, value_name = "COUNT", default_value = "1024")]
    max_connections: std::num::NonZeroUsize,
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..).map(Duration::from_secs))]
    idle_timeout: Option<Duration>,
    #[arg(skip)]
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    items: LinkedHashMap<Vec<u8>, Item>, // In the order of their use.
    bytes: usize,
    flush_at: Option<i64>, // In Unix seconds, as all times.
    last_unique: u64,
    hits: usize,
    misses: usize,
    evictions: usize,
}

#[derive(Clone)]
struct Item {
    data: Arc<[u8]>,
    flags: u32,
    expires: i64,
    unique: u64,
}

#[handler]
#[rustfmt::skip] // So that the short commands are lines of a table.
impl Memcached {
    #[command("get", "gets")]
    fn get(&self, name: CommandName, keys: OneOrMore<&[u8]>, output: &mut Writer) -> Result<&str, BoxError> {
        let find = |key: &&[u8]| self.change(key, |item, _| Ok((item.clone(), item)));
        let items = keys.iter().map(find).collect::<Result<Vec<_>>>()?;
        let hits = items.iter().flatten().count();
        self.cache().hits += hits;
        self.cache().misses += items.len() - hits;
        for (key, item) in keys.into_iter().zip(items) {
            let Some(Item { data, flags, unique, .. }) = item else { continue };
            let unique = if &*name == "gets" { format!(" {unique}") } else { String::new() };
            let head = format!(" {flags} {}{unique}\r\n", data.len());
            output.write_all(&[b"VALUE ", key, head.as_bytes(), &data, b"\r\n"].concat())?;
        }
        Ok("END")
    }

    #[command("set", "add", "replace", "append", "prepend", "cas")] #[expect(clippy::too_many_arguments)]
    fn store(&self, name: CommandName, key: &[u8], flags: u32, exptime: i64, bytes: u32,
             option: Option<&str>, last: Option<&str>, input: &mut Reader) -> Result<Vec<Result>, BoxError> {
        let (expected, noreply) = match (&*name, option, last) {
            ("cas", Some(unique), noreply) => (unique.parse().map_err(|_| BAD_FORMAT)?, noreply),
            ("cas", None, _) | (_, _, Some(_)) => return Err("ERROR".into()),
            (_, noreply, None) => (0, noreply),
        };
        let (mut data, mut block) = (Vec::new(), input.take(u64::from(bytes) + 2));
        block.by_ref().take(u64::from(self.max_value) + 2).read_to_end(&mut data)?;
        io::copy(&mut block, &mut io::sink())?; // What is refused is read too.
        let store = |old: Option<Item>, unique| {
            let data = data.strip_suffix(b"\r\n").filter(|data| data.len() == bytes as usize);
            let data = data.ok_or(if bytes > self.max_value { TOO_LARGE } else { "CLIENT_ERROR bad data chunk" })?;
            let item = match (&*name, old) {
                ("add", Some(_)) | ("replace" | "append" | "prepend", None) => return Err("NOT_STORED"),
                ("cas", None) => return Err("NOT_FOUND"),
                ("cas", Some(old)) if old.unique != expected => return Err("EXISTS"),
                ("append", Some(old)) => Item { data: [&old.data, data].concat().into(), unique, ..old },
                ("prepend", Some(old)) => Item { data: [data, &old.data].concat().into(), unique, ..old },
                _ => Item { data: data.into(), flags, expires: Self::expiry(exptime), unique },
            };
            Ok((Some(item), "STORED"))
        };
        Ok(Self::unless(noreply, self.change(key, store)))
    }

    #[command("incr", "decr")]
    fn count(&self, name: CommandName, key: &[u8], delta: u64, noreply: Option<&str>) -> Vec<Result<String>> {
        Self::unless(noreply, self.change(key, |old, unique| {
            let old = old.ok_or("NOT_FOUND")?;
            let number = str::from_utf8(&old.data).ok().and_then(|text| text.trim().parse::<u64>().ok());
            let number = number.ok_or("CLIENT_ERROR cannot increment or decrement non-numeric value")?;
            let number = if &*name == "incr" { number.wrapping_add(delta) } else { number.saturating_sub(delta) };
            Ok((Some(Item { data: number.to_string().as_bytes().into(), unique, ..old }), number.to_string()))
        }))
    }

    #[command] fn touch(&self, key: &[u8], exptime: i64, noreply: Option<&str>) -> Vec<Result> {
        let touch = |old| (Some(Item { expires: Self::expiry(exptime), ..old }), "TOUCHED");
        Self::unless(noreply, self.change(key, |old, _| old.map(touch).ok_or("NOT_FOUND")))
    }
    #[command] fn delete(&self, key: &[u8], more: Vec<&str>) -> Vec<Result> {
        if !matches!(*more, [] | ["0" | "noreply"] | ["0", "noreply"]) { return vec![Err(BAD_FORMAT)]; }
        Self::unless(more.last().copied(), self.change(key, |old, _| old.map(|_| (None, "DELETED")).ok_or("NOT_FOUND")))
    }
    #[command] fn flush_all(&self, delay: Option<&str>, noreply: Option<&str>) -> Result<Vec<&str>> {
        let time = delay.filter(|word| *word != "noreply").map_or(Ok(0), str::parse).map_err(|_| BAD_FORMAT)?;
        self.cache().flush_at = Some(if time > 0 { Self::expiry(time) } else { Self::now() });
        Ok(Self::unless(noreply.or(delay), "OK"))
    }
    #[command] fn stats(&self) -> String {
        let Cache { items, bytes, hits, misses, evictions, .. } = &*self.cache();
        format!("STAT pid {}\r\nSTAT get_hits {hits}\r\nSTAT get_misses {misses}\r\nSTAT evictions {evictions}\r\n\
                 STAT curr_items {}\r\nSTAT bytes {bytes}\r\nSTAT limit_maxbytes {}\r\nEND",
                std::process::id(), items.len(), self.max_memory)
    }
    #[command] fn verbosity(&self, _level: u32, noreply: Option<&str>) -> Vec<&str> { Self::unless(noreply, "OK") }
    #[command] fn version(&self, _more: Vec<&[u8]>) -> &'static str { concat!("VERSION ", env!("CARGO_PKG_VERSION")) }
    #[command] fn quit(&self, _more: Vec<&[u8]>) -> Close { Close(()) }

    #[on_error] fn refused(&self, error: &CommandError) -> String {
        match (error.kind(), error.command(), error.argument()) {
            (CommandErrorKind::Failed, ..) => error.to_string(),
            (CommandErrorKind::Frame, ..) => format!("CLIENT_ERROR {error}"),
            (CommandErrorKind::Invalid, "touch", "exptime") => "CLIENT_ERROR invalid exptime argument".into(),
            (CommandErrorKind::Invalid, _, "delta") => "CLIENT_ERROR invalid numeric delta argument".into(),
            (CommandErrorKind::Invalid, ..) => BAD_FORMAT.into(),
            _ => "ERROR".into(),
        }
    }

    /// Has an item be what `change` makes of it and of the next unique number. Those used least recently make room.
    fn change<R>(&self, key: &[u8], change: impl FnOnce(Option<Item>, u64) -> Result<(Option<Item>, R)>) -> Result<R> {
        let cache = &mut *self.cache();
        let old = cache.items.get(key).filter(|old| old.expires > Self::now()).cloned();
        let (new, reply) = if key.len() > 250 { Err(BAD_FORMAT) } else { change(old, cache.last_unique + 1) }?;
        let size = |key: &[u8], item: &Item| 64 + key.len() + item.data.len();
        let is_too_large = |new: &Item| new.data.len() > self.max_value as usize || size(key, new) > self.max_memory;
        if new.as_ref().is_some_and(is_too_large) { return Err(TOO_LARGE); }
        cache.bytes -= cache.items.remove(key).map_or(0, |old| size(key, &old));
        if let Some(new) = new {
            cache.bytes += size(key, &new);
            cache.last_unique = cache.last_unique.max(new.unique);
            cache.items.insert(key.to_vec(), new);
        }
        while cache.bytes > self.max_memory && let Some((key, item)) = cache.items.pop_front() {
            cache.bytes -= size(&key, &item);
            cache.evictions += 1;
        }
        Ok(reply)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = cache.flush_at.take_if(|at| *at <= Self::now()).is_some();
        if is_due { (cache.items, cache.bytes) = Default::default(); }
        cache
    }

    fn unless<R>(word: Option<&str>, reply: R) -> Vec<R> { if word == Some("noreply") { vec![] } else { vec![reply] } }
    /// From an `exptime`: 0 is never, up to 30 days are seconds from now, and other numbers a Unix time.
    fn expiry(time: i64) -> i64 { match time { 0 => i64::MAX, 1..=2_592_000 => Self::now() + time, _ => time } }
    fn now() -> i64 { Utc::now().timestamp() }
}

fn main() -> io::Result<()> {
    env_logger::init();
    let memcached = Memcached::parse();
    let (address, most, timeout) = (memcached.address.clone(), memcached.max_connections.get(), memcached.idle_timeout);
    let server = memcached.builder().max_threads(most).read_timeout(timeout).write_timeout(timeout).bind(address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    server.serve_forever()
}
