//! The commands of the Redis.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process;
use std::time::{Duration, Instant};

use globset::GlobBuilder;
use socketserver::{Address, CommandError, CommandErrorKind, CommandFrame, CommandName, OneOrMore, handler};

use crate::Redis;
use crate::keys::{Bytes, Hash, List, Result, Set, used_memory};
use crate::resp::Value::{self, Array, Bulk, Integer, Nil, Simple};
use crate::resp::{Resp, error_text};
use crate::set_options::SetOptions;

const OK: Value = Simple("OK");
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

#[handler(frame = Resp)]
impl Redis {
    #[command]
    fn ping(&self, message: Option<&[u8]>) -> Value {
        message.map_or(Simple("PONG"), |message| Bulk(message.into()))
    }

    #[command]
    fn echo(&self, message: &[u8]) -> Value {
        Bulk(message.into())
    }

    #[command]
    fn set(&self, key: &[u8], value: &[u8], options: Vec<&str>) -> Result<Value> {
        let options = SetOptions::parse(&options)?;
        let mut keys = self.keys();
        let old = if options.get { keys.get(key)?.cloned().map_or(Nil, Bulk) } else { OK };
        if options.exists.is_some_and(|exists| exists != keys.contains(key)) {
            return Ok(if options.get { old } else { Nil });
        }
        keys.put(key, value.to_vec(), options.expires)?;
        Ok(old)
    }

    #[command]
    fn get(&self, key: &[u8]) -> Result<Value> {
        Ok(self.keys().get(key)?.cloned().map_or(Nil, Bulk))
    }

    /// A value that is no string counts as missing.
    #[command]
    fn mget(&self, names: OneOrMore<&[u8]>) -> Value {
        let mut keys = self.keys();
        Array(names.into_iter().map(|key| keys.get(key).ok().flatten().cloned().map_or(Nil, Bulk)).collect())
    }

    #[command]
    fn mset(&self, pairs: OneOrMore<&[u8]>) -> Result<Value> {
        if !pairs.len().is_multiple_of(2) {
            return Err("ERR wrong number of arguments for 'mset' command");
        }
        let mut keys = self.keys();
        pairs.chunks_exact(2).try_for_each(|pair| keys.put(pair[0], pair[1].to_vec(), None))?;
        Ok(OK)
    }

    #[command("del", "exists")]
    fn count(&self, name: CommandName, names: OneOrMore<&[u8]>) -> Value {
        let mut keys = self.keys();
        let counts = |key: &&[u8]| if &*name == "del" { keys.remove(key) } else { keys.contains(key) };
        Value::count(names.into_iter().filter(counts).count())
    }

    #[command("incr", "decr")]
    fn step(&self, name: CommandName, key: &[u8]) -> Result<Value> {
        self.incrby(key, if &*name == "incr" { 1 } else { -1 })
    }

    #[command]
    fn incrby(&self, key: &[u8], increment: i64) -> Result<Value> {
        let mut keys = self.keys();
        let value = keys.get::<Bytes>(key)?;
        let number = value.as_ref().map_or(Some(0), |text| str::from_utf8(text).ok()?.parse::<i64>().ok());
        let sum = number.ok_or(NOT_AN_INTEGER)?.checked_add(increment);
        let sum = sum.ok_or("ERR increment or decrement would overflow")?;
        match value {
            Some(value) => *value = sum.to_string().into(),
            None => keys.put(key, Bytes::from(sum.to_string()), None)?,
        }
        Ok(Integer(sum))
    }

    #[command]
    fn append(&self, key: &[u8], more: &[u8]) -> Result<Value> {
        let mut keys = self.keys();
        let value: &mut Bytes = keys.get_or_new(key)?;
        value.extend_from_slice(more);
        Ok(Value::count(value.len()))
    }

