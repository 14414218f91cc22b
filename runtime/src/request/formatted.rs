//! Formatted text, which is made whole before any of it is written: half of a reply is none, and what makes it is the
//! user's code, which may write to the same peer, or wait for a thread that does.

use std::fmt::Arguments;
use std::io::{self, Write};

use super::spare;

/// Gives `text` to `write`; if a part of it fails or panics, nothing.
pub(crate) fn write(text: Arguments<'_>, write: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut whole = spare::text();
    let written = whole.write_fmt(text).and_then(|()| write(&whole));
    spare::keep_text(whole);
    written
}
