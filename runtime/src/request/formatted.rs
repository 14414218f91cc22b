//! Formatted text, gathered whole or not at all: half of a reply is none.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Appends `text`; if a part of it fails or panics, nothing.
pub(super) fn append(output: &mut Vec<u8>, text: Arguments<'_>) -> io::Result<()> {
    let mut whole = Whole { length: output.len(), output };
    whole.output.write_fmt(text)?;
    whole.length = whole.output.len();
    Ok(())
}

/// Output, of which so much is whole.
struct Whole<'a> {
    output: &'a mut Vec<u8>,
    length: usize,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        self.output.truncate(self.length);
    }
}