    #[command]
    fn expire(&self, key: &[u8], seconds: i64) -> Result<Value> {
        let mut keys = self.keys();
        let is_there = match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => {
                let at = Instant::now().checked_add(Duration::from_secs(seconds));
                keys.expire(key, at.ok_or("ERR invalid expire time in 'expire' command")?)
            }
            _ => keys.remove(key),
        };
        Ok(Integer(is_there.into()))
    }

    #[command]
    fn ttl(&self, key: &[u8]) -> Value {
        let mut keys = self.keys();
        match keys.end(key) {
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now()) + Duration::from_millis(500);
                Integer(i64::try_from(left.as_secs()).unwrap_or(i64::MAX))
            }
            None => Integer(if keys.contains(key) { -1 } else { -2 }),
        }
    }

    #[command("keys")]
    fn names(&self, pattern: &str) -> Result<Value> {
        // Alternatives in braces are globset's own.
        let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build().map_err(|_| "ERR invalid pattern")?;
        let matcher = glob.compile_matcher();
        Ok(Value::bulks(self.keys().names().filter(|key| matcher.is_match(OsStr::from_bytes(key)))))
    }

    #[command]
    fn dbsize(&self) -> Value {
        Value::count(self.keys().names().len())
    }

    /// At once, whether it is to be `ASYNC` or `SYNC`.
    #[command]
    fn flushall(&self, how: Option<&str>) -> Result<Value> {
        if how.is_some_and(|how| !["async", "sync"].contains(&how.to_ascii_lowercase().as_str())) {
            return Err("ERR syntax error");
        }
        self.keys().clear();
        Ok(OK)
    }

    #[command("lpush", "rpush")]
    fn push(&self, name: CommandName, key: &[u8], elements: OneOrMore<&[u8]>) -> Result<Value> {
        let mut keys = self.keys();
        let list: &mut List = keys.get_or_new(key)?;
        let push = if &*name == "lpush" { List::push_front } else { List::push_back };
        elements.into_iter().for_each(|element| push(list, element.into()));
        Ok(Value::count(list.len()))
    }

    #[command("lpop", "rpop")]
    fn pop(&self, name: CommandName, key: &[u8], count: Option<usize>) -> Result<Value> {
        let mut keys = self.keys();
        let Some(list) = keys.get::<List>(key)? else { return Ok(Nil) };
        let pop = if &*name == "lpop" { List::pop_front } else { List::pop_back };
        let mut popped: Vec<_> = (0..count.unwrap_or(1)).map_while(|_| pop(list)).collect();
        if list.is_empty() {
            keys.remove(key);
        }
        Ok(if count.is_some() { Value::bulks(&popped) } else { popped.pop().map_or(Nil, Bulk) })
    }

    /// Negative positions count from the end.
    #[command]
    fn lrange(&self, key: &[u8], start: i64, stop: i64) -> Result<Value> {
        let mut keys = self.keys();
        let Some(list) = keys.get::<List>(key)? else { return Ok(Array(Vec::new())) };
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let position = |at: i64| usize::try_from(if at < 0 { at.saturating_add(length) } else { at });
        let start = position(start).unwrap_or(0);
        let end = position(stop).map_or(0, |stop| stop.saturating_add(1));
        Ok(Value::bulks(list.iter().take(end).skip(start)))
    }

    #[command]
    fn llen(&self, key: &[u8]) -> Result<Value> {
        Ok(Value::count(self.keys().get::<List>(key)?.map_or(0, |list| list.len())))
    }

    #[command]
    fn sadd(&self, key: &[u8], members: OneOrMore<&[u8]>) -> Result<Value> {
        let mut keys = self.keys();
        let set: &mut Set = keys.get_or_new(key)?;
        Ok(Value::count(members.into_iter().filter(|member| set.insert(member.to_vec())).count()))
    }

    #[command]
    fn srem(&self, key: &[u8], members: OneOrMore<&[u8]>) -> Result<Value> {
        let mut keys = self.keys();
        let Some(set) = keys.get::<Set>(key)? else { return Ok(Integer(0)) };
        let removed = members.into_iter().filter(|member| set.remove(*member)).count();
        if set.is_empty() {
            keys.remove(key);
        }
        Ok(Value::count(removed))
    }

    #[command]
    fn smembers(&self, key: &[u8]) -> Result<Value> {
        Ok(Value::bulks(self.keys().get::<Set>(key)?.into_iter().flat_map(|set| &*set)))
    }

    #[command]
    fn hset(&self, key: &[u8], pairs: OneOrMore<&[u8]>) -> Result<Value> {
        if !pairs.len().is_multiple_of(2) {
            return Err("ERR wrong number of arguments for 'hset' command");
        }
        let mut keys = self.keys();
        let hash: &mut Hash = keys.get_or_new(key)?;
        let is_new = |pair: &&[&[u8]]| hash.insert(pair[0].to_vec(), pair[1].to_vec()).is_none();
        Ok(Value::count(pairs.chunks_exact(2).filter(is_new).count()))
    }

    #[command]
    fn hget(&self, key: &[u8], field: &[u8]) -> Result<Value> {
        let mut keys = self.keys();
        Ok(keys.get::<Hash>(key)?.and_then(|hash| hash.get(field).cloned()).map_or(Nil, Bulk))
    }

    #[command]
    fn hgetall(&self, key: &[u8]) -> Result<Value> {
        let mut keys = self.keys();
        let pairs = keys.get::<Hash>(key)?.into_iter().flat_map(|hash| &*hash);
        Ok(Value::bulks(pairs.flat_map(|(field, value)| [field, value])))
    }

    /// There is nothing to tell about the commands: `redis-cli` goes on without.
    #[command]
    fn command(&self, _about: Vec<&str>) -> Value {
        Array(Vec::new())
    }

    /// `CONFIG GET NAME..`
    #[command]
    fn config(&self, verb: &str, names: Vec<&str>) -> Value {
        if !verb.eq_ignore_ascii_case("get") {
            return Value::Error(format!("ERR unknown subcommand '{}'. Try CONFIG HELP.", error_text(verb.as_bytes())));
        }
        if names.is_empty() {
            return Value::Error("ERR wrong number of arguments for 'config|get' command".to_owned());
        }
        let asked = |name: &str| names.iter().any(|asked| *asked == "*" || asked.eq_ignore_ascii_case(name));
        let all = self.config.iter().filter(|(name, _)| asked(name));
        Value::bulks(all.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]))
    }

    /// `CLIENT INFO`, and what client libraries tell of themselves.
    #[command]
    fn client(&self, verb: &str, _told: Vec<&str>, peer: &Address) -> Value {
        match verb.to_ascii_lowercase().as_str() {
            "setinfo" | "setname" => OK,
            "info" => Bulk(format!("addr={peer} resp=2\n").into()),
            _ => Value::Error(format!("ERR unknown subcommand '{}'. Try CLIENT HELP.", error_text(verb.as_bytes()))),
        }
    }

    #[command]
    fn info(&self, _sections: Vec<&str>) -> Value {
        let (keys, max_memory) = {
            let mut keys = self.keys();
            let max_memory = keys.max_memory();
            (keys.names().len(), max_memory)
        };
        let (version, pid, uptime) = (env!("CARGO_PKG_VERSION"), process::id(), self.started.elapsed().as_secs());
        Bulk(
            format!(
                "# Server\r\nserver_name:socketserver\r\nserver_version:{version}\r\nprocess_id:{pid}\r\n\
                 uptime_in_seconds:{uptime}\r\n\r\n# Memory\r\nused_memory:{}\r\nmaxmemory:{max_memory}\r\n\r\n\
                 # Keyspace\r\ndb0:keys={keys}\r\n",
                used_memory()
            )
            .into(),
        )
    }

    #[otherwise]
    fn unknown(&self, request: &[u8]) -> Value {
        let mut words = Resp::words(request).map(error_text);
        let name = words.next().unwrap_or_default();
        let arguments: Vec<_> = words.take(20).map(|word| format!("'{word}' ")).collect();
        Value::Error(format!("ERR unknown command '{name}', with args beginning with: {}", arguments.concat()))
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> Value {
        let command = error.command();
        Value::Error(match (error.kind(), error.argument()) {
            (CommandErrorKind::Missing | CommandErrorKind::Surplus, _) => {
                format!("ERR wrong number of arguments for '{command}' command")
            }
            (CommandErrorKind::Invalid, "count") => "ERR value is out of range, must be positive".to_owned(),
            (CommandErrorKind::Invalid, "increment" | "seconds" | "start" | "stop") => NOT_AN_INTEGER.to_owned(),
            (CommandErrorKind::Invalid, _) => "ERR syntax error".to_owned(),
            (CommandErrorKind::Frame, _) => format!("ERR Protocol error: {error}"),
            _ => error.to_string(),
        })
    }
}
