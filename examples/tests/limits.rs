//! Gives the examples limits that make no sense: each is refused by its name, before anything is served.

use std::process::Command;

use support::executable;

const HTTP: &[&str] = &["http", "--root", "/"];
const SMTP: &[&str] = &["smtp", "--maildir", "/dev/null/mail"];
const DNS: &[&str] = &["dns", "--zone", "/dev/null/zone"];
const PROXY: &[&str] = &["proxy", "--to", "127.0.0.1:9"];

#[test]
fn a_limit_that_makes_no_sense_is_refused_by_its_name() {
    for (program, option) in [
        (HTTP, "--max-head <BYTES>"),
        (HTTP, "--max-connections <COUNT>"),
        (HTTP, "--idle-timeout <SECONDS>"),
        (SMTP, "--max-mail <BYTES>"),
        (SMTP, "--max-connections <COUNT>"),
        (SMTP, "--read-timeout <SECONDS>"),
        (DNS, "--max-packet <BYTES>"),
        (DNS, "--max-connections <COUNT>"),
        (DNS, "--idle-timeout <SECONDS>"),
        (&["memcached"], "--max-connections <COUNT>"),
        (&["memcached"], "--idle-timeout <SECONDS>"),
        (&["redis"], "--max-request <BYTES>"),
        (&["redis"], "--max-clients <COUNT>"),
        (&["redis"], "--idle-timeout <SECONDS>"),
        (PROXY, "--max-connections <NUMBER>"),
        (PROXY, "--connect-timeout <SECONDS>"),
        (PROXY, "--idle-timeout <SECONDS>"),
        (PROXY, "--drain-timeout <SECONDS>"),
        (&["syslog"], "--max-packet-size <BYTES>"),
    ] {
        for value in ["0", "-1", "many", "99999999999999999999"] {
            refuses(program, option, value);
        }
    }
    // More than can be added to a time, or had of memory.
    for option in ["--connect-timeout <SECONDS>", "--idle-timeout <SECONDS>", "--drain-timeout <SECONDS>"] {
        refuses(PROXY, option, "18446744073709551615");
    }
    refuses(&["syslog"], "--max-packet-size <BYTES>", "1048577");
}

#[track_caller]
fn refuses(program: &[&str], option: &str, value: &str) {
    let name = option.split(' ').next().unwrap();
    let mut command = Command::new(executable(program[0]));
    // With what can be bound to, a program that takes the limit would go on for ever.
    command.args(&program[1..]).args(["--address", "nowhere"]).arg(format!("{name}={value}"));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{program:?} {name}={value}: {said}");
    assert!(said.contains(&format!("invalid value '{value}' for '{option}'")), "{program:?}: {said}");
}

#[test]
fn a_number_of_requests_has_its_bounds() {
    for number in ["0", "-1", "1001", "18446744073709551615", "many"] {
        let output = Command::new(executable("threads_and_processes")).arg(number).output().unwrap();
        assert!(!output.status.success(), "{number}");
        let reason = format!("Error: \"`{number}` is not a number of requests, from 1 to 1000\"\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), reason);
    }
}
