//! The seam to the operating system: every `unsafe` block of the crate is in this folder, each with its reason.
#![allow(unsafe_code, reason = "this is the folder for it")]

pub(crate) mod child;
pub(crate) mod datagram;
mod errno;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod poll;
#[cfg(feature = "signals")]
pub(crate) mod signal;
pub(crate) mod stream;
