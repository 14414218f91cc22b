//! The workloads, and how servers are raced: in rounds, each server once in each, in turn.

mod fork;
mod instructions;
mod lines;
mod memory;
mod rates;
mod short;
mod shutdown;
mod udp;
mod unix;

use std::io::{self, IsTerminal};

use crate::Settings;
use crate::servers::{Kind, python_is_there};
use crate::table::{Measure, Row, Table};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Workload {
    Short,
    Blocking,
    Lines,
    Pipelined,
    Udp,
    Unix,
    Fork,
    Memory,
    Shutdown,
    Instructions,
}

impl Workload {
    pub(crate) const ALL: [Self; 10] = [
        Self::Short,
        Self::Blocking,
        Self::Lines,
        Self::Pipelined,
        Self::Udp,
        Self::Unix,
        Self::Fork,
        Self::Memory,
        Self::Shutdown,
        Self::Instructions,
    ];

    pub(crate) fn contests(self, settings: &Settings) -> Vec<Contest> {
        match self {
            Self::Short => short::contests(settings),
            Self::Blocking => short::blocking(settings),
            Self::Lines => lines::contests(settings, 1),
            Self::Pipelined => lines::contests(settings, 16),
            Self::Udp => udp::contests(settings),
            Self::Unix => unix::contests(settings),
            Self::Fork => fork::contests(settings),
            Self::Memory => memory::contests(settings),
            Self::Shutdown => shutdown::contests(settings),
            Self::Instructions => instructions::contests(settings),
        }
    }
}

/// One table to be: what is measured, and who takes part.
pub(crate) struct Contest {
    workload: &'static str,
    title: String,
    clients: Option<usize>,
    measures: &'static [Measure],
    /// The first is ours, which the others are compared with.
    contestants: Vec<Contestant>,
}

struct Contestant {
    label: &'static str,
    /// One sample for each measure.
    run: Box<dyn Fn() -> io::Result<Vec<f64>>>,
}

/// Ours, which is the first of these kinds, takes part a second time: what differs between the two is noise.
fn contestants<R: Fn() -> io::Result<Vec<f64>> + 'static>(
    kinds: &[Kind],
    settings: &Settings,
    run: impl Fn(Kind) -> R,
) -> Vec<Contestant> {
    let has_python = python_is_there();
    let contestant = |label, kind| Contestant { label, run: Box::new(run(kind)) };
    let mut contestants = vec![contestant(kinds[0].label(), kinds[0]), contestant("the same again", kinds[0])];
    let others = kinds[1..].iter().filter(|kind| settings.chosen(**kind) && (has_python || !kind.is_python()));
    contestants.extend(others.map(|&kind| contestant(kind.label(), kind)));
    contestants
}

impl Contest {
    pub(crate) fn run(&self, rounds: usize) -> Table {
        let mut rows: Vec<Row> = self.contestants.iter().map(|contestant| Row::new(contestant.label)).collect();
        for round in 0..rounds {
            for place in 0..rows.len() {
                // Nobody is always the first, or always after the same one.
                let turn = (place + round) % rows.len();
                let turn = if round % 2 == 0 { turn } else { rows.len() - 1 - turn };
                if io::stderr().is_terminal() {
                    eprint!("\r\x1b[K{}: round {} of {rounds}, {}", self.title, round + 1, rows[turn].server);
                }
                rows[turn].rounds.push((self.contestants[turn].run)().map_err(|error| error.to_string()));
            }
        }
        if io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
        Table {
            workload: self.workload,
            title: self.title.clone(),
            clients: self.clients,
            measures: self.measures,
            rows,
        }
    }
}
