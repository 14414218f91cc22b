//! The words of `#[socket_server]`, and the one table of its options: what each is for.

pub(crate) const TRANSPORTS: &[&str] = &["tcp", "udp", "unix_stream", "unix_datagram"];
pub(crate) const MIX_INS: &[&str] = &["iterative", "threading", "forking"];
/// Words without a composition to fit: `hooks` takes no value, `crate` a path.
pub(crate) const HOOKS: &str = "hooks";
pub(crate) const CRATE: &str = "crate";

const STREAM: &[&str] = &["tcp", "unix_stream"];
const DATAGRAM: &[&str] = &["udp", "unix_datagram"];
const INTERNET: &[&str] = &["tcp", "udp"];
const UNIX: &[&str] = &["unix_stream", "unix_datagram"];

/// Each has a method of the same name on the runtime's `Options`.
pub(crate) const OPTIONS: &[ServerOption] = &[
    option("timeout", "Duration::from_secs(30)"),
    option("service_interval", "Duration::from_secs(1)"),
    option("drain_timeout", "Duration::from_secs(10)"),
    option("max_line", "65_536").at_least_one(),
    option("max_message", "1_048_576").at_least_one(),
    option("crlf", "true"),
    option("help", "true"),
    option("backlog", "1_024").on(STREAM),
    option("read_timeout", "Duration::from_secs(30)").on(STREAM),
    option("write_timeout", "Duration::from_secs(30)").on(STREAM),
    option("request_deadline", "Duration::from_secs(300)").on(STREAM),
    option("read_buffer", "8_192").on(STREAM).at_least_one(),
    option("write_buffer", "8_192").on(STREAM),
    option("reuse_address", "true").on(INTERNET),
    option("reuse_port", "true").on(INTERNET),
    option("only_v6", "true").on(INTERNET),
    option("nodelay", "true").on(&["tcp"]),
    option("max_packet_size", "8_192").on(DATAGRAM).at_least_one(),
    option("socket_mode", "0o660").on(UNIX),
    option("max_threads", "512").with(&["threading"]).at_least_one(),
    option("stack_size", "262_144").with(&["threading"]),
    option("daemon_threads", "true").with(&["threading"]),
    option("max_children", "40").with(&["forking"]).at_least_one(),
    option("block_on_close", "false").with(&["threading", "forking"]),
];

#[derive(Clone, Copy)]
pub(crate) struct ServerOption {
    pub(crate) name: &'static str,
    /// A value, to show how one is written.
    pub(crate) example: &'static str,
    pub(crate) transports: &'static [&'static str],
    pub(crate) mix_ins: &'static [&'static str],
    pub(crate) at_least_one: bool,
}

const fn option(name: &'static str, example: &'static str) -> ServerOption {
    ServerOption { name, example, transports: TRANSPORTS, mix_ins: MIX_INS, at_least_one: false }
}

impl ServerOption {
    const fn on(self, transports: &'static [&'static str]) -> Self {
        Self { transports, ..self }
    }

    const fn with(self, mix_ins: &'static [&'static str]) -> Self {
        Self { mix_ins, ..self }
    }

    const fn at_least_one(self) -> Self {
        Self { at_least_one: true, ..self }
    }
}

/// Every word that `#[socket_server]` knows.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    let options = OPTIONS.iter().map(|option| option.name);
    TRANSPORTS.iter().chain(MIX_INS).copied().chain(options).chain([HOOKS, CRATE])
}

/// Words as a sentence has them: "`tcp`, `udp` and `unix_stream`".
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a &'a str>, conjunction: &str) -> String {
    let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{MIX_INS, OPTIONS, TRANSPORTS, listed, words};

    #[test]
    fn every_word_has_one_meaning() {
        let all: Vec<_> = words().collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn every_option_fits_some_composition() {
        for option in OPTIONS {
            assert!(!option.transports.is_empty() && !option.mix_ins.is_empty(), "{}", option.name);
            assert!(option.transports.iter().all(|word| TRANSPORTS.contains(word)), "{}", option.name);
            assert!(option.mix_ins.iter().all(|word| MIX_INS.contains(word)), "{}", option.name);
            assert!(syn::parse_str::<syn::Expr>(option.example).is_ok(), "{}", option.name);
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(&["tcp"], "and"), "`tcp`");
        assert_eq!(listed(&["tcp", "udp"], "or"), "`tcp` or `udp`");
        assert_eq!(listed(MIX_INS, "and"), "`iterative`, `threading` and `forking`");
    }
}
