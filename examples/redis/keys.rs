//! The keys of the Redis: what their values are, and until when.

use std::alloc::System;
use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use cap::Cap;

pub(crate) type Bytes = Vec<u8>;
pub(crate) type List = VecDeque<Bytes>;
pub(crate) type Set = HashSet<Bytes>;
pub(crate) type Hash = HashMap<Bytes, Bytes>;

/// An error is the text that the client gets.
pub(crate) type Result<T> = std::result::Result<T, &'static str>;

/// Counts what is allocated, which is how Redis knows too.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

pub(crate) fn used_memory() -> usize {
    ALLOCATOR.allocated()
}

pub(crate) struct Keys {
    entries: HashMap<Bytes, Entry>,
    max_memory: usize,
}

/// A value is of the type of the command that made it: [`Bytes`], [`List`], [`Set`] or [`Hash`].
struct Entry {
    value: Box<dyn Any + Send>,
    expires: Option<Instant>,
}

impl Entry {
    fn is_over(&self) -> bool {
        self.expires.is_some_and(|at| at <= Instant::now())
    }
}

impl Keys {
    pub(crate) fn new(max_memory: usize) -> Self {
        Self { entries: HashMap::new(), max_memory }
    }

    fn entry(&mut self, key: &[u8]) -> Option<&mut Entry> {
        if self.entries.get(key).is_some_and(Entry::is_over) {
            self.entries.remove(key);
        }
        self.entries.get_mut(key)
    }

    pub(crate) fn contains(&mut self, key: &[u8]) -> bool {
        self.entry(key).is_some()
    }

    /// The value of a key that has one.
    pub(crate) fn get<T: 'static>(&mut self, key: &[u8]) -> Result<Option<&mut T>> {
        const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

        self.entry(key).map(|entry| entry.value.downcast_mut().ok_or(WRONG_TYPE)).transpose()
    }

    /// The value of a key, which is made if there is none.
    pub(crate) fn get_or_new<T: Default + Send + 'static>(&mut self, key: &[u8]) -> Result<&mut T> {
        self.check_memory()?;
        if !self.contains(key) {
            self.put(key, T::default(), None)?;
        }
        Ok(self.get(key)?.expect("it was just made"))
    }

    pub(crate) fn put<T: Send + 'static>(&mut self, key: &[u8], value: T, expires: Option<Instant>) -> Result<()> {
        self.check_memory()?;
        self.entries.insert(key.to_vec(), Entry { value: Box::new(value), expires });
        Ok(())
    }

    pub(crate) fn max_memory(&self) -> usize {
        self.max_memory
    }

    fn check_memory(&self) -> Result<()> {
        const FULL: &str = "OOM command not allowed when used memory > 'maxmemory'.";

        if used_memory() > self.max_memory { Err(FULL) } else { Ok(()) }
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let is_there = self.contains(key);
        self.entries.remove(key);
        is_there
    }

    /// When a key's time is over, if there is one and it ends.
    pub(crate) fn end(&mut self, key: &[u8]) -> Option<Instant> {
        self.entry(key)?.expires
    }

    /// Ends a key's time then; whether there is one.
    pub(crate) fn expire(&mut self, key: &[u8], at: Instant) -> bool {
        self.entry(key).map(|entry| entry.expires = Some(at)).is_some()
    }

    /// Removes the keys whose time is over.
    pub(crate) fn purge(&mut self) {
        self.entries.retain(|_, entry| !entry.is_over());
    }

    pub(crate) fn names(&mut self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.purge();
        self.entries.keys()
    }

    pub(crate) fn clear(&mut self) {
        self.entries = HashMap::new();
    }
}
