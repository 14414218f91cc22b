//! `#[command]`: one text on connections and packets of any kind, and its help.

#[macro_use]
#[path = "commands/text.rs"]
mod text;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Mutex;

use socketserver::{Address, Close, CommandError, Rest, Running, handler, socket_server};
use support::{Place, ask_packet, connect, talk};

counters! {
    IterativeTcp: tcp, iterative;
    IterativeUnixStream: unix_stream, iterative;
    IterativeUdp: udp, iterative;
    IterativeUnixDatagram: unix_datagram, iterative;
    ThreadingTcp: tcp, threading;
    ThreadingUnixStream: unix_stream, threading;
    ThreadingUdp: udp, threading;
    ThreadingUnixDatagram: unix_datagram, threading;
}

#[test]
fn one_text_serves_connections_of_any_kind() {
    let place = Place::new();
    converses(&IterativeTcp::default().bind("127.0.0.1:0").unwrap().start().unwrap());
    converses(&ThreadingTcp::default().bind("127.0.0.1:0").unwrap().start().unwrap());
    converses(&IterativeUnixStream::default().bind(place.path("iterative")).unwrap().start().unwrap());
    converses(&ThreadingUnixStream::default().bind(place.path("threading")).unwrap().start().unwrap());
}

#[test]
fn one_text_serves_packets_of_any_kind() {
    let place = Place::new();
    answers_packets(&IterativeUdp::default().bind("127.0.0.1:0").unwrap().start().unwrap());
    answers_packets(&ThreadingUdp::default().bind("127.0.0.1:0").unwrap().start().unwrap());
    answers_packets(&IterativeUnixDatagram::default().bind(place.path("iterative")).unwrap().start().unwrap());
    answers_packets(&ThreadingUnixDatagram::default().bind(place.path("threading")).unwrap().start().unwrap());
}

fn converses<S, T, M>(server: &Running<S, T, M>) {
    let mut client = connect(server.local_address()).unwrap();
    client.write_all(b"add a\nADD a 4\r\nAdd b -2\nlist\nadd\nfoo bar\nadd a 1 2\nquit\nadd a\n").unwrap();
    let mut replies = String::new();
    client.read_to_string(&mut replies).unwrap();
    let expected = "1\n5\n-2\na=5\nb=-2\nno: add: `name` is missing\nwhat is foo bar?\n\
                    no: add: `2` is one argument too many\nbye\n";
    assert_eq!(replies, expected);
}

fn answers_packets<S, T, M>(server: &Running<S, T, M>) {
    let ask = |packet: &[u8]| String::from_utf8(ask_packet(server.local_address(), packet).unwrap()).unwrap();
    assert_eq!(ask(b"add a 5"), "5\n");
    assert_eq!(ask(b"add a\n"), "6\n");
    assert_eq!(ask(b"add b\r\n"), "1\n");
    assert_eq!(ask(b"all"), "a=6\nb=1\n");
    assert_eq!(ask(b"add a x"), "no: add: `by` cannot be `x`: invalid digit found in string\n");
    assert_eq!(ask(b""), "what is ?\n");
    assert_eq!(ask(b"quit"), "bye\n");
    assert_eq!(ask(b"add c"), "1\n");
}

/// Options change how lines end, and whether there is a `help`.
#[socket_server(tcp, threading, crlf = true, help = true)]
struct Formal;

#[handler]
impl Formal {
    /// Says hello to NAME, in the
    /// language that is asked for.
    ///
    /// What follows an empty line is not shown.
    #[command("hello", "HI")]
    fn hello(&self, name: &str, language: Option<&str>, peer: &Address) -> String {
        let _ = peer;
        format!("{} {name}", language.unwrap_or("hello"))
    }

    #[command]
    fn sum(&self, numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }

    /// Names a raw identifier.
    #[command]
    fn r#match(&self, _ignored: Rest) {}
}

fn formal(input: &[u8]) -> String {
    exchange(&Formal.bind("127.0.0.1:0").unwrap().start().unwrap(), input)
}

#[test]
fn help_is_made_from_documentation_and_signatures() {
    let help = "HELLO|HI NAME [LANGUAGE]  Says hello to NAME, in the language that is asked for.\r\n\
                SUM NUMBERS...\r\n\
                MATCH IGNORED...          Names a raw identifier.\r\n";
    assert_eq!(formal(b"help\r\nhi you\nHELP\nsum 1 2\nmatch x\n"), format!("{help}hello you\r\n{help}3\r\n"));
}

#[test]
fn help_is_for_one_command_too() {
    assert_eq!(
        formal(b"help Sum\nhelp HI\nhelp help\nhelp nothing\nhelp sum hi\n"),
        "SUM NUMBERS...\r\n\
         HELLO|HI NAME [LANGUAGE]  Says hello to NAME, in the language that is asked for.\r\n\
         HELP [COMMAND]  Shows the commands, or the one.\r\n\
         error: no such command: `nothing`\r\n\
         error: help: `hi` is one argument too many\r\n"
    );
}

#[test]
fn without_the_option_there_is_no_help_and_lines_end_with_lf() {
    let server = Formal.builder().help(false).crlf(false).bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(exchange(&server, b"help\nsum 1\n"), "error: no such command: `help`\n1\n");
}

/// The replies to `input`.
fn exchange<S, T, M>(server: &Running<S, T, M>, input: &[u8]) -> String {
    String::from_utf8(talk(server.local_address(), input).unwrap()).unwrap()
}
