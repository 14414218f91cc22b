//! The servers: each a process of its own, this program executed again.

mod epoll;
mod fork;
mod inline;
mod net_io;
mod ours;
mod python;
mod std_threads;
mod tokio;

use std::env;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use clap::ValueEnum;
use socket2::SockAddr;

use crate::sys;

/// The servers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Threading,
    /// With a 64 KiB stack for each thread.
    ThreadingSlim,
    Iterative,
    Forking,
    StdThreads,
    Tokio,
    TokioCurrent,
    NetIo,
    Epoll,
    Inline,
    Fork,
    /// With the duties of a server.
    ForkDuties,
    PythonThreading,
    PythonIterative,
    PythonForking,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Job {
    /// Reads 16 bytes of a connection, answers, and closes it.
    Short,
    /// The same, and sleeps for [`PAUSE`] before it answers, as a handler does that asks a database.
    Blocking,
    /// Answers lines until the peer closes.
    Lines,
    /// Answers packets.
    Packets,
    UnixShort,
    UnixLines,
    UnixPackets,
}

/// Of this program where it is one of the servers.
pub(crate) struct Arguments {
    kind: Kind,
    job: Job,
    /// The path of a Unix-domain server.
    path: PathBuf,
    /// MB of memory to write to before serving.
    touch: usize,
}

const SERVE: &str = "serve";

impl Arguments {
    /// Read without clap's parser, which leaves the heap full of holes: what a forking parent allocates would lie in one
    /// here and in one there, each in a page that is copied, and not as in a program that is a server and nothing else.
    pub(crate) fn given() -> io::Result<Option<Self>> {
        let mut given = env::args().skip(1);
        if given.next().as_deref() != Some(SERVE) {
            return Ok(None);
        }
        let mut next = || given.next().ok_or(io::ErrorKind::InvalidInput);
        Ok(Some(Self {
            kind: Kind::from_str(&next()?, false).map_err(io::Error::other)?,
            job: Job::from_str(&next()?, false).map_err(io::Error::other)?,
            path: next()?.into(),
            touch: next()?.parse().map_err(io::Error::other)?,
        }))
    }
}

/// All bytes in upper case, which is what every server answers.
const SHORT: usize = 16;

const PAUSE: Duration = Duration::from_millis(5);

impl Kind {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Threading => "ours, threading",
            Self::ThreadingSlim => "ours, threading, slim",
            Self::Iterative => "ours, iterative",
            Self::Forking => "ours, forking",
            Self::StdThreads => "std::net, thread each",
            Self::Tokio => "tokio, multi-thread",
            Self::TokioCurrent => "tokio, current-thread",
            Self::NetIo => "net-io, blocking pool",
            Self::Epoll => "floor: epoll, 1 thread",
            Self::Inline => "floor: inline loop",
            Self::Fork => "floor: fork loop",
            Self::ForkDuties => "floor: fork, duties",
            Self::PythonThreading => "Python, threading",
            Self::PythonIterative => "Python, iterative",
            Self::PythonForking => "Python, forking",
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Threading | Self::ThreadingSlim | Self::Iterative | Self::Forking)
    }

    pub(crate) fn is_python(self) -> bool {
        matches!(self, Self::PythonThreading | Self::PythonIterative | Self::PythonForking)
    }
}

impl Job {
    fn is_unix(self) -> bool {
        matches!(self, Self::UnixShort | Self::UnixLines | Self::UnixPackets)
    }
}

/// Runs one server, for ever.
pub(crate) fn serve(arguments: &Arguments) -> io::Result<()> {
    let Arguments { kind, job, path, touch } = arguments;
    // Written to, so that it is there; and kept.
    let memory = vec![1_u8; touch << 20];
    match kind {
        Kind::Threading | Kind::ThreadingSlim | Kind::Iterative | Kind::Forking => ours::serve(*kind, *job, path),
        Kind::StdThreads => std_threads::serve(*job, path),
        Kind::Tokio => tokio::multi_thread(*job, path),
        Kind::TokioCurrent => tokio::current_thread(*job, path),
        Kind::NetIo => net_io::serve(*job),
        Kind::Epoll => epoll::serve(*job, path),
        Kind::Inline => inline::serve(*job, path),
        Kind::Fork => fork::serve(*job, path, false),
        Kind::ForkDuties => fork::serve(*job, path, true),
        Kind::PythonThreading | Kind::PythonIterative | Kind::PythonForking => {
            unreachable!("started as a python3 of its own")
        }
    }?;
    drop(memory);
    Ok(())
}

pub(crate) use ours::time_shutdown;
pub(crate) use python::{is_there as python_is_there, time_shutdown as python_shutdown};

/// Tells the load generator where the server listens.
fn serves(address: impl Display) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{address}")?;
    output.flush()
}

fn unsupported(job: Job) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("no server for {job:?}"))
}

/// What it writes to its standard error.
const ERRORS: &str = "errors";

/// A server process, killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SockAddr,
    place: PathBuf,
}

impl Server {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(kind: Kind, job: Job, touch: usize) -> io::Result<Self> {
        Self::start_under(&[], kind, job, touch)
    }

    /// The same, as the argument of another program.
    pub(crate) fn start_under(wrapper: &[&str], kind: Kind, job: Job, touch: usize) -> io::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);

        let name = format!("benches-{}-{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let place = env::temp_dir().join(name);
        fs::create_dir(&place)?;
        let path = place.join("server");
        let mut command = if kind.is_python() { python::command(kind, job, &path, touch) } else { again(wrapper)? };
        if !kind.is_python() {
            command.args([SERVE, &value_name(&kind), &value_name(&job)]).arg(&path).arg(touch.to_string());
        }
        let errors = File::create(place.join(ERRORS))?;
        let mut process = sys::end_with_parent(&mut command).stdout(Stdio::piped()).stderr(errors).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let server = |address| Self { process, address, place };
        if job.is_unix() {
            return Ok(server(SockAddr::unix(path)?));
        }
        match line.trim_end().parse::<SocketAddr>() {
            Ok(address) => Ok(server(address.into())),
            Err(_) => Err(server(SockAddr::unix(path)?).why_it_ended()),
        }
    }

    pub(crate) fn address(&self) -> &SockAddr {
        &self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A directory for sockets, gone with the server.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Ends it gently, and tells what it has written to its standard error.
    pub(crate) fn terminate(mut self) -> io::Result<(ExitStatus, String)> {
        sys::terminate(self.pid())?;
        let status = self.process.wait()?;
        Ok((status, self.errors()))
    }

    fn why_it_ended(mut self) -> io::Error {
        let _ = self.process.wait();
        io::Error::other(self.errors().trim_end().to_owned())
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.place.join(ERRORS)).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// This program, executed again.
pub(crate) fn again(wrapper: &[&str]) -> io::Result<Command> {
    let program = env::current_exe()?;
    Ok(match wrapper {
        [] => Command::new(program),
        [wrapper, arguments @ ..] => {
            let mut command = Command::new(wrapper);
            command.args(arguments).arg(program);
            command
        }
    })
}

pub(crate) fn value_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().expect("none is left out").get_name().to_owned()
}
