//! Memory for each idle connection, as `VmRSS` and `VmPTE` of `/proc/PID/status` tell.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::{Contest, contestants};
use crate::Settings;
use crate::load::Exchange;
use crate::servers::{Job, Kind, Server};
use crate::table::Measure;

const MEASURES: &[Measure] = &[
    Measure { name: "KiB resident", more_is_better: false },
    Measure { name: "KiB page tables", more_is_better: false },
];

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    let kinds =
        [Kind::Threading, Kind::ThreadingSlim, Kind::StdThreads, Kind::Epoll, Kind::Tokio, Kind::PythonThreading];
    let contest = |connections: &usize| {
        let connections = *connections;
        Contest {
            workload: "memory",
            title: format!("Memory for each of {connections} idle connections"),
            clients: None,
            measures: MEASURES,
            contestants: contestants(&kinds, settings, |kind| move || measure(kind, connections)),
        }
    };
    settings.clients(&[1_000, 10_000]).iter().map(contest).collect()
}

/// The connections are served once, and then idle.
fn measure(kind: Kind, connections: usize) -> io::Result<Vec<f64>> {
    let server = Server::start(kind, Job::Lines, 0)?;
    let address = server.address().as_socket().expect("an Internet address");
    let mut held = Vec::with_capacity(connections);
    let before = memory(server.pid())?;
    for number in 0..connections {
        let mut stream = TcpStream::connect(address)?;
        // As in `Kept`.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let mut exchange = Exchange::of_lines(number, 64, 1);
        stream.write_all(exchange.request())?;
        while {
            let received = stream.read(exchange.room())?;
            !exchange.received(received)?
        } {}
        held.push(stream);
    }
    let after = memory(server.pid())?;
    #[expect(clippy::cast_precision_loss, reason = "not so many")]
    let connections = connections as f64;
    Ok(after.iter().zip(before).map(|(after, before)| (after - before) / connections).collect())
}

/// KiB, resident and in page tables.
fn memory(pid: u32) -> io::Result<[f64; 2]> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_end_matches("kB").trim().parse().map_err(io::Error::other)
    };
    Ok([field("VmRSS:")?, field("VmPTE:")?])
}
