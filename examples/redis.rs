//! A Redis: strings, lists, sets and hashes in memory, over RESP2.
//!
//! ```text
//! cargo run --example redis                                    # on 127.0.0.1:6379
//! redis-cli set greeting hello ex 60
//! printf 'SET greeting hello\r\nGET greeting\r\n' | nc -N 127.0.0.1 6379
//! ```
//!
//! Each command is done at once and as a whole, and an error says what Redis says. What does not fit in `--max-memory`
//! is refused: it bounds what is stored and received, not what is replied. Ctrl-C and SIGTERM drain. Left out: other
//! commands and options of SET; all databases but one, disks, RESP3, transactions, publishing, passwords; quotes in a
//! line; what COMMAND tells; patterns of CONFIG GET but `*`. `+5` and `007` are numbers; `[!a]` in KEYS is `[^a]`.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::{Parser, builder::TypedValueParser as _};
use socketserver::{Address, Answer, CommandFrame as _, CommandName, OneOrMore, Reply, Resp, handler, socket_server};

use Said::{Bulk, Bulks, Status};
use store::{ALLOCATOR, Bytes, List, Result, Store, Strings, Text};

#[path = "redis/store.rs"]
mod store;

type Words<'m> = OneOrMore<&'m [u8]>;
type Pairs<'m> = OneOrMore<(&'m [u8], &'m [u8])>;

const SYNTAX: &str = "ERR syntax error";
const OK: Said = Status("OK");

/// The reply of a command that has several kinds of them.
enum Said {
    Status(&'static str),
    Bulk(Bytes),
    Bulks(Strings),
}

impl Reply for Said {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        match self {
            Self::Status(text) => write!(answer, "+{text}\r\n"),
            Self::Bulk(string) => string.reply(answer),
            Self::Bulks(strings) => strings.reply(answer),
        }
    }
}

/// A Redis server.
#[derive(Parser)]
#[socket_server(tcp, threading)]
struct Redis {
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6379")]
    address: String,
    /// What the program may take before it stores no more.
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    max_memory: usize,
    #[arg(long, value_name = "BYTES", default_value = "1048576")]
    max_request: NonZeroUsize,
    /// Clients at once; others wait.
    #[arg(long, value_name = "COUNT", default_value = "1024")]
    max_clients: NonZeroUsize,
    /// How long a client may be silent, or take nothing; by default for ever.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..).map(Duration::from_secs))]
    idle_timeout: Option<Duration>,
    #[arg(skip)]
    store: Mutex<Store>,
}

