//! A process for each request: short connections and packets, with little and much memory in the parent.

use std::time::Duration;

use super::Contest;
use super::rates::{Race, contest};
use crate::Settings;
use crate::load::Traffic;
use crate::servers::{Job, Kind};

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    let kinds = [Kind::Forking, Kind::Fork, Kind::ForkDuties, Kind::PythonForking];
    let race = |workload, job, traffic, clients, touch| {
        let race = Race {
            workload,
            title: format!("{workload}, {clients} at a time, {touch} MB in the parent"),
            job,
            traffic,
            clients,
            touch,
            kinds: &kinds,
            // A fork of 1,000 MB takes some 30 ms, and the CPU of children is told in ticks of 10 ms.
            at_least: Duration::from_secs(1),
        };
        contest(&race, settings)
    };
    let mut contests = Vec::new();
    for &clients in settings.clients(&[1, 16, 128]) {
        contests.push(race("fork for each connection", Job::Short, Traffic::Short, clients, 0));
    }
    for touch in [100, 1_000] {
        contests.push(race("fork for each connection", Job::Short, Traffic::Short, 1, touch));
    }
    contests.push(race("fork for each packet", Job::Packets, Traffic::Packets, 16, 0));
    contests
}
