//! Python's own `socketserver`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Job, Kind, value_name};

const PROGRAM: &str = include_str!("../peers/server.py");

/// Whether there is a `python3`.
pub(crate) fn is_there() -> bool {
    let version = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

pub(super) fn command(kind: Kind, job: Job, path: &Path, touch: usize) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", PROGRAM, &value_name(&kind), &value_name(&job)]).arg(path).arg(touch.to_string());
    command
}

/// Prints what `ours::time_shutdown` does.
pub(crate) fn time_shutdown(times: usize) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", PROGRAM, &format!("time-shutdown-{times}"), "short", "", "0"]);
    command
}
