//! The options of `SET`.

use std::time::{Duration, Instant};

use socketserver::BoxError;

#[derive(Default)]
pub(crate) struct SetOptions {
    /// `XX`: only if the key exists; `NX`: only if it does not.
    pub(crate) exists: Option<bool>,
    /// `GET`: the reply is the old value.
    pub(crate) get: bool,
    /// `EX SECONDS`, `PX MILLISECONDS`
    pub(crate) expires: Option<Instant>,
}

impl SetOptions {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, BoxError> {
        const SYNTAX: &str = "ERR syntax error";

        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_str() {
                "xx" if options.exists != Some(false) => options.exists = Some(true),
                "nx" if options.exists != Some(true) => options.exists = Some(false),
                "get" => options.get = true,
                "ex" if options.expires.is_none() => {
                    options.expires = Some(after(words.next().ok_or(SYNTAX)?, Duration::from_secs)?);
                }
                "px" if options.expires.is_none() => {
                    options.expires = Some(after(words.next().ok_or(SYNTAX)?, Duration::from_millis)?);
                }
                _ => return Err(SYNTAX.into()),
            }
        }
        Ok(options)
    }
}

fn after(number: &str, unit: fn(u64) -> Duration) -> Result<Instant, BoxError> {
    let number: i64 = number.parse()?;
    let positive = u64::try_from(number).ok().filter(|number| *number > 0);
    let at = positive.and_then(|number| Instant::now().checked_add(unit(number)));
    Ok(at.ok_or("ERR invalid expire time in 'set' command")?)
}
