//! The samples of a contest, what they come to, and how they are shown.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) more_is_better: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) workload: &'static str,
    pub(crate) title: String,
    pub(crate) clients: Option<usize>,
    pub(crate) measures: &'static [Measure],
    /// The first is ours, which the others are compared with.
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) server: &'static str,
    /// A sample for each measure, or why there is none.
    pub(crate) rounds: Vec<Result<Vec<f64>, String>>,
}

impl Row {
    pub(crate) fn new(server: &'static str) -> Self {
        Self { server, rounds: Vec::new() }
    }

    /// The samples of one measure, by rounds.
    fn samples(&self, measure: usize) -> impl Iterator<Item = Option<f64>> {
        self.rounds.iter().map(move |round| round.as_ref().ok().map(|samples| samples[measure]))
    }

    pub(crate) fn median(&self, measure: usize) -> Option<f64> {
        median(self.samples(measure).flatten().collect())
    }

    fn range(&self, measure: usize) -> Option<(f64, f64)> {
        let samples = || self.samples(measure).flatten();
        Some((samples().reduce(f64::min)?, samples().reduce(f64::max)?))
    }

    fn failure(&self) -> Option<&str> {
        self.rounds.iter().find_map(|round| round.as_ref().err()).map(String::as_str)
    }
}

impl Table {
    /// The median of the ratios within each round, above 1 where ours is better.
    fn ratio(&self, row: &Row, measure: usize) -> Option<f64> {
        let pairs = self.rows[0].samples(measure).zip(row.samples(measure));
        let ratio = |(ours, theirs): (Option<f64>, Option<f64>)| {
            let (ours, theirs) = (ours?, theirs?);
            Some(if self.measures[measure].more_is_better { ours / theirs } else { theirs / ours })
        };
        median(pairs.filter_map(ratio).collect())
    }

    fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let measures = self.measures.iter().enumerate().map(|(measure, Measure { name, more_is_better })| {
                json!({
                    "measure": name,
                    "more_is_better": more_is_better,
                    "median": row.median(measure),
                    "samples": row.samples(measure).collect::<Vec<_>>(),
                    "ratio_to_ours": self.ratio(row, measure),
                })
            });
            json!({ "server": row.server, "failure": row.failure(), "measures": measures.collect::<Vec<_>>() })
        });
        json!({
            "workload": self.workload,
            "title": self.title,
            "clients": self.clients,
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

pub(crate) fn write_json(tables: &[Table], file: &Path) -> io::Result<()> {
    let tables: Vec<_> = tables.iter().map(Table::to_json).collect();
    serde_json::to_writer_pretty(File::create(file)?, &tables).map_err(io::Error::other)
}

/// As Markdown.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.rows.iter().map(|row| row.rounds.len()).max().unwrap_or(0);
        writeln!(f, "### {} ({rounds} rounds)\n", self.title)?;
        write!(f, "| {:22} |", "server")?;
        for Measure { name, .. } in self.measures {
            write!(f, " {name:>16} | {:>19} | {:>8} |", "min..max", "to ours")?;
        }
        write!(f, "\n|{:-<24}|", "")?;
        for _ in self.measures {
            write!(f, "{:->17}:|{:->20}:|{:->9}:|", "", "", "")?;
        }
        for row in &self.rows {
            write!(f, "\n| {:22} |", row.server)?;
            for measure in 0..self.measures.len() {
                let median = row.median(measure).map_or("-".to_owned(), number);
                let range = row
                    .range(measure)
                    .map_or(String::new(), |(low, high)| format!("{}..{}", number(low), number(high)));
                let ratio = self.ratio(row, measure).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
                write!(f, " {median:>16} | {range:>19} | {ratio:>8} |")?;
            }
        }
        writeln!(f)?;
        for row in &self.rows {
            if let Some(failure) = row.failure() {
                let failed = row.rounds.iter().filter(|round| round.is_err()).count();
                writeln!(f, "\n{}: {failed} of {rounds} rounds failed: {failure}", row.server)?;
            }
        }
        Ok(())
    }
}

fn number(value: f64) -> String {
    match value {
        10_000.0.. => format!("{:.1} k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() {
        0 => None,
        length if length % 2 == 1 => Some(samples[middle]),
        _ => Some(f64::midpoint(samples[middle - 1], samples[middle])),
    }
}
