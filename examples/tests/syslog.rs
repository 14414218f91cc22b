//! Logs to the example `syslog`: with `logger`, with the crate `syslog`, and with packets that are no messages.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use support::{Noise, Place, Program, executable};
use syslog::{Facility, Formatter3164, Formatter5424};

/// A server, and where it receives.
struct Receiver {
    program: Program,
    udp: SocketAddr,
    path: PathBuf,
    _place: Place,
}

impl Receiver {
    fn start(limits: &[&str]) -> Self {
        let place = Place::new();
        let path = place.path("log");
        let arguments = ["--address", "127.0.0.1:0", "--path", path.to_str().unwrap()];
        let mut program = Program::start("syslog", &[&arguments, limits].concat());
        let udp = program.address().socket_addr().unwrap();
        assert_eq!(program.address().to_string(), path.to_str().unwrap());
        assert_eq!(program.line(), "Ctrl-C drains and ends");
        Self { program, udp, path, _place: place }
    }

    fn send_udp(&self, packet: &[u8]) {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(packet, self.udp).unwrap();
    }

    fn send_unix(&self, packet: &[u8]) {
        UnixDatagram::unbound().unwrap().send_to(packet, &self.path).unwrap();
    }

    /// The fields of the next message that it prints.
    fn fields(&mut self) -> [String; 8] {
        let line = self.program.line();
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        fields.try_into().unwrap_or_else(|_| panic!("not eight fields: {line:?}"))
    }

    #[track_caller]
    fn prints(&mut self, fields: [&str; 8]) {
        assert_eq!(self.fields(), fields);
    }
}

#[test]
fn the_examples_of_the_rfcs_are_taken_apart() {
    let mut receiver = Receiver::start(&[]);
    receiver.send_udp(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed".as_bytes(),
    );
    receiver.prints([
        "auth.crit",
        "2003-10-11T22:14:15.003+00:00",
        "mymachine.example.com",
        "su",
        "-",
        "ID47",
        "-",
        "'su root' failed",
    ]);
    receiver.send_unix(
        b"<165>1 2003-10-11T22:14:15.003-07:00 192.0.2.1 evntslog 8710 ID47 \
          [exampleSDID@32473 iut=\"3\" eventSource=\"Application\"][examplePriority@32473 class=\"hi\\\"gh\"]",
    );
    receiver.prints([
        "local4.notice",
        "2003-10-11T22:14:15.003-07:00",
        "192.0.2.1",
        "evntslog",
        "8710",
        "ID47",
        "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\"][examplePriority@32473 class=\"hi\\\"gh\"]",
        "-",
    ]);
    receiver.send_udp(b"<0>1 - - - - - -");
    receiver.prints(["kern.emerg", "-", "-", "-", "-", "-", "-", "-"]);

    receiver.send_udp(b"<34>Oct  1 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8\n");
    let [priority, timestamp, rest @ ..] = receiver.fields();
    assert_eq!(priority, "auth.crit");
    assert!(timestamp.contains("-10-01T22:14:15"), "{timestamp}");
    assert_eq!(rest, ["mymachine", "su", "-", "-", "-", "'su root' failed for lonvick on /dev/pts/8"]);
    // Without a host, as it is written to a host's own daemon.
    receiver.send_unix(b"<30>Oct 11 22:14:15 cron[123]: started\0");
    assert_eq!(receiver.fields()[2..], ["-", "cron", "123", "-", "-", "started"]);
    receiver.send_unix(b"<30>Oct 11 22:14:15 cron: stopped\0");
    assert_eq!(receiver.fields()[2..], ["-", "cron", "-", "-", "-", "stopped"]);
    assert!(receiver.program.stop().output.ends_with("drained; packets: 6\n"));
}

/// As the `SysLogHandler` of Python's `logging` writes it, and RFC 3164 (4.3.2) has it taken.
#[test]
fn a_message_may_have_no_header() {
    let mut receiver = Receiver::start(&[]);
    for (packet, priority, text) in [
        ("<11>hello\0", "user.err", "hello"),
        ("<191>app: 1 of 2", "local7.debug", "app: 1 of 2"),
        ("<0>", "kern.emerg", "-"),
        ("<13>Feb 31 10:00:00 host tag: no such day", "user.notice", "Feb 31 10:00:00 host tag: no such day"),
    ] {
        receiver.send_udp(packet.as_bytes());
        receiver.prints([priority, "-", "-", "-", "-", "-", "-", text]);
    }
    receiver.program.stop();
}

