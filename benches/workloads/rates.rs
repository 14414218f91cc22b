//! What most workloads have in common: replies per second, and the server's CPU for each.

use std::time::Duration;

use super::{Contest, Contestant};
use crate::Settings;
use crate::load::{self, Traffic};
use crate::servers::{Job, Kind, Server, python_is_there};
use crate::table::Measure;

const MEASURES: &[Measure] =
    &[Measure { name: "replies/s", more_is_better: true }, Measure { name: "srv µs", more_is_better: false }];

/// What one contest is about.
pub(super) struct Race<'a> {
    pub(super) workload: &'static str,
    pub(super) title: String,
    pub(super) job: Job,
    pub(super) traffic: Traffic,
    pub(super) clients: usize,
    /// MB touched by the server before it serves.
    pub(super) touch: usize,
    /// The first is ours.
    pub(super) kinds: &'a [Kind],
    /// The shortest time that has requests enough.
    pub(super) at_least: Duration,
}

/// Ours takes part a second time: what differs between the two is noise.
pub(super) fn contest(race: &Race<'_>, settings: &Settings) -> Contest {
    let (job, traffic, clients, touch) = (race.job, race.traffic, race.clients, race.touch);
    let time = settings.time().max(race.at_least);
    let run = move |kind| {
        move || {
            let server = Server::start(kind, job, touch)?;
            let measured = load::run(&server, traffic, clients, time)?;
            Ok(vec![measured.rate, measured.cpu])
        }
    };
    let ours = race.kinds[0];
    let mut contestants = vec![Contestant::new(ours.label(), run(ours)), Contestant::new("the same again", run(ours))];
    let has_python = python_is_there();
    let others = race.kinds[1..].iter().filter(|kind| settings.chosen(**kind) && (has_python || !kind.is_python()));
    contestants.extend(others.map(|&kind| Contestant::new(kind.label(), run(kind))));
    Contest {
        workload: race.workload,
        title: race.title.clone(),
        clients: Some(clients),
        measures: MEASURES,
        most_rounds: usize::MAX,
        contestants,
    }
}
