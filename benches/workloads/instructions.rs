//! User-space instructions for each request, counted by `valgrind --tool=callgrind`.

use std::io;
use std::process::{Command, Stdio};

use super::{Contest, contestants};
use crate::Settings;
use crate::load::{self, Traffic};
use crate::servers::{Job, Kind, Server};
use crate::table::Measure;

const MEASURES: &[Measure] = &[Measure { name: "instructions", more_is_better: false }];

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    if !valgrind_is_there() {
        eprintln!("instructions: there is no valgrind");
        return Vec::new();
    }
    let contest = |title: &str, job, traffic, kinds: &[Kind]| Contest {
        workload: "instructions",
        title: format!("User-space instructions for each {title}"),
        clients: None,
        measures: MEASURES,
        contestants: contestants(kinds, settings, |kind| move || count_each(kind, job, traffic)),
    };
    let threads = [Kind::Threading, Kind::Iterative, Kind::StdThreads, Kind::Inline];
    vec![
        contest("short connection", Job::Short, Traffic::Short, &threads),
        contest("line", Job::Lines, Traffic::Lines { in_flight: 1 }, &threads),
        contest("UDP packet", Job::Packets, Traffic::Packets, &threads),
    ]
}

/// The difference between a run with many requests and one with few: what a server costs once cancels out.
fn count_each(kind: Kind, job: Job, traffic: Traffic) -> io::Result<Vec<f64>> {
    const FEW: u64 = 500;
    const MANY: u64 = 3_500;

    let (few, many) = (count(kind, job, traffic, FEW)?, count(kind, job, traffic, MANY)?);
    #[expect(clippy::cast_precision_loss, reason = "not so many")]
    let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
    Ok(vec![each])
}

fn count(kind: Kind, job: Job, traffic: Traffic, requests: u64) -> io::Result<u64> {
    let wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let server = Server::start_under(&wrapper, kind, job, 0)?;
    load::ask(&server, traffic, requests)?;
    let (_, output) = server.terminate()?;
    let collected = output.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    collected.and_then(|count| count.parse().ok()).ok_or_else(|| io::Error::other(output))
}

fn valgrind_is_there() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
