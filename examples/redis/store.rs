//! What the Redis stores: keys with strings, lists, sets and hashes, each with its time to live.

use std::alloc::System;
use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use cap::Cap;
use globset::GlobBuilder;
use socketserver::BoxError;

pub(crate) type Bytes = Vec<u8>;
pub(crate) type Strings = Vec<Bytes>;

/// A value is of the type of the operation that made it: one of these. An empty one is the same as none.
pub(crate) type Text = Option<Bytes>;
pub(crate) type List = VecDeque<Bytes>;
type Set = HashSet<Bytes>;
type Hash = HashMap<Bytes, Bytes>;

/// An error is in the words of Redis.
pub(crate) type Result<T> = std::result::Result<T, BoxError>;

/// Counts what is allocated, which is how Redis knows too.
#[global_allocator]
pub(crate) static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[derive(Default)]
pub(crate) struct Store {
    entries: HashMap<Bytes, Entry>,
}

struct Entry {
    value: Box<dyn Any + Send>,
    end: Option<Instant>,
}

impl Entry {
    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }
}

impl Store {
    pub(crate) fn text(&mut self, key: &[u8]) -> Result<Text> {
        self.with(key, |text: &mut Text| text.clone())
    }

    /// What is no text counts as missing.
    pub(crate) fn texts(&mut self, keys: &[&[u8]]) -> Vec<Text> {
        keys.iter().map(|key| self.text(key).unwrap_or_default()).collect()
    }

    pub(crate) fn put(&mut self, key: &[u8], text: &[u8], end: Option<Instant>) {
        self.entries.insert(key.into(), Entry { value: Box::new(Some(text.to_vec())), end });
    }

    pub(crate) fn append(&mut self, key: &[u8], more: &[u8]) -> Result<usize> {
        self.with(key, |text: &mut Text| {
            let text = text.get_or_insert_default();
            text.extend(more);
            text.len()
        })
    }

    pub(crate) fn add(&mut self, key: &[u8], by: i64) -> Result<i64> {
        self.with(key, |text: &mut Text| {
            let number = |text: &Bytes| str::from_utf8(text).unwrap_or_default().parse();
            let old: i64 = text.as_ref().map_or(Ok(0), number)?;
            let new = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
            *text = Some(new.to_string().into());
            Ok(new)
        })?
    }

