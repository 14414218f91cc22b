//! A Redis: strings, lists, sets and hashes in memory, over RESP2.
//!
//! ```text
//! cargo run --example redis                                    # on 127.0.0.1:6379
//! redis-cli set greeting hello ex 60
//! printf 'SET greeting hello\r\nGET greeting\r\n' | nc -N 127.0.0.1 6379
//! ```
//!
//! Each command is done at once and as a whole, and an error says what Redis says. Ctrl-C and SIGTERM drain. What does not
//! fit in `--max-memory` is refused (Redis' `noeviction`), which bounds what is stored and received, not what is replied.
//! Left out: other commands, and other options of SET; all databases but one, disks, RESP3, transactions, publishing,
//! passwords; quotes in a typed line; what COMMAND tells of the commands, and patterns of CONFIG GET but `*`. Numbers are
//! those of Rust, so `+5` and `007` are some, and patterns of KEYS those of globset, so `[!a]` is no `!`.

use std::alloc::System;
use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cap::Cap;
use clap::{Parser, builder::TypedValueParser as _};
use globset::GlobBuilder;
use socketserver::{
    Address, Answer, BoxError, CommandFrame as _, CommandName, OneOrMore, Reply, Resp, handler, socket_server,
};

type Bytes = Vec<u8>;
type Text = Option<Bytes>; // The four types of values. An empty one is the same as none.
type List = VecDeque<Bytes>;
type Set = HashSet<Bytes>;
type Hash = HashMap<Bytes, Bytes>;
type Entry = (Box<dyn Any + Send>, Option<Instant>); // The value of a key, and when its time is over.
type Result<T> = std::result::Result<T, BoxError>;

/// Counts what is allocated, which is how Redis knows too.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const SYNTAX: &str = "ERR syntax error";
const OK: Said = Said::Status("OK");
const PONG: Said = Said::Status("PONG");

