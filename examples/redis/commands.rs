//! The commands of the Redis.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::process;
use std::time::{Duration, Instant};

use globset::GlobBuilder;
use socketserver::{Address, Answer, BoxError, CommandFrame as _, CommandName, OneOrMore, Reply, Resp, handler};

use crate::keys::{Bytes, Hash, List, Result, Set, Text};
use crate::set_options::SetOptions;
use crate::{ALLOCATOR, Redis};

const OK: Said = Said::Status("OK");

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

#[handler(frame = Resp)]
impl Redis {
    #[command]
    fn ping(&self, message: Option<&[u8]>) -> Said {
        message.map_or(Said::Status("PONG"), |message| Said::Bulk(message.into()))
    }

    #[command]
    fn echo(&self, message: &[u8]) -> Bytes {
        message.into()
    }

    #[command]
    fn set(&self, key: &[u8], value: &[u8], options: Vec<&str>) -> Result<Option<Said>, BoxError> {
        let options = SetOptions::parse(&options)?;
        let mut keys = self.room()?;
        let old = if options.get { keys.text(key)?.map(Said::Bulk) } else { Some(OK) };
        if options.exists.is_some_and(|exists| exists != keys.find(key).is_some()) {
            return Ok(old.filter(|_| options.get));
        }
        keys.put(key, Some(value.to_vec()), options.expires);
        Ok(old)
    }

    #[command]
    fn get(&self, key: &[u8]) -> Result<Text> {
        self.keys().text(key)
    }

    /// A value that is no string counts as missing.
    #[command]
    fn mget(&self, names: OneOrMore<&[u8]>) -> Vec<Text> {
        let mut keys = self.keys();
        names.into_iter().map(|key| keys.text(key).unwrap_or_default()).collect()
    }

    #[command]
    fn mset(&self, pairs: OneOrMore<&[u8]>) -> Result<Said> {
        if !pairs.len().is_multiple_of(2) {
            return Err("ERR wrong number of arguments for 'mset' command");
        }
        let mut keys = self.room()?;
        pairs.chunks_exact(2).for_each(|pair| keys.put(pair[0], Some(pair[1].to_vec()), None));
        Ok(OK)
    }

    #[command]
    fn append(&self, key: &[u8], more: &[u8]) -> Result<usize> {
        self.room()?.with(key, |text: &mut Text| {
            let text = text.get_or_insert_default();
            text.extend_from_slice(more);
            text.len()
        })
    }

    #[command("incr", "decr")]
    fn step(&self, name: CommandName, key: &[u8]) -> Result<i64, BoxError> {
        self.incrby(key, if &*name == "incr" { 1 } else { -1 })
    }

    #[command]
    fn incrby(&self, key: &[u8], increment: i64) -> Result<i64, BoxError> {
        self.room()?.with(key, |text: &mut Text| {
            let number = |text: &Bytes| str::from_utf8(text).unwrap_or_default().parse();
            let number: i64 = text.as_ref().map_or(Ok(0), number)?;
            let sum = number.checked_add(increment).ok_or("ERR increment or decrement would overflow")?;
            *text = Some(sum.to_string().into());
            Ok(sum)
        })?
    }

    #[command("del", "exists")]
    fn count(&self, name: CommandName, names: OneOrMore<&[u8]>) -> usize {
        let mut keys = self.keys();
        let counts = |key: &&[u8]| if &*name == "del" { keys.remove(key) } else { keys.find(key).is_some() };
        names.into_iter().filter(counts).count()
    }