#[test]
fn logger_logs_over_both() {
    if Command::new("logger").arg("--version").output().is_err() {
        eprintln!("left out: there is no logger(1) on this machine");
        return;
    }
    let mut receiver = Receiver::start(&[]);
    let (path, port) = (receiver.path.to_str().unwrap().to_owned(), receiver.udp.port().to_string());
    let logger = |arguments: &[&str]| assert!(Command::new("logger").args(arguments).status().unwrap().success());

    logger(&["--socket", &path, "--tag", "backup", "--priority", "cron.info", "done", "at last"]);
    let fields = receiver.fields();
    assert_eq!(
        (fields[0].as_str(), &fields[2..]),
        ("cron.info", &["-", "backup", "-", "-", "-", "done at last"].map(String::from)[..])
    );

    logger(&["--socket", &path, "--rfc3164", "--id=77", "--tag", "backup", "again"]);
    let fields = receiver.fields();
    assert_ne!(fields[2], "-");
    assert_eq!(fields[3..], ["backup", "77", "-", "-", "again"]);

    let udp = ["--server", "127.0.0.1", "--port", &port, "--udp", "--tag", "backup"];
    logger(
        &[
            &udp[..],
            &[
                "--rfc5424",
                "--msgid",
                "FULL",
                "--sd-id",
                "disk@1",
                "--sd-param",
                "free=\"0\"",
                "-p",
                "mail.err",
                "no room",
            ],
        ]
        .concat(),
    );
    let fields = receiver.fields();
    assert_eq!((fields[0].as_str(), fields[3].as_str(), fields[5].as_str()), ("mail.err", "backup", "FULL"));
    assert!(fields[6].contains("[disk@1 free=\"0\"]"), "{fields:?}");
    assert_eq!(fields[7], "no room");
    receiver.program.stop();
}

#[test]
fn the_crate_syslog_logs_over_both() {
    let mut receiver = Receiver::start(&[]);
    let old = || Formatter3164 {
        facility: Facility::LOG_DAEMON,
        hostname: Some("here".to_owned()),
        process: "test".to_owned(),
        pid: 42,
    };
    let new = || Formatter5424 {
        facility: Facility::LOG_LOCAL7,
        hostname: Some("here".to_owned()),
        process: "test".to_owned(),
        pid: 42,
    };
    let data = || BTreeMap::from([("origin".to_owned(), BTreeMap::from([("ip".to_owned(), "192.0.2.1".to_owned())]))]);

    let mut logger = syslog::udp(old(), "127.0.0.1:0", receiver.udp).unwrap();
    logger.err("over UDP").unwrap();
    assert_eq!(receiver.fields()[2..], ["here", "test", "42", "-", "-", "over UDP"]);
    let mut logger = syslog::udp(new(), "127.0.0.1:0", receiver.udp).unwrap();
    logger.debug((7, data(), "over UDP, with data")).unwrap();
    let fields = receiver.fields();
    assert_eq!(fields[0], "local7.debug");
    assert_eq!(fields[2..], ["here", "test", "42", "7", "[origin ip=\"192.0.2.1\"]", "over UDP, with data"]);

    let mut logger = syslog::unix_custom(old(), &receiver.path).unwrap();
    logger.err("over a path").unwrap();
    let fields = receiver.fields();
    assert_eq!(fields[0], "daemon.err");
    assert_eq!(fields[3..], ["test", "42", "-", "-", "over a path"]);
    receiver.program.stop();
}

#[test]
fn what_is_no_message_is_told_and_the_next_is_taken() {
    let mut receiver = Receiver::start(&[]);
    for packet in [
        &b""[..],
        b"\n\0",
        b"hello",
        b"<",
        b"<13",
        b"<>1 - - - - - -",
        b"<192>1 - - - - - - more than the last priority",
        b"<192>more than the last priority",
        b"Oct 11 22:14:15 host tag: no priority",
        b"<99999999999999999999>1 - - - - - -",
        b"<-1>1 - - - - - -",
        b"<13>1 - - - - -",
        b"<13>1 yesterday - - - - -",
        b"<13>1 2003-10-11T22:14:15.003Z host app 123 ID47 [a b=\"never closed",
        b"<13>1 - - - - - [a b=\"c\"",
        b"\x1b[2J\x00\x07\xff\xfe",
    ] {
        receiver.send_udp(packet);
        let line = receiver.program.logged("a malformed packet");
        assert!(line.contains(&format!("of {} bytes from 127.0.0.1:", packet.len())), "{packet:?}: {line}");
        receiver.send_unix(packet);
        let line = receiver.program.logged("a malformed packet");
        assert!(line.contains(&format!("of {} bytes from (unnamed)", packet.len())), "{packet:?}: {line}");
        assert!(!line.contains(|character: char| character.is_control()), "{line:?}");
    }
    receiver.send_udp(b"<13>1 - - - - - - one");
    receiver.prints(["user.notice", "-", "-", "-", "-", "-", "-", "one"]);
    receiver.send_unix(b"<13>1 - - - - - - two");
    receiver.prints(["user.notice", "-", "-", "-", "-", "-", "-", "two"]);
    receiver.program.stop();
}