    pub(crate) fn contains(&mut self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    pub(crate) fn count(&mut self, keys: &[&[u8]]) -> usize {
        keys.iter().filter(|key| self.contains(key)).count()
    }

    pub(crate) fn remove(&mut self, keys: &[&[u8]]) -> usize {
        keys.iter().filter(|key| self.contains(key) && self.entries.remove(**key).is_some()).count()
    }

    pub(crate) fn expire(&mut self, key: &[u8], end: Instant) -> bool {
        self.find(key).map(|entry| entry.end = Some(end)).is_some()
    }

    /// In seconds, as Redis tells it: -1 is for ever, and -2 says that there is no such key.
    pub(crate) fn time_to_live(&mut self, key: &[u8]) -> Result<i64> {
        let Some(entry) = self.find(key) else { return Ok(-2) };
        let Some(end) = entry.end else { return Ok(-1) };
        let left = end.saturating_duration_since(Instant::now()) + Duration::from_millis(500);
        Ok(left.as_secs().try_into()?)
    }

    pub(crate) fn len(&mut self) -> usize {
        self.purge();
        self.entries.len()
    }

    pub(crate) fn matching(&mut self, pattern: &str) -> Result<Strings> {
        // Braces mean something to globset, and nothing to Redis.
        let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build()?.compile_matcher();
        self.purge();
        Ok(self.entries.keys().filter(|key| glob.is_match(OsStr::from_bytes(key))).cloned().collect())
    }

    pub(crate) fn purge(&mut self) {
        self.entries.retain(|_, entry| !entry.is_over());
    }

    pub(crate) fn clear(&mut self) {
        self.entries = HashMap::new();
    }

    /// `push` is the one of an end of the list.
    pub(crate) fn list_push(&mut self, key: &[u8], push: fn(&mut List, Bytes), items: &[&[u8]]) -> Result<usize> {
        self.with(key, |list: &mut List| {
            for item in items {
                push(list, item.to_vec());
            }
            list.len()
        })
    }

    /// So many items at the most; `None` if there is no list.
    pub(crate) fn list_pop(&mut self, key: &[u8], pop: fn(&mut List) -> Text, most: usize) -> Result<Option<Strings>> {
        self.with(key, |list: &mut List| (!list.is_empty()).then(|| (0..most).map_while(|_| pop(list)).collect()))
    }

    /// Negative positions count from the end.
    pub(crate) fn list_range(&mut self, key: &[u8], start: i64, stop: i64) -> Result<Strings> {
        self.with(key, |list: &mut List| {
            let position = |at: i64| if at < 0 { at.saturating_add_unsigned(list.len() as u64) } else { at };
            let start = usize::try_from(position(start)).unwrap_or(0);
            let end = usize::try_from(position(stop)).map_or(0, |stop| stop.saturating_add(1));
            list.iter().take(end).skip(start).cloned().collect()
        })
    }

    pub(crate) fn list_len(&mut self, key: &[u8]) -> Result<usize> {
        self.with(key, |list: &mut List| list.len())
    }

    pub(crate) fn set_add(&mut self, key: &[u8], members: &[&[u8]]) -> Result<usize> {
        self.with(key, |set: &mut Set| members.iter().filter(|member| set.insert(member.to_vec())).count())
    }

    pub(crate) fn set_remove(&mut self, key: &[u8], members: &[&[u8]]) -> Result<usize> {
        self.with(key, |set: &mut Set| members.iter().filter(|member| set.remove(**member)).count())
    }

    pub(crate) fn set_all(&mut self, key: &[u8]) -> Result<Strings> {
        self.with(key, |set: &mut Set| set.iter().cloned().collect())
    }

    /// How many fields are new.
    pub(crate) fn hash_set(&mut self, key: &[u8], fields: &[(&[u8], &[u8])]) -> Result<usize> {
        let set = |hash: &mut Hash, field: &[u8], value: &[u8]| hash.insert(field.to_vec(), value.to_vec());
        self.with(key, |hash| fields.iter().filter(|(field, value)| set(hash, field, value).is_none()).count())
    }

    pub(crate) fn hash_get(&mut self, key: &[u8], field: &[u8]) -> Result<Text> {
        self.with(key, |hash: &mut Hash| hash.get(field).cloned())
    }

    /// Each field, and its value behind it.
    pub(crate) fn hash_all(&mut self, key: &[u8]) -> Result<Strings> {
        let pair = |(field, value): (&Bytes, &Bytes)| [field.clone(), value.clone()];
        self.with(key, |hash: &mut Hash| hash.iter().flat_map(pair).collect())
    }

    fn find(&mut self, key: &[u8]) -> Option<&mut Entry> {
        if self.entries.get(key)?.is_over() {
            self.entries.remove(key);
        }
        self.entries.get_mut(key)
    }

    /// Does something with the value of a key, which is made if there is none, and goes if it is empty then.
    fn with<T: Any + Send + Default + PartialEq, R>(&mut self, key: &[u8], act: impl FnOnce(&mut T) -> R) -> Result<R> {
        self.find(key);
        let new = || Entry { value: Box::new(T::default()), end: None };
        let value = self.entries.entry(key.into()).or_insert_with(new).value.downcast_mut();
        let value = value.ok_or("WRONGTYPE Operation against a key holding the wrong kind of value")?;
        let result = act(value);
        if *value == T::default() {
            self.entries.remove(key);
        }
        Ok(result)
    }
}
