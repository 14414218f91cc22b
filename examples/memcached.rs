//! A memcached: its text protocol, and what was used least recently evicted.
//!
//! ```text
//! cargo run --example memcached                          # on 127.0.0.1:11211
//! printf 'set greeting 0 60 5\r\nhello\r\nget greeting\r\nquit\r\n' | nc 127.0.0.1 11211
//! ```
//!
//! A key has at most 250 bytes, a value at most `--max-value`, all together `--max-memory`. Ctrl-C and SIGTERM drain. Unlike
//! memcached it takes commands in any letter case, and drops the value of one whose key or size it refuses, where
//! memcached reads it as commands. Left out: the binary and the meta protocol, `gat`, `stats` with an argument, SASL, UDP.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Parser;
use socketserver::{
    BoxError, Close, CommandError, CommandErrorKind, CommandName, OneOrMore, Reader, handler, socket_server,
};

use cache::{Cache, Expires, Item};
use wire::{BAD_FORMAT, Found, NoReply, TOO_LARGE, Unless, checked, read_data};

#[path = "memcached/cache.rs"]
mod cache;
#[path = "memcached/wire.rs"]
mod wire;

/// A line that is answered, or one that is an error.
type Result<T = &'static str> = std::result::Result<T, &'static str>;

/// A memcached server.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11211")]
    address: String,
    /// What all items may take: keys, values, and 64 bytes for each.
    #[arg(long, value_name = "BYTES", default_value = "67108864")]
    max_memory: NonZeroUsize,
    /// The longest value.
    #[arg(long, value_name = "BYTES", default_value = "1048576")]
    max_value: NonZeroUsize,
    /// Clients at once; others wait.
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    max_connections: NonZeroUsize,
    /// How long a client may be silent, or take nothing; for ever, if it is not given.
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<NonZeroU64>,
}

#[socket_server(tcp, threading, crlf = true)]
struct Memcached {
    cache: Mutex<Cache>,
    max_value: usize,
}

