//! The items of the memcached: found by key, gone after their time, and evicted where they are too many.

use std::num::ParseIntError;
use std::process;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lru::LruCache;

/// What an item takes beside its key and value.
const OVERHEAD: usize = 64;

pub(crate) struct Cache {
    items: LruCache<Vec<u8>, Item>,
    max_memory: usize,
    /// The items that were stored before this time are over, once it has come.
    flush_at: Option<Instant>,
    last_unique: u64,
    bytes: usize,
    started: Instant,
    pub(crate) statistics: Statistics,
}

/// What has happened so far.
#[derive(Default)]
pub(crate) struct Statistics {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    evictions: u64,
}

#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) data: Arc<[u8]>,
    pub(crate) flags: u32,
    pub(crate) expires: Expires,
    /// Another one each time that it is stored, as `cas` wants it.
    pub(crate) unique: u64,
    stored: Instant,
}

impl Item {
    pub(crate) fn new(data: Vec<u8>, flags: u32, expires: Expires) -> Self {
        Self { data: data.into(), flags, expires, unique: 0, stored: Instant::now() }
    }

    /// The same item, but for its value.
    pub(crate) fn with(&self, data: Vec<u8>) -> Self {
        Self { data: data.into(), ..self.clone() }
    }

    fn size(&self, key: &[u8]) -> usize {
        OVERHEAD + key.len() + self.data.len()
    }
}

impl Cache {
    pub(crate) fn new(max_memory: usize) -> Self {
        Self {
            items: LruCache::unbounded(),
            max_memory,
            flush_at: None,
            last_unique: 0,
            bytes: 0,
            started: Instant::now(),
            statistics: Statistics::default(),
        }
    }

    /// By memcached's names. An item whose time is over counts until it is asked for, or evicted.
    pub(crate) fn statistics(&self) -> [(&'static str, u64); 8] {
        let Statistics { hits, misses, evictions } = self.statistics;
        [
            ("pid", process::id().into()),
            ("uptime", self.started.elapsed().as_secs()),
            ("get_hits", hits),
            ("get_misses", misses),
            ("evictions", evictions),
            ("curr_items", self.items.len() as u64),
            ("bytes", self.bytes as u64),
            ("limit_maxbytes", self.max_memory as u64),
        ]
    }

    /// The item of a key, unless its time is over.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&mut Item> {
        let now = Instant::now();
        let flushed = self.flush_at.filter(|at| *at <= now);
        let item = self.items.peek(key)?;
        let is_over = flushed.is_some_and(|at| item.stored <= at) || item.expires.0.is_some_and(|at| at <= now);
        if is_over {
            self.remove(key);
        }
        self.items.get_mut(key)
    }

    /// Stores an item; `false` if there is no room, even with all others evicted.
    pub(crate) fn put(&mut self, key: &[u8], item: Item) -> bool {
        self.remove(key);
        if item.size(key) > self.max_memory {
            return false;
        }
        self.last_unique += 1;
        self.bytes += item.size(key);
        self.items.put(key.to_vec(), Item { unique: self.last_unique, stored: Instant::now(), ..item });
        while self.bytes > self.max_memory {
            let Some((key, item)) = self.items.pop_lru() else { break };
            self.bytes -= item.size(&key);
            self.statistics.evictions += 1;
        }
        true
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let removed = self.items.pop(key);
        self.bytes -= removed.as_ref().map_or(0, |item| item.size(key));
        removed.is_some()
    }

    /// Has all items that there are then be over.
    pub(crate) fn flush(&mut self, delay: Duration) {
        self.flush_at = Instant::now().checked_add(delay);
        if delay.is_zero() {
            self.items.clear();
            self.bytes = 0;
        }
    }
}

/// When an item is over: the protocol's `exptime`.
#[derive(Clone, Copy)]
pub(crate) struct Expires(Option<Instant>);

/// 0 is never, a negative number at once, up to 30 days a number of seconds, and more a Unix time.
impl FromStr for Expires {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MONTH: u64 = 30 * 24 * 60 * 60;

        let now = Instant::now();
        Ok(Self(match u64::try_from(text.parse::<i64>()?) {
            Ok(0) => None,
            Ok(seconds) if seconds <= MONTH => Some(now + Duration::from_secs(seconds)),
            Ok(time) => {
                let unix = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
                now.checked_add(Duration::from_secs(time).saturating_sub(unix))
            }
            Err(_) => Some(now),
        }))
    }
}