#[test]
fn a_message_is_one_line_whatever_is_in_it() {
    let mut receiver = Receiver::start(&[]);
    receiver.send_udp(b"<13>1 - - - - - - one\nkern.emerg\t-\r\x1b[31m\xff\0end\n");
    receiver.prints([
        "user.notice",
        "-",
        "-",
        "-",
        "-",
        "-",
        "-",
        "one\\nkern.emerg\\t-\\r\\u{1b}[31m\u{fffd}\\u{0}end",
    ]);
    // Unicode's own ends of a line and of a direction.
    receiver.send_udp("<13>1 - - - - - - one\u{2028}two\u{202e}eerht".as_bytes());
    assert_eq!(receiver.fields()[7], "one\\u{2028}two\\u{202e}eerht");
    receiver.program.stop();
}

#[test]
fn random_bytes_and_broken_messages_end_nothing() {
    let mut receiver = Receiver::start(&[]);
    let whole = br#"<165>1 2003-10-11T22:14:15.003Z host app 123 ID47 [a b="c\"d" e="f"][g h="i"] text"#;
    let mut noise = Noise::new(5_424);
    // A Unix socket keeps them all: a send waits for room.
    let client = UnixDatagram::unbound().unwrap();
    client.connect(&receiver.path).unwrap();
    for length in 0..=whole.len() {
        client.send(&whole[..length]).unwrap();
    }
    for _ in 0..2_000 {
        client.send(&noise.damaged(whole)).unwrap();
        let length = noise.below(100);
        client.send(&noise.bytes(length)).unwrap();
    }
    client.send(b"<13>1 - - - - - - still here").unwrap();
    while receiver.fields()[7] != "still here" {}
    let ended = receiver.program.stop();
    assert!(ended.output.ends_with(&format!("drained; packets: {}\n", whole.len() + 1 + 2 * 2_000 + 1)));
    // Nothing failed: all that is in the log are the packets that were told of.
    let failures: Vec<_> = ended.log.lines().filter(|line| !line.contains("a malformed packet of")).collect();
    assert_eq!(failures, [""; 0]);
}

#[test]
fn the_end_of_a_packet_that_is_too_long_is_lost_and_told() {
    let mut receiver = Receiver::start(&["--max-packet-size", "100"]);
    let packet = |length: usize| format!("{:x<length$}", "<13>1 - - - - - - ").into_bytes();
    receiver.send_udp(&packet(100));
    assert_eq!(receiver.fields()[7].len(), 100 - 18);
    for length in [101, 60_000] {
        receiver.send_udp(&packet(length));
        assert_eq!(receiver.fields()[7].len(), 100 - 18);
        receiver.program.logged("longer than 100 bytes, and its end is lost");
        receiver.send_unix(&packet(length));
        assert_eq!(receiver.fields()[7].len(), 100 - 18);
        receiver.program.logged("longer than 100 bytes, and its end is lost");
    }
    receiver.program.stop();
}

#[test]
fn the_path_has_the_mode_and_is_gone_at_the_end() {
    let receiver = Receiver::start(&[]);
    assert_eq!(fs::metadata(&receiver.path).unwrap().permissions().mode() & 0o777, 0o666);
    receiver.program.stop();
    assert!(!receiver.path.exists());

    let receiver = Receiver::start(&["--socket-mode", "600"]);
    assert_eq!(fs::metadata(&receiver.path).unwrap().permissions().mode() & 0o777, 0o600);
    receiver.program.stop();
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    let place = Place::new();
    let regular = place.path("regular");
    fs::write(&regular, "precious").unwrap();
    let regular = regular.to_str().unwrap();
    for (arguments, code, answer) in [
        (&["--address", "nonsense"][..], 1, "nonsense"),
        (&["--max-packet-size", "0"], 2, "invalid value '0' for '--max-packet-size <BYTES>'"),
        (&["--socket-mode", "rw"], 2, "invalid value 'rw' for '--socket-mode <MODE>'"),
        (&["--address", "127.0.0.1:0", "--path", regular], 1, regular),
    ] {
        let output = Command::new(executable("syslog")).args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(answer), "{arguments:?}: {error}");
    }
    assert_eq!(fs::read_to_string(regular).unwrap(), "precious");
}
