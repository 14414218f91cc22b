//! 64-byte lines on connections that stay.

use std::time::Duration;

use super::Contest;
use super::rates::{Race, contest};
use crate::Settings;
use crate::load::Traffic;
use crate::servers::{Job, Kind};

pub(super) fn contests(settings: &Settings, in_flight: usize) -> Vec<Contest> {
    let kinds = [
        Kind::Threading,
        Kind::StdThreads,
        Kind::Epoll,
        Kind::Tokio,
        Kind::TokioCurrent,
        Kind::NetIo,
        Kind::PythonThreading,
    ];
    let race = |clients: &usize| {
        let (workload, what) = match in_flight {
            1 => ("lines", "Lines".to_owned()),
            _ => ("pipelined lines", format!("Lines, {in_flight} in flight")),
        };
        let race = Race {
            workload,
            title: format!("{what}, {clients} at a time"),
            job: Job::Lines,
            traffic: Traffic::Lines { in_flight },
            clients: *clients,
            touch: 0,
            kinds: &kinds,
            at_least: Duration::ZERO,
        };
        contest(&race, settings)
    };
    settings.clients(&[1, 16, 128, 1_000]).iter().map(race).collect()
}