    #[command]
    fn expire(&self, key: &[u8], seconds: i64) -> Result<bool> {
        let mut keys = self.keys();
        match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => {
                let at = Instant::now().checked_add(Duration::from_secs(seconds));
                let at = at.ok_or("ERR invalid expire time in 'expire' command")?;
                Ok(keys.find(key).map(|entry| entry.expires = Some(at)).is_some())
            }
            _ => Ok(keys.remove(key)),
        }
    }

    #[command]
    fn ttl(&self, key: &[u8]) -> Result<i64, BoxError> {
        let half = Duration::from_millis(500);
        match self.keys().find(key).map(|entry| entry.expires) {
            Some(Some(end)) => Ok((end.saturating_duration_since(Instant::now()) + half).as_secs().try_into()?),
            Some(None) => Ok(-1),
            None => Ok(-2),
        }
    }

    #[command("keys")]
    fn names(&self, pattern: &str) -> Result<Vec<Bytes>> {
        // Alternatives in braces are globset's own.
        let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build().map_err(|_| "ERR invalid pattern")?;
        let matcher = glob.compile_matcher();
        Ok(self.keys().names().filter(|key| matcher.is_match(OsStr::from_bytes(key))).cloned().collect())
    }

    #[command]
    fn dbsize(&self) -> usize {
        self.keys().names().len()
    }

    /// At once, whether it is to be `ASYNC` or `SYNC`.
    #[command]
    fn flushall(&self, how: Option<&str>) -> Result<Said> {
        if how.is_some_and(|how| !["async", "sync"].contains(&&*how.to_ascii_lowercase())) {
            return Err("ERR syntax error");
        }
        self.keys().clear();
        Ok(OK)
    }

    #[command("lpush", "rpush")]
    fn push(&self, name: CommandName, key: &[u8], elements: OneOrMore<&[u8]>) -> Result<usize> {
        let push = if &*name == "lpush" { List::push_front } else { List::push_back };
        self.room()?.with(key, |list: &mut List| {
            elements.into_iter().for_each(|element| push(list, element.into()));
            list.len()
        })
    }

    #[command("lpop", "rpop")]
    fn pop(&self, name: CommandName, key: &[u8], count: Option<i64>) -> Result<Option<Said>> {
        let pop = if &*name == "lpop" { List::pop_front } else { List::pop_back };
        let most = usize::try_from(count.unwrap_or(1)).map_err(|_| "ERR value is out of range, must be positive")?;
        self.keys().with(key, |list: &mut List| match count {
            None => pop(list).map(Said::Bulk),
            Some(_) if list.is_empty() => None,
            Some(_) => Some(Said::Bulks((0..most).map_while(|_| pop(list)).collect())),
        })
    }

    /// Negative positions count from the end.
    #[command]
    fn lrange(&self, key: &[u8], start: i64, stop: i64) -> Result<Vec<Bytes>> {
        self.keys().with(key, |list: &mut List| {
            let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
            let position = |at: i64| usize::try_from(if at < 0 { at.saturating_add(length) } else { at });
            let start = position(start).unwrap_or(0);
            let end = position(stop).map_or(0, |stop| stop.saturating_add(1));
            list.iter().take(end).skip(start).cloned().collect()
        })
    }

    #[command]
    fn llen(&self, key: &[u8]) -> Result<usize> {
        self.keys().with(key, |list: &mut List| list.len())
    }

    #[command]
    fn sadd(&self, key: &[u8], members: OneOrMore<&[u8]>) -> Result<usize> {
        let add = |set: &mut Set| members.into_iter().filter(|member| set.insert(member.to_vec())).count();
        self.room()?.with(key, add)
    }

    #[command]
    fn srem(&self, key: &[u8], members: OneOrMore<&[u8]>) -> Result<usize> {
        let remove = |set: &mut Set| members.into_iter().filter(|member| set.remove(*member)).count();
        self.keys().with(key, remove)
    }

    #[command]
    fn smembers(&self, key: &[u8]) -> Result<Vec<Bytes>> {
        self.keys().with(key, |set: &mut Set| set.iter().cloned().collect())
    }

    #[command]
    fn hset(&self, key: &[u8], pairs: OneOrMore<&[u8]>) -> Result<usize> {
        if !pairs.len().is_multiple_of(2) {
            return Err("ERR wrong number of arguments for 'hset' command");
        }
        self.room()?.with(key, |hash: &mut Hash| {
            let is_new = |pair: &&[&[u8]]| hash.insert(pair[0].to_vec(), pair[1].to_vec()).is_none();
            pairs.chunks_exact(2).filter(is_new).count()
        })
    }

    #[command]
    fn hget(&self, key: &[u8], field: &[u8]) -> Result<Text> {
        self.keys().with(key, |hash: &mut Hash| hash.get(field).cloned())
    }

    #[command]
    fn hgetall(&self, key: &[u8]) -> Result<Vec<Bytes>> {
        self.keys().with(key, |hash: &mut Hash| {
            hash.iter().flat_map(|(field, value)| [field.clone(), value.clone()]).collect()
        })
    }

    /// There is nothing to tell about the commands: `redis-cli` goes on without.
    #[command]
    fn command(&self, _about: Vec<&str>) -> Vec<Bytes> {
        Vec::new()
    }

    /// `CONFIG GET NAME..`
    #[command]
    fn config(&self, verb: &str, names: Vec<&str>) -> Result<Vec<String>, String> {
        if !verb.eq_ignore_ascii_case("get") {
            return Err(format!("ERR unknown subcommand '{verb}'. Try CONFIG HELP."));
        }
        if names.is_empty() {
            return Err("ERR wrong number of arguments for 'config|get' command".to_owned());
        }
        let asked = |name: &str| names.iter().any(|asked| *asked == "*" || asked.eq_ignore_ascii_case(name));
        let all = self.config.iter().filter(|(name, _)| asked(name));
        Ok(all.flat_map(|(name, value)| [(*name).to_owned(), value.clone()]).collect())
    }

    /// `CLIENT INFO`, and what client libraries tell of themselves.
    #[command]
    fn client(&self, verb: &str, _told: Vec<&str>, peer: &Address) -> Result<Said, String> {
        match &*verb.to_ascii_lowercase() {
            "setinfo" | "setname" => Ok(OK),
            "info" => Ok(Said::Bulk(format!("addr={peer} resp=2\n").into())),
            _ => Err(format!("ERR unknown subcommand '{verb}'. Try CLIENT HELP.")),
        }
    }

    #[command]
    fn info(&self, _sections: Vec<&str>) -> String {
        let (version, pid, uptime) = (env!("CARGO_PKG_VERSION"), process::id(), self.started.elapsed().as_secs());
        let (memory, max_memory, keys) = (ALLOCATOR.allocated(), self.max_memory, self.keys().names().len());
        format!(
            "# Server\r\nserver_name:socketserver\r\nserver_version:{version}\r\nprocess_id:{pid}\r\n\
             uptime_in_seconds:{uptime}\r\n\r\n# Memory\r\nused_memory:{memory}\r\nmaxmemory:{max_memory}\r\n\r\n\
             # Keyspace\r\ndb0:keys={keys}\r\n"
        )
    }

    #[otherwise]
    fn unknown(&self, request: &[u8]) -> Result<(), String> {
        let mut words = Resp::words(request).map(|word| String::from_utf8_lossy(&word[..word.len().min(128)]));
        let name = words.next().unwrap_or_default();
        let arguments: Vec<_> = words.take(20).map(|word| format!("'{word}' ")).collect();
        Err(format!("ERR unknown command '{name}', with args beginning with: {}", arguments.concat()))
    }
}
