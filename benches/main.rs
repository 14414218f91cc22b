//! Side-by-side measurements against the peers. `README.md` says how to run them and what each row means.

mod load;
mod plot;
mod servers;
mod sys;
mod table;
mod workloads;

use std::io;
use std::num::ParseFloatError;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use servers::Kind;
use table::Table;
use workloads::Workload;

#[derive(Parser)]
#[command(about = "Measures socketserver and its peers side by side, on loopback")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every workload
    All(Settings),
    /// Connect, send 16 bytes, read the reply, close
    Short(Settings),
    /// The same with handlers that sleep for 5 ms
    Blocking(Settings),
    /// 64-byte lines on connections that stay
    Lines(Settings),
    /// The same with 16 lines in flight on each connection
    Pipelined(Settings),
    /// 32-byte UDP packets
    Udp(Settings),
    /// Unix-domain sockets, streams and datagrams
    Unix(Settings),
    /// A process for each request, by the memory that its parent holds
    Fork(Settings),
    /// Memory for each idle connection
    Memory(Settings),
    /// From `shutdown()` until the server has returned
    Shutdown(Settings),
    /// User-space instructions for each request, counted by valgrind
    Instructions(Settings),
    /// Times the shutdown of one server
    #[command(hide = true)]
    TimeShutdown { kind: Kind, times: usize },
}

#[derive(Args)]
struct Settings {
    /// Interleaved rounds
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Concurrent clients, or idle connections, instead of the usual ones
    #[arg(long, value_delimiter = ',')]
    clients: Vec<usize>,
    /// Only these servers, beside ours
    #[arg(long, value_delimiter = ',')]
    servers: Vec<Kind>,
    /// How long one process of a server is measured
    #[arg(long, value_parser = duration, default_value = "0.5")]
    seconds: Duration,
    /// Writes every sample
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws throughput against concurrency
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

impl Settings {
    /// The clients asked for, or the usual ones.
    fn clients<'a>(&'a self, usual: &'a [usize]) -> &'a [usize] {
        if self.clients.is_empty() { usual } else { &self.clients }
    }

    fn chosen(&self, kind: Kind) -> bool {
        self.servers.is_empty() || kind.is_ours() || self.servers.contains(&kind)
    }
}

fn duration(seconds: &str) -> Result<Duration, String> {
    let seconds: f64 = seconds.parse().map_err(|error: ParseFloatError| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() -> io::Result<()> {
    if let Some(arguments) = servers::Arguments::given()? {
        return servers::serve(&arguments);
    }
    let (workloads, settings) = match Arguments::parse().command {
        Command::All(settings) => (Workload::ALL.to_vec(), settings),
        Command::Short(settings) => (vec![Workload::Short], settings),
        Command::Blocking(settings) => (vec![Workload::Blocking], settings),
        Command::Lines(settings) => (vec![Workload::Lines], settings),
        Command::Pipelined(settings) => (vec![Workload::Pipelined], settings),
        Command::Udp(settings) => (vec![Workload::Udp], settings),
        Command::Unix(settings) => (vec![Workload::Unix], settings),
        Command::Fork(settings) => (vec![Workload::Fork], settings),
        Command::Memory(settings) => (vec![Workload::Memory], settings),
        Command::Shutdown(settings) => (vec![Workload::Shutdown], settings),
        Command::Instructions(settings) => (vec![Workload::Instructions], settings),
        Command::TimeShutdown { kind, times } => return servers::time_shutdown(kind, times),
    };
    let mut tables: Vec<Table> = Vec::new();
    for workload in workloads {
        for contest in workload.contests(&settings) {
            let table = contest.run(settings.rounds);
            println!("{table}");
            tables.push(table);
        }
    }
    if let Some(file) = &settings.json {
        table::write_json(&tables, file)?;
    }
    if let Some(file) = &settings.plot {
        plot::draw(&tables, file).map_err(io::Error::other)?;
    }
    Ok(())
}
