//! Words that one may bring along, from Python above all, and what they are here.

pub(crate) struct Foreign {
    pub(crate) word: &'static str,
    /// Ours, as written in the attribute; empty where there is nothing to write.
    pub(crate) ours: &'static str,
    /// The difference, in a word.
    pub(crate) note: &'static str,
}

pub(crate) fn translate(word: &str) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|foreign| foreign.word == word)
}

const SERVER: &str = "the server is the struct, and its handler the `impl` block marked `#[handler]`";
const MIXED: &str = "transport and mix-in are two words of the attribute";

const FOREIGN: &[Foreign] = &[
    // Python's classes.
    foreign("TCPServer", "tcp", SERVER),
    foreign("UDPServer", "udp", SERVER),
    foreign("UnixStreamServer", "unix_stream", SERVER),
    foreign("UnixDatagramServer", "unix_datagram", SERVER),
    foreign("ThreadingMixIn", "threading", "it has a limit, `max_threads`, and a shutdown waits for what runs"),
    foreign("ForkingMixIn", "forking", "children are waited for as they end"),
    foreign("ThreadingTCPServer", "tcp, threading", MIXED),
    foreign("ThreadingUDPServer", "udp, threading", MIXED),
    foreign("ThreadingUnixStreamServer", "unix_stream, threading", MIXED),
    foreign("ThreadingUnixDatagramServer", "unix_datagram, threading", MIXED),
    foreign("ForkingTCPServer", "tcp, forking", MIXED),
    foreign("ForkingUDPServer", "udp, forking", MIXED),
    foreign("ForkingUnixStreamServer", "unix_stream, forking", MIXED),
    foreign("ForkingUnixDatagramServer", "unix_datagram, forking", MIXED),
    // Its attributes and parameters.
    foreign("request_queue_size", "backlog", "the default is as many as the kernel allows, not 5"),
    foreign("allow_reuse_address", "reuse_address", "it is on by default for `tcp`"),
    foreign("allow_reuse_port", "reuse_port", "it is off by default, as in Python"),
    foreign("disable_nagle_algorithm", "nodelay", "it is on by default"),
    foreign("rbufsize", "read_buffer", "in bytes, at least 1"),
    foreign("wbufsize", "write_buffer", "in bytes; 0 sends every write at once, as in Python"),
    foreign("poll_interval", "", "a shutdown wakes the server at once; `service_interval` is for `service_actions`"),
    foreign("address_family", "", "the address given to `bind` decides between IPv4 and IPv6"),
    foreign("socket_type", "", "the transport decides: `tcp`, `udp`, `unix_stream` or `unix_datagram`"),
    foreign("server_address", "", "give the address to `bind`"),
    foreign("bind_and_activate", "", "`bind` binds, and listens"),
    foreign("RequestHandlerClass", "", SERVER),
    foreign("daemon", "daemon_threads", "as in Python's `ThreadingMixIn`"),
    // Plausible words.
    foreign("unix", "unix_stream", "or `unix_datagram`, for packets"),
    foreign("uds", "unix_stream", "or `unix_datagram`, for packets"),
    foreign("stream", "tcp", "or `unix_stream`, within one host"),
    foreign("datagram", "udp", "or `unix_datagram`, within one host"),
    foreign("sync", "iterative", "it is the default: one request at a time"),
    foreign("blocking", "iterative", "it is the default: one request at a time"),
    foreign("single_threaded", "iterative", "it is the default: one request at a time"),
    foreign("async", "threading", "handlers are plain functions; each request in progress has a thread"),
    foreign("thread", "threading", "`max_threads = 512` limits them"),
    foreign("threads", "threading", "`max_threads = 512` limits them"),
    foreign("threaded", "threading", "`max_threads = 512` limits them"),
    foreign("workers", "max_threads", "under `forking` it is `max_children`"),
    foreign("max_connections", "max_threads", "under `forking` it is `max_children`"),
    foreign("fork", "forking", "`max_children = 40` limits the children"),
    foreign("processes", "forking", "`max_children = 40` limits the children"),
];

const fn foreign(word: &'static str, ours: &'static str, note: &'static str) -> Foreign {
    Foreign { word, ours, note }
}

#[cfg(test)]
mod tests {
    use super::FOREIGN;
    use crate::options::words;

    #[test]
    fn every_translation_is_a_word_of_ours() {
        for foreign in FOREIGN {
            assert!(words().all(|word| word != foreign.word), "{} needs no translation", foreign.word);
            let ours = foreign.ours.split(", ").filter(|ours| !ours.is_empty());
            assert!(ours.clone().all(|ours| words().any(|word| word == ours)), "{}", foreign.word);
        }
    }
}
