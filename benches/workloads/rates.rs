//! What most workloads have in common: replies per second, and the server's CPU for each.

use std::time::Duration;

use super::{Contest, contestants};
use crate::Settings;
use crate::load::{self, Measured, Traffic};
use crate::servers::{Job, Kind, Server};
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

pub(super) fn contest(race: &Race<'_>, settings: &Settings) -> Contest {
    let (job, traffic, clients, touch) = (race.job, race.traffic, race.clients, race.touch);
    let time = settings.seconds.max(race.at_least);
    let run = move |kind| {
        move || {
            let processes = processes(traffic);
            let mut mean = Measured { rate: 0.0, cpu: 0.0 };
            for _ in 0..processes {
                let server = Server::start(kind, job, touch)?;
                let measured = load::run(&server, traffic, clients, time)?;
                mean.rate += measured.rate / f64::from(processes);
                mean.cpu += measured.cpu / f64::from(processes);
            }
            Ok(vec![mean.rate, mean.cpu])
        }
    };
    Contest {
        workload: race.workload,
        title: race.title.clone(),
        clients: Some(clients),
        measures: MEASURES,
        contestants: contestants(race.kinds, settings, run),
    }
}

/// How many processes of a server one sample is the mean of. On connections that stay, one may be twice as fast as the
/// next.
fn processes(traffic: Traffic) -> u32 {
    match traffic {
        Traffic::Lines { .. } => 3,
        Traffic::Short | Traffic::Packets => 1,
    }
}
