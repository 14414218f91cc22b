//! The keys of the Redis: what their values are, and until when.

use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

pub(crate) type Bytes = Vec<u8>;

/// A value is of the type of the command that made it: one of these. An empty one is the same as none.
pub(crate) type Text = Option<Bytes>;
pub(crate) type List = VecDeque<Bytes>;
pub(crate) type Set = HashSet<Bytes>;
pub(crate) type Hash = HashMap<Bytes, Bytes>;

/// An error is the text that the client gets.
pub(crate) type Result<T, E = &'static str> = std::result::Result<T, E>;

#[derive(Default)]
pub(crate) struct Keys(HashMap<Bytes, Entry>);

pub(crate) struct Entry {
    value: Box<dyn Any + Send>,
    pub(crate) expires: Option<Instant>,
}

impl Entry {
    fn is_over(&self) -> bool {
        self.expires.is_some_and(|at| at <= Instant::now())
    }
}

impl Keys {
    /// What there is of a key.
    pub(crate) fn find(&mut self, key: &[u8]) -> Option<&mut Entry> {
        if self.0.get(key).is_some_and(Entry::is_over) {
            self.0.remove(key);
        }
        self.0.get_mut(key)
    }

    pub(crate) fn text(&mut self, key: &[u8]) -> Result<Text> {
        self.with(key, |text: &mut Text| text.clone())
    }

    /// Does something with the value of a key.
    pub(crate) fn with<T, R>(&mut self, key: &[u8], act: impl FnOnce(&mut T) -> R) -> Result<R>
    where
        T: Any + Send + Default + PartialEq,
    {
        const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

        let mut new = T::default();
        let Some(entry) = self.find(key) else {
            let result = act(&mut new);
            if new != T::default() {
                self.put(key, new, None);
            }
            return Ok(result);
        };
        let value = entry.value.downcast_mut().ok_or(WRONG_TYPE)?;
        let result = act(value);
        if *value == T::default() {
            self.0.remove(key);
        }
        Ok(result)
    }

    pub(crate) fn put<T: Any + Send>(&mut self, key: &[u8], value: T, expires: Option<Instant>) {
        self.0.insert(key.to_vec(), Entry { value: Box::new(value), expires });
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        self.find(key).is_some() && self.0.remove(key).is_some()
    }

    pub(crate) fn names(&mut self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.purge();
        self.0.keys()
    }

    /// Removes the keys whose time is over.
    pub(crate) fn purge(&mut self) {
        self.0.retain(|_, entry| !entry.is_over());
    }

    pub(crate) fn clear(&mut self) {
        self.0 = HashMap::new();
    }
}
