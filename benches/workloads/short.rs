//! Connect, send 16 bytes, read the reply, close.

use std::time::Duration;

use super::Contest;
use super::rates::{Race, contest};
use crate::Settings;
use crate::load::Traffic;
use crate::servers::{Job, Kind};

/// The handler sleeps for 5 ms: whoever has few threads has few requests at once.
pub(super) fn blocking(settings: &Settings) -> Vec<Contest> {
    let kinds = [Kind::Threading, Kind::StdThreads, Kind::Tokio, Kind::PythonThreading];
    let race = |clients: &usize| {
        let race = Race {
            workload: "blocking handlers",
            title: format!("Handlers that block for 5 ms, {clients} at a time"),
            job: Job::Blocking,
            traffic: Traffic::Short,
            clients: *clients,
            touch: 0,
            kinds: &kinds,
            at_least: Duration::ZERO,
        };
        contest(&race, settings)
    };
    settings.clients(&[1, 16, 128]).iter().map(race).collect()
}

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    let kinds = [
        Kind::Threading,
        Kind::Iterative,
        Kind::Inline,
        Kind::Epoll,
        Kind::StdThreads,
        Kind::Tokio,
        Kind::TokioCurrent,
        Kind::NetIo,
        Kind::PythonThreading,
        Kind::PythonIterative,
    ];
    let race = |clients: &usize| {
        let race = Race {
            workload: "short connections",
            title: format!("Short connections, {clients} at a time"),
            job: Job::Short,
            traffic: Traffic::Short,
            clients: *clients,
            touch: 0,
            kinds: &kinds,
            at_least: Duration::ZERO,
        };
        contest(&race, settings)
    };
    settings.clients(&[1, 16, 128]).iter().map(race).collect()
}
