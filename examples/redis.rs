//! A Redis: strings, lists, sets and hashes in memory, over RESP2.
//!
//! ```text
//! cargo run --example redis                                    # on 127.0.0.1:6379
//! redis-cli set greeting hello ex 60
//! redis-cli                                                    # or one after the other
//! printf 'SET greeting hello\r\nGET greeting\r\n' | nc -N 127.0.0.1 6379
//! ```
//!
//! There are PING ECHO SET GET MGET MSET DEL EXISTS INCR DECR INCRBY APPEND EXPIRE TTL KEYS DBSIZE FLUSHALL LPUSH RPUSH LPOP
//! RPOP LRANGE LLEN SADD SREM SMEMBERS HSET HGET HGETALL CONFIG GET, CLIENT INFO and INFO, pipelined or one by one. Each is
//! done at once and as a whole, and an error says what Redis says. Ctrl-C and SIGTERM drain.
//!
//! Left out: everything else. There is one database, and nothing is on disk; what does not fit in `--max-memory` is refused
//! (Redis' `noeviction`), which bounds what is stored and received, not what is replied; no RESP3, no transactions, no
//! publishing, no passwords; of SET the options KEEPTTL, EXAT and PXAT; in a typed line quotes mean nothing; COMMAND knows
//! no commands, and CONFIG GET no patterns but `*`.

use std::alloc::System;
use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cap::Cap;
use clap::Parser;
use socketserver::{Hooks, socket_server};

use keys::{Keys, Result};

#[path = "redis/commands.rs"]
mod commands;
#[path = "redis/keys.rs"]
mod keys;
#[path = "redis/set_options.rs"]
mod set_options;

/// Counts what is allocated, which is how Redis knows too.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// A Redis server.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6379")]
    address: String,
    /// How much memory the program may take before it refuses to store more.
    #[arg(long, value_name = "BYTES", default_value = "268435456")]
    max_memory: NonZeroUsize,
    /// The longest request, and thereby the longest string in one.
    #[arg(long, value_name = "BYTES", default_value = "1048576")]
    max_request: NonZeroUsize,
    /// Clients at once; others wait.
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    max_clients: NonZeroUsize,
    /// How long a client may be silent, or take nothing; for ever, if it is not given.
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<NonZeroU64>,
}

#[socket_server(tcp, threading, hooks, service_interval = Duration::from_secs(1))]
struct Redis {
    keys: Mutex<Keys>,
    max_memory: usize,
    started: Instant,
    /// What `CONFIG GET` tells.
    config: Vec<(&'static str, String)>,
}

impl Redis {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, where there is room to store more.
    fn room(&self) -> Result<MutexGuard<'_, Keys>> {
        const FULL: &str = "OOM command not allowed when used memory > 'maxmemory'.";

        if ALLOCATOR.allocated() > self.max_memory { Err(FULL) } else { Ok(self.keys()) }
    }
}

impl Hooks for Redis {
    /// A key whose time is over is gone when it is asked for; this is for those that nobody asks for.
    fn service_actions(&self) {
        self.keys().purge();
    }
}

fn main() -> io::Result<()> {
    env_logger::init();
    let arguments = Arguments::parse();
    let idle_timeout = arguments.idle_timeout.map(|seconds| Duration::from_secs(seconds.get()));
    let config = vec![
        ("maxmemory", arguments.max_memory.to_string()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("maxclients", arguments.max_clients.to_string()),
        ("proto-max-bulk-len", arguments.max_request.to_string()),
        ("timeout", arguments.idle_timeout.map_or(0, NonZeroU64::get).to_string()),
        ("appendonly", "no".to_owned()),
        ("save", String::new()),
    ];
    let max_memory = arguments.max_memory.get();
    let server = Redis { keys: Mutex::default(), max_memory, started: Instant::now(), config }
        .builder()
        .max_message(arguments.max_request.get())
        .max_threads(arguments.max_clients.get())
        .read_timeout(idle_timeout)
        .write_timeout(idle_timeout)
        .bind(arguments.address)?;
    server.shutdown_on_signals()?;
    println!("listening on {}", server.local_address());
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