/// The reply of a command that has several kinds of them.
enum Said {
    Status(&'static str),
    Bulk(Bytes),
    Bulks(Vec<Bytes>),
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

#[derive(Default)]
struct Keys(HashMap<Bytes, Entry>);

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
    keys: Mutex<Keys>,
}

#[handler(frame = Resp)]
#[rustfmt::skip] // The commands are lines of a table.
impl Redis {
    #[command] fn ping(&self, word: Option<&[u8]>) -> Said { word.map_or(PONG, |word| Said::Bulk(word.into())) }
    #[command] fn echo(&self, word: &[u8]) -> Bytes { word.into() }
    #[command] fn get(&self, key: &[u8]) -> Result<Text> { self.keys().text(key) }
    #[command] fn mget(&self, names: OneOrMore<&[u8]>) -> Vec<Text> {
        let mut keys = self.keys();
        names.iter().map(|key| keys.text(key).unwrap_or_default()).collect()
    }
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
        let mut keys = self.room()?;
        let old = if get { keys.text(key)?.map(Said::Bulk) } else { Some(OK) };
        let is_there = keys.find(key).is_some();
        if exists.is_some_and(|exists| exists != is_there) { return Ok(old.filter(|_| get)); }
        keys.put(key, value, end);
        Ok(old)
    }
    #[command] fn mset(&self, pairs: OneOrMore<(&[u8], &[u8])>) -> Result<Said> {
        let mut keys = self.room()?;
        pairs.iter().for_each(|(key, value)| keys.put(key, value, None));
        Ok(OK)
    }
    #[command] fn append(&self, key: &[u8], more: &[u8]) -> Result<usize> {
        self.room()?.with(key, |text: &mut Text| {
            let text = text.get_or_insert_default();
            text.extend(more);
            text.len()
        })
    }
    #[command] fn incr(&self, key: &[u8]) -> Result<i64> { self.incrby(key, 1) }
    #[command] fn decr(&self, key: &[u8]) -> Result<i64> { self.incrby(key, -1) }
    #[command] fn incrby(&self, key: &[u8], by: i64) -> Result<i64> {
        self.room()?.with(key, |text: &mut Text| {
            let old: i64 = text.as_ref().map_or(Ok(0), |text| str::from_utf8(text).unwrap_or_default().parse())?;
            let new = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
            *text = Some(new.to_string().into());
            Ok(new)
        })?
    }
    #[command] fn exists(&self, names: OneOrMore<&[u8]>) -> usize {
        let mut keys = self.keys();
        names.iter().filter(|key| keys.find(key).is_some()).count()
    }
    #[command] fn del(&self, names: OneOrMore<&[u8]>) -> usize {
        let mut keys = self.keys();
        names.iter().filter(|key| keys.find(key).is_some() && keys.0.remove(**key).is_some()).count()
    }
    #[command] fn expire(&self, key: &[u8], seconds: i64) -> Result<bool> {
        let end = if seconds > 0 { after(seconds, Duration::from_secs, "expire")? } else { Instant::now() };
        Ok(self.keys().find(key).map(|entry| entry.1 = Some(end)).is_some())
    }
    #[command] fn ttl(&self, key: &[u8]) -> Result<i64> {
        let end = self.keys().find(key).map(|entry| entry.1);
        let left = |end: Instant| (end.saturating_duration_since(Instant::now()) + Duration::from_millis(500)).as_secs();
        end.map_or(Ok(-2), |end| end.map_or(Ok(-1), |end| Ok(left(end).try_into()?)))
    }
    #[command("keys")] fn names(&self, pattern: &str) -> Result<Vec<Bytes>> {
        let pattern = pattern.replace('{', "\\{").replace('}', "\\}"); // They mean something else to globset.
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build()?.compile_matcher();
        Ok(self.purged().0.keys().filter(|key| glob.is_match(OsStr::from_bytes(key))).cloned().collect())
    }
    #[command] fn dbsize(&self) -> usize { self.purged().0.len() }
    #[command] fn flushall(&self, how: Option<&str>) -> Result<Said> {
        let is_known = how.is_none_or(|how| ["async", "sync"].contains(&&*how.to_ascii_lowercase()));
        if is_known { self.keys().0.clear(); Ok(OK) } else { Err(SYNTAX.into()) }
    }
    #[command("lpush", "rpush")]
    fn push(&self, name: CommandName, key: &[u8], items: OneOrMore<&[u8]>) -> Result<usize> {
        let push = if &*name == "lpush" { List::push_front } else { List::push_back };
        self.room()?.with(key, |list| { items.iter().for_each(|item| push(list, item.to_vec())); list.len() })
    }
    #[command("lpop", "rpop")]
    fn pop(&self, name: CommandName, key: &[u8], count: Option<i64>) -> Result<Option<Said>> {
        let pop = if &*name == "lpop" { List::pop_front } else { List::pop_back };
        let most = usize::try_from(count.unwrap_or(1)).map_err(|_| "ERR value is out of range, must be positive")?;
        self.keys().with(key, |list: &mut List| match count {
            None => pop(list).map(Said::Bulk),
            Some(_) => (!list.is_empty()).then(|| Said::Bulks((0..most).map_while(|_| pop(list)).collect())),
        })
    }
    #[command] fn lrange(&self, key: &[u8], start: i64, stop: i64) -> Result<Vec<Bytes>> {
        self.keys().with(key, |list: &mut List| {
            let position = |at: i64| if at < 0 { at.saturating_add_unsigned(list.len() as u64) } else { at };
            let (start, stop) = (usize::try_from(position(start)).unwrap_or(0), usize::try_from(position(stop)));
            list.iter().take(stop.map_or(0, |stop| stop.saturating_add(1))).skip(start).cloned().collect()
        })
    }
    #[command] fn llen(&self, key: &[u8]) -> Result<usize> { self.keys().with(key, |list: &mut List| list.len()) }
    #[command] fn sadd(&self, key: &[u8], items: OneOrMore<&[u8]>) -> Result<usize> {
        self.room()?.with(key, |set: &mut Set| items.iter().filter(|item| set.insert(item.to_vec())).count())
    }
    #[command] fn srem(&self, key: &[u8], items: OneOrMore<&[u8]>) -> Result<usize> {
        self.keys().with(key, |set: &mut Set| items.iter().filter(|item| set.remove(**item)).count())
    }
    #[command] fn smembers(&self, key: &[u8]) -> Result<Vec<Bytes>> {
        self.keys().with(key, |set: &mut Set| set.iter().cloned().collect())
    }
    #[command] fn hset(&self, key: &[u8], pairs: OneOrMore<(&[u8], &[u8])>) -> Result<usize> {
        let set = |hash: &mut Hash, (field, value): &(&[u8], &[u8])| hash.insert(field.to_vec(), value.to_vec());
        self.room()?.with(key, |hash| pairs.iter().filter(|pair| set(hash, pair).is_none()).count())
    }
    #[command] fn hget(&self, key: &[u8], field: &[u8]) -> Result<Text> {
        self.keys().with(key, |hash: &mut Hash| hash.get(field).cloned())
    }
    #[command] fn hgetall(&self, key: &[u8]) -> Result<Vec<Bytes>> {
        let pair = |(field, value): (&Bytes, &Bytes)| [field.clone(), value.clone()];
        self.keys().with(key, |hash: &mut Hash| hash.iter().flat_map(pair).collect())
    }
    #[command] fn command(&self, _about: Vec<&str>) -> Vec<Bytes> { Vec::new() }
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
            "info" => Ok(Said::Bulk(format!("addr={peer} resp=2\n").into())),
            _ => Err(format!("ERR unknown subcommand '{verb}'. Try CLIENT HELP.").into()),
        }
    }
    #[command] fn info(&self, _sections: Vec<&str>) -> String {
        let (used, most, keys) = (ALLOCATOR.allocated(), self.max_memory, self.purged().0.len());
        format!("# Memory\r\nused_memory:{used}\r\nmaxmemory:{most}\r\n\r\n# Keyspace\r\ndb0:keys={keys}\r\n")
    }
    #[otherwise] fn unknown(&self, request: &[u8]) -> Result<()> {
        let mut words = Resp::words(request).map(|word| String::from_utf8_lossy(&word[..word.len().min(128)]));
        let name = words.next().unwrap_or_default();
        let arguments: Vec<_> = words.take(20).map(|word| format!("'{word}' ")).collect();
        Err(format!("ERR unknown command '{name}', with args beginning with: {}", arguments.concat()).into())
    }

    fn keys(&self) -> MutexGuard<'_, Keys> { self.keys.lock().unwrap_or_else(PoisonError::into_inner) }

    /// The keys, without those whose time is over.
    fn purged(&self) -> MutexGuard<'_, Keys> {
        let mut keys = self.keys();
        keys.0.retain(|_, (_, end)| end.is_none_or(|end| end > Instant::now()));
        keys
    }
    /// The keys, if there is room to store more.
    fn room(&self) -> Result<MutexGuard<'_, Keys>> {
        let is_full = || ALLOCATOR.allocated() > self.max_memory;
        if is_full() { drop(self.purged()); }
        if is_full() { Err("OOM command not allowed when used memory > 'maxmemory'.".into()) } else { Ok(self.keys()) }
    }
}

impl Keys {
    fn find(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let (_, end) = self.0.get(key)?;
        if end.is_some_and(|end| end <= Instant::now()) {
            self.0.remove(key);
        }
        self.0.get_mut(key)
    }

    fn put(&mut self, key: &[u8], value: &[u8], end: Option<Instant>) {
        self.0.insert(key.into(), (Box::new(Some(value.to_vec())), end));
    }

    fn text(&mut self, key: &[u8]) -> Result<Text> {
        self.with(key, |text: &mut Text| text.clone())
    }

    /// Does something with the value of a key, which is made if there is none, and goes if it is empty.
    fn with<T: Any + Send + Default + PartialEq, R>(&mut self, key: &[u8], act: impl FnOnce(&mut T) -> R) -> Result<R> {
        self.find(key);
        let (value, _) = self.0.entry(key.into()).or_insert_with(|| (Box::new(T::default()), None));
        let value = value.downcast_mut().ok_or("WRONGTYPE Operation against a key holding the wrong kind of value")?;
        let result = act(value);
        if *value == T::default() {
            self.0.remove(key);
        }
        Ok(result)
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
