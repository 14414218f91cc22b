//! The standard library's threads and locks, as the crew uses them. A model checker puts its own in this place.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
pub(crate) use std::thread::{Builder, JoinHandle, Thread, current, park, park_timeout};
