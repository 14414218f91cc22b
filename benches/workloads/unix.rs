//! Unix-domain sockets: short connections, lines and packets.

use std::time::Duration;

use super::Contest;
use super::rates::{Race, contest};
use crate::Settings;
use crate::load::Traffic;
use crate::servers::{Job, Kind};

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    let kinds =
        |floor| [Kind::Threading, floor, Kind::StdThreads, Kind::Tokio, Kind::TokioCurrent, Kind::PythonThreading];
    let jobs = [
        ("Unix short connections", Job::UnixShort, Traffic::Short, Kind::Inline),
        ("Unix lines", Job::UnixLines, Traffic::Lines { in_flight: 1 }, Kind::Epoll),
        ("Unix packets", Job::UnixPackets, Traffic::Packets, Kind::Inline),
    ];
    let mut contests = Vec::new();
    for (workload, job, traffic, floor) in jobs {
        for &clients in settings.clients(&[16]) {
            let race = Race {
                workload,
                title: format!("{workload}, {clients} at a time"),
                job,
                traffic,
                clients,
                touch: 0,
                kinds: &kinds(floor),
                at_least: Duration::ZERO,
            };
            contests.push(contest(&race, settings));
        }
    }
    contests
}