#[handler(frame = Resp)]
#[rustfmt::skip] // The commands are lines of a table.
impl Redis {
    #[command] fn ping(&self, word: Option<&[u8]>) -> Said { word.map_or(Status("PONG"), |word| Bulk(word.into())) }
    #[command] fn echo(&self, word: &[u8]) -> Bytes { word.into() }
    #[command] fn get(&self, key: &[u8]) -> Result<Text> { self.store().text(key) }
    #[command] fn mget(&self, keys: Words<'_>) -> Vec<Text> { self.store().texts(&keys) }
    #[command] fn set(&self, key: &[u8], value: &[u8], options: Vec<&str>) -> Result<Option<Said>> {
        let (mut exists, mut get, mut end, mut words) = (None, false, None, options.iter());
        while let Some(word) = words.next() {
            match &*word.to_ascii_lowercase() {
                "xx" if exists != Some(false) => exists = Some(true),
                "nx" if exists != Some(true) => exists = Some(false),
                "get" => get = true,
                unit @ ("ex" | "px") if end.is_none() => {
                    let unit = if unit == "ex" { Duration::from_secs } else { Duration::from_millis };
                    end = Some(after(words.next().ok_or(SYNTAX)?.parse()?, unit, "set")?);
                }
                _ => return Err(SYNTAX.into()),
            }
        }
        let mut store = self.room()?;
        let old = if get { store.text(key)?.map(Bulk) } else { Some(OK) };
        if exists.is_some_and(|exists| exists != store.contains(key)) { return Ok(old.filter(|_| get)); }
        store.put(key, value, end);
        Ok(old)
    }
    #[command] fn mset(&self, pairs: Pairs<'_>) -> Result<Said> {
        let mut store = self.room()?;
        pairs.iter().for_each(|(key, value)| store.put(key, value, None));
        Ok(OK)
    }
    #[command] fn append(&self, key: &[u8], more: &[u8]) -> Result<usize> { self.room()?.append(key, more) }
    #[command] fn incr(&self, key: &[u8]) -> Result<i64> { self.room()?.add(key, 1) }
    #[command] fn decr(&self, key: &[u8]) -> Result<i64> { self.room()?.add(key, -1) }
    #[command] fn incrby(&self, key: &[u8], by: i64) -> Result<i64> { self.room()?.add(key, by) }
    #[command] fn exists(&self, keys: Words<'_>) -> usize { self.store().count(&keys) }
    #[command] fn del(&self, keys: Words<'_>) -> usize { self.store().remove(&keys) }
    #[command] fn expire(&self, key: &[u8], seconds: i64) -> Result<bool> {
        let end = if seconds > 0 { after(seconds, Duration::from_secs, "expire")? } else { Instant::now() };
        Ok(self.store().expire(key, end))
    }
    #[command] fn ttl(&self, key: &[u8]) -> Result<i64> { self.store().time_to_live(key) }
    #[command] fn keys(&self, pattern: &str) -> Result<Strings> { self.store().matching(pattern) }
    #[command] fn dbsize(&self) -> usize { self.store().len() }
    #[command] fn flushall(&self, how: Option<&str>) -> Result<Said> {
        let is_known = how.is_none_or(|how| ["async", "sync"].contains(&&*how.to_ascii_lowercase()));
        if is_known { self.store().clear(); Ok(OK) } else { Err(SYNTAX.into()) }
    }
    #[command("lpush", "rpush")] fn push(&self, name: CommandName, key: &[u8], items: Words<'_>) -> Result<usize> {
        self.room()?.list_push(key, if &*name == "lpush" { List::push_front } else { List::push_back }, &items)
    }
    #[command("lpop", "rpop")]
    fn pop(&self, name: CommandName, key: &[u8], count: Option<i64>) -> Result<Option<Said>> {
        let pop = if &*name == "lpop" { List::pop_front } else { List::pop_back };
        let most = usize::try_from(count.unwrap_or(1)).map_err(|_| "ERR value is out of range, must be positive")?;
        let popped = self.store().list_pop(key, pop, most)?;
        Ok(if count.is_some() { popped.map(Bulks) } else { popped.and_then(|mut all| all.pop()).map(Bulk) })
    }
    #[command] fn lrange(&self, key: &[u8], start: i64, stop: i64) -> Result<Strings> {
        self.store().list_range(key, start, stop)
    }
    #[command] fn llen(&self, key: &[u8]) -> Result<usize> { self.store().list_len(key) }
    #[command] fn sadd(&self, key: &[u8], items: Words<'_>) -> Result<usize> { self.room()?.set_add(key, &items) }
    #[command] fn srem(&self, key: &[u8], items: Words<'_>) -> Result<usize> { self.store().set_remove(key, &items) }
    #[command] fn smembers(&self, key: &[u8]) -> Result<Strings> { self.store().set_all(key) }
    #[command] fn hset(&self, key: &[u8], fields: Pairs<'_>) -> Result<usize> { self.room()?.hash_set(key, &fields) }
    #[command] fn hget(&self, key: &[u8], field: &[u8]) -> Result<Text> { self.store().hash_get(key, field) }
    #[command] fn hgetall(&self, key: &[u8]) -> Result<Strings> { self.store().hash_all(key) }
    #[command] fn command(&self, _about: Vec<&str>) -> Strings { Vec::new() }
    #[command] fn config(&self, verb: &str, names: Vec<&str>) -> Result<Vec<String>> {
        match &*verb.to_ascii_lowercase() {
            "get" if names.is_empty() => return Err("ERR wrong number of arguments for 'config|get' command".into()),
            "get" => {}
            _ => return Err(format!("ERR unknown subcommand '{verb}'. Try CONFIG HELP.").into()),
        }
        let (most, clients) = (self.max_memory.to_string(), self.max_clients.to_string());
        let all = [("appendonly", "no".into()), ("save", String::new()), ("maxmemory", most), ("maxclients", clients)];
        let is_asked = |name: &str| names.iter().any(|asked| *asked == "*" || asked.eq_ignore_ascii_case(name));
        Ok(all.into_iter().filter(|(name, _)| is_asked(name)).flat_map(|(name, value)| [name.into(), value]).collect())
    }
    #[command] fn client(&self, verb: &str, _told: Vec<&str>, peer: &Address) -> Result<Said> {
        match &*verb.to_ascii_lowercase() {
            "setinfo" | "setname" => Ok(OK),
            "info" => Ok(Bulk(format!("addr={peer} resp=2\n").into())),
            _ => Err(format!("ERR unknown subcommand '{verb}'. Try CLIENT HELP.").into()),
        }
    }
    #[command] fn info(&self, _sections: Vec<&str>) -> String {
        let (used, most, keys) = (ALLOCATOR.allocated(), self.max_memory, self.store().len());
        format!("# Memory\r\nused_memory:{used}\r\nmaxmemory:{most}\r\n\r\n# Keyspace\r\ndb0:keys={keys}\r\n")
    }
    #[otherwise] fn unknown(&self, request: &[u8]) -> Result<()> {
        let mut words = Resp::words(request).map(|word| String::from_utf8_lossy(&word[..word.len().min(128)]));
        let name = words.next().unwrap_or_default();
        let arguments: Vec<_> = words.take(20).map(|word| format!("'{word}' ")).collect();
        Err(format!("ERR unknown command '{name}', with args beginning with: {}", arguments.concat()).into())
    }

    fn store(&self) -> MutexGuard<'_, Store> { self.store.lock().unwrap_or_else(PoisonError::into_inner) }

    /// The store, if there is room for more.
    fn room(&self) -> Result<MutexGuard<'_, Store>> {
        let is_full = || ALLOCATOR.allocated() > self.max_memory;
        if is_full() { self.store().purge(); }
        if is_full() { Err("OOM command not allowed when used memory > 'maxmemory'.".into()) } else { Ok(self.store()) }
    }
}

fn after(number: i64, unit: fn(u64) -> Duration, command: &str) -> Result<Instant> {
    let number = u64::try_from(number).ok().filter(|number| *number > 0);
    let end = number.and_then(|number| Instant::now().checked_add(unit(number)));
    end.ok_or_else(|| format!("ERR invalid expire time in '{command}' command").into())
}

fn main() -> io::Result<()> {
    env_logger::init();
    let redis = Redis::parse();
    let (address, timeout) = (redis.address.clone(), redis.idle_timeout);
    let (request, clients) = (redis.max_request.get(), redis.max_clients.get());
    let builder = redis.builder().max_message(request).max_threads(clients);
    let server = builder.read_timeout(timeout).write_timeout(timeout).bind(address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