#[handler]
impl Memcached {
    #[command("get", "gets")]
    fn get<'k>(&self, name: CommandName, keys: OneOrMore<&'k [u8]>) -> Result<Found<'k>> {
        let keys = keys.into_iter().map(checked).collect::<Result<Vec<_>>>()?;
        let mut cache = self.cache();
        let items: Vec<_> = keys.iter().filter_map(|key| Some((*key, cache.get(key)?.clone()))).collect();
        cache.statistics.hits += items.len() as u64;
        cache.statistics.misses += (keys.len() - items.len()) as u64;
        Ok(Found { items, with_unique: &*name == "gets" })
    }

    /// `cas` has the item's unique number before the word `noreply`.
    #[command("set", "add", "replace", "append", "prepend", "cas")]
    #[expect(clippy::too_many_arguments, reason = "they are the protocol's")]
    fn store(
        &self,
        name: CommandName,
        key: &[u8],
        flags: u32,
        exptime: Expires,
        bytes: u32,
        options: Vec<&str>,
        input: &mut Reader,
    ) -> std::result::Result<Unless<Result>, BoxError> {
        let (unique, options) = match options.split_first() {
            Some((unique, rest)) if &*name == "cas" => (Some(unique.parse::<u64>().map_err(|_| BAD_FORMAT)?), rest),
            None if &*name == "cas" => return Err("ERROR".into()),
            _ => (None, &*options),
        };
        let noreply = NoReply::last(options)?;
        let data = read_data(input, key, bytes, self.max_value)?;
        let stored = data.and_then(|data| {
            let mut cache = self.cache();
            let item = match (&*name, cache.get(key)) {
                ("add", Some(_)) | ("replace" | "append" | "prepend", None) => return Ok("NOT_STORED"),
                ("cas", None) => return Ok("NOT_FOUND"),
                ("cas", Some(old)) if Some(old.unique) != unique => return Ok("EXISTS"),
                ("append", Some(old)) => old.with([&old.data, &*data].concat()),
                ("prepend", Some(old)) => old.with([&*data, &old.data].concat()),
                _ => Item::new(data, flags, exptime),
            };
            if item.data.len() <= self.max_value && cache.put(key, item) { Ok("STORED") } else { Err(TOO_LARGE) }
        });
        Ok(Unless(noreply, stored))
    }

    /// Clients of old say for how long, which must be 0.
    #[command]
    fn delete(&self, key: &[u8], options: Vec<&str>) -> Result<Unless> {
        let noreply = NoReply::last(options.strip_prefix(&["0"]).unwrap_or(&options))?;
        let mut cache = self.cache();
        let is_there = cache.get(checked(key)?).is_some() && cache.remove(key);
        Ok(Unless(noreply, if is_there { "DELETED" } else { "NOT_FOUND" }))
    }

    /// `incr` begins anew beyond 64 bits, `decr` stops at 0.
    #[command("incr", "decr")]
    fn count(&self, name: CommandName, key: &[u8], delta: u64, noreply: Option<NoReply>) -> Result<Unless<String>> {
        let mut cache = self.cache();
        let Some(item) = cache.get(checked(key)?) else { return Ok(Unless(noreply, "NOT_FOUND".to_owned())) };
        let number: Option<u64> = str::from_utf8(&item.data).ok().and_then(|text| text.parse().ok());
        let number = number.ok_or("CLIENT_ERROR cannot increment or decrement non-numeric value")?;
        let number = if &*name == "incr" { number.wrapping_add(delta) } else { number.saturating_sub(delta) };
        let item = item.with(number.to_string().into());
        cache.put(key, item);
        Ok(Unless(noreply, number.to_string()))
    }

    #[command]
    fn touch(&self, key: &[u8], exptime: Expires, noreply: Option<NoReply>) -> Result<Unless> {
        let mut cache = self.cache();
        let touched = cache.get(checked(key)?).map(|item| item.expires = exptime);
        Ok(Unless(noreply, touched.map_or("NOT_FOUND", |()| "TOUCHED")))
    }

    #[command]
    fn flush_all(&self, options: Vec<&str>) -> Result<Unless> {
        let (delay, options) = match options.split_first() {
            Some((delay, options)) if *delay != "noreply" => (delay.parse().map_err(|_| BAD_FORMAT)?, options),
            _ => (0, &*options),
        };
        let noreply = NoReply::last(options)?;
        self.cache().flush(Duration::from_secs(delay));
        Ok(Unless(noreply, "OK"))
    }

    #[command]
    fn verbosity(&self, _level: u32, noreply: Option<NoReply>) -> Unless {
        Unless(noreply, "OK")
    }

    #[command]
    fn stats(&self) -> Vec<String> {
        let all = self.cache().statistics();
        all.into_iter().map(|(name, value)| format!("STAT {name} {value}")).chain(["END".to_owned()]).collect()
    }

    #[command]
    fn version(&self) -> &'static str {
        concat!("VERSION ", env!("CARGO_PKG_VERSION"))
    }

    #[command]
    fn quit(&self) -> Close {
        Close(())
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        match (error.kind(), error.command(), error.argument()) {
            (CommandErrorKind::Failed, ..) => error.to_string(),
            (CommandErrorKind::Frame, ..) => format!("CLIENT_ERROR {error}"),
            (CommandErrorKind::Invalid, "touch", "exptime") => "CLIENT_ERROR invalid exptime argument".to_owned(),
            (CommandErrorKind::Invalid, _, "delta") => "CLIENT_ERROR invalid numeric delta argument".to_owned(),
            (CommandErrorKind::Invalid, ..) => BAD_FORMAT.to_owned(),
            _ => "ERROR".to_owned(),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn main() -> std::io::Result<()> {
    env_logger::init();
    let arguments = Arguments::parse();
    let idle_timeout = arguments.idle_timeout.map(|seconds| Duration::from_secs(seconds.get()));
    let (max_memory, max_value) = (arguments.max_memory.get(), arguments.max_value.get());
    let server = Memcached { cache: Mutex::new(Cache::new(max_memory)), max_value }
        .builder()
        .max_threads(arguments.max_connections.get())
        .read_timeout(idle_timeout)
        .write_timeout(idle_timeout)
        .bind(arguments.address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
