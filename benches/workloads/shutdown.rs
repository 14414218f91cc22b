//! From `shutdown()` until an idle server has returned.

use std::io;

use super::{Contest, contestants};
use crate::Settings;
use crate::servers::{self, Kind};
use crate::sys;
use crate::table::Measure;

const MEASURES: &[Measure] =
    &[Measure { name: "median µs", more_is_better: false }, Measure { name: "p99 µs", more_is_better: false }];

pub(super) fn contests(settings: &Settings) -> Vec<Contest> {
    // Python looks every half second, so a thousand times would take as many minutes as tell nothing more.
    let time = |kind: Kind| move || if kind.is_python() { time_python(10) } else { time_ours(kind, 1_000) };
    vec![Contest {
        workload: "shutdown",
        title: "From shutdown() to the return of an idle server (ours: 1,000 times, Python: 10)".into(),
        clients: None,
        measures: MEASURES,
        contestants: contestants(&[Kind::Threading, Kind::Iterative, Kind::PythonIterative], settings, time),
    }]
}

fn time_ours(kind: Kind, times: usize) -> io::Result<Vec<f64>> {
    let mut command = servers::again(&[])?;
    command.args(["time-shutdown", &servers::value_name(&kind), &times.to_string()]);
    let output = sys::end_with_parent(&mut command).output()?;
    summary(&output.stdout)
}

fn time_python(times: usize) -> io::Result<Vec<f64>> {
    summary(&sys::end_with_parent(&mut servers::python_shutdown(times)).output()?.stdout)
}

/// The median and the 99th percentile of numbers, one in a line.
fn summary(output: &[u8]) -> io::Result<Vec<f64>> {
    let output = String::from_utf8_lossy(output);
    let mut times =
        output.lines().map(|line| line.parse().map_err(io::Error::other)).collect::<io::Result<Vec<f64>>>()?;
    times.sort_by(f64::total_cmp);
    match times.len() {
        0 => Err(io::Error::other("it has measured nothing")),
        length => Ok(vec![times[length / 2], times[(length * 99 / 100).min(length - 1)]]),
    }
}
