//! `#[command]`: dispatch, arguments, replies and errors, on connections and packets.
#![allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "a command need not use all that it may")]

#[macro_use]
#[path = "commands/text.rs"]
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketserver::{
    Address, Answer, Close, CommandError, CommandErrorKind, FromRequest, HandlerError, Hooks, Raw, Reader, Reply, Rest,
    Running, ShutdownHandle, SocketServer, Tcp, Writer, handler, socket_server,
};
use support::{Place, ask_packet, connect};

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

/// Asks for arguments of every kind, and answers with replies of every kind.
#[socket_server(tcp, threading)]
struct Kinds;

struct Caught(u64);

impl FromRequest<Tcp> for Caught {
    type Error = io::Error;

    fn from_request(connection: &mut socketserver::Connection) -> io::Result<Self> {
        Ok(Self(u64::from(connection.peer_address().port().unwrap_or_default())))
    }
}

struct Point(i32, i32);

impl Reply for Point {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        answer.message_fmt(format_args!("{}:{}", self.0, self.1))
    }
}

/// A reply of any type.
struct Written(Box<WriteReply>);

type WriteReply = dyn FnOnce(&mut Answer<'_>) -> io::Result<()>;

impl Reply for Written {
    fn reply(self, answer: &mut Answer<'_>) -> io::Result<()> {
        (self.0)(answer)
    }
}

#[handler]
impl Kinds {
    #[command]
    fn words(&self, text: &str, bytes: &[u8], number: u16, letter: char, address: SocketAddr) -> String {
        format!("{text} {bytes:?} {number} {letter} {address}")
    }

    #[command]
    fn optional(&self, first: &str, second: Option<u8>, third: Option<&[u8]>) -> String {
        format!("{first} {second:?} {third:?}")
    }

    #[command]
    fn several(&self, first: i32, more: Vec<&str>) -> String {
        format!("{first} {more:?}")
    }

    #[command]
    fn rest(&self, first: &str, maybe: Option<&str>, rest: Rest) -> String {
        format!("{first}|{maybe:?}|{rest}|{}", rest.len())
    }

    #[command]
    fn all<'a>(&self, rest: Rest<'a>) -> Rest<'a> {
        rest
    }

    #[command]
    fn request(&self, peer: &Address, word: &str, shutdown: &ShutdownHandle, caught: Caught) -> bool {
        peer.port().map(u64::from) == Some(caught.0) && !shutdown.is_shutting_down() && word == "please"
    }

    #[command]
    fn both(&self, input: &mut Reader, size: usize, output: &mut Writer) -> io::Result<()> {
        let mut body = vec![0; size];
        input.read_exact(&mut body)?;
        body.reverse();
        output.write_all(&body)?;
        output.write_all(b"\n")
    }

    #[command]
    fn whole(&self, connection: &mut socketserver::Connection, word: String) -> io::Result<()> {
        let local = connection.local_address().clone();
        writeln!(connection, "{word} at {}", local.port().is_some())
    }

    #[command]
    fn echo<'m>(&self, word: &'m str) -> &'m str {
        word
    }

    #[command]
    fn replies(&self, kind: &str) -> Written {
        Written(match kind {
            "unit" => Box::new(|answer| ().reply(answer)),
            "number" => Box::new(|answer| (-7_i64).reply(answer)),
            "byte" => Box::new(|answer| 7_u8.reply(answer)),
            "bytes" => Box::new(|answer| vec![65_u8, 66].reply(answer)),
            "numbers" => Box::new(|answer| vec![65_u16, 66].reply(answer)),
            "float" => Box::new(|answer| 0.5_f64.reply(answer)),
            "some" => Box::new(|answer| Some("x").reply(answer)),
            "none" => Box::new(|answer| None::<String>.reply(answer)),
            "nothing" => Box::new(|answer| Vec::<String>::new().reply(answer)),
            "raw" => Box::new(|answer| Raw(b"raw;").reply(answer)),
            "cow" => Box::new(|answer| Cow::from("moo").reply(answer)),
            "shared" => Box::new(|answer| Arc::<str>::from("shared").reply(answer)),
            "points" => Box::new(|answer| vec![Point(1, 2), Point(3, 4)].reply(answer)),
            "loud" => Box::new(|answer| Err::<(), _>("two\r\nlines").reply(answer)),
            "well" => Box::new(|answer| vec![Ok(1), Ok::<_, String>(2)].reply(answer)),
            "ill" => Box::new(|answer| vec![Ok(1), Err("first"), Err("second"), Ok(2)].reply(answer)),
            "units" => Box::new(|answer| vec![(), ()].reply(answer)),
            "failed" => Box::new(|answer| Err::<Vec<Option<Point>>, _>("as asked").reply(answer)),
            _ => Box::new(|answer| Ok::<_, io::Error>(Some(Close("last"))).reply(answer)),
        })
    }
}

#[test]
fn arguments_are_made_by_their_types() {
    for (command, reply) in [
        ("words a b 7 ö 127.0.0.1:80", "a [98] 7 ö 127.0.0.1:80"),
        ("words   a\tb  7 z [::1]:80  ", "a [98] 7 z [::1]:80"),
        ("words a b 70000 z x", "error: words: `number` cannot be `70000`: number too large to fit in target type"),
        ("words a b 7 zz x", "error: words: `letter` cannot be `zz`: too many characters in string"),
        ("words a", "error: words: `bytes` is missing"),
        ("optional a", "a None None"),
        ("optional a 1", "a Some(1) None"),
        ("optional a 1 b", "a Some(1) Some([98])"),
        ("optional a b", "error: optional: `second` cannot be `b`: invalid digit found in string"),
        ("optional a 1 b c", "error: optional: `c` is one argument too many"),
        ("several 1", "1 []"),
        ("several 1 a b c", "1 [\"a\", \"b\", \"c\"]"),
        ("rest a", "a|None||0"),
        ("rest a b", "a|Some(\"b\")||0"),
        ("rest a b  c  d ", "a|Some(\"b\")| c  d |6"),
        ("all", ""),
        ("all  as it  stands ", " as it  stands "),
        ("request please", "true"),
        ("whole here", "here at true"),
        ("echo back", "back"),
        ("echo", "error: echo: `word` is missing"),
        ("nothing of this", "error: no such command: `nothing`"),
        ("", "error: no such command: ``"),
        ("  \t ", "error: no such command: ``"),
    ] {
        assert_eq!(lines(Kinds, &[command]), [reply], "{command}");
    }
}

#[test]
fn an_argument_that_is_not_utf8_is_shown_and_refused() {
    let replies = exchange(Kinds, b"echo \xff\x01\necho ok\nall \xff\nr\xffx\n");
    let expected = "error: echo: `word` cannot be `\u{fffd}\\u{1}`: invalid utf-8 sequence of 1 bytes from index 0\nok\n\
                    error: all: `rest` cannot be `\u{fffd}`: invalid utf-8 sequence of 1 bytes from index 0\n\
                    error: no such command: `r\u{fffd}x`\n";
    assert_eq!(replies, expected);
}

#[test]
fn quotes_and_backslashes_are_shown_as_they_are() {
    assert_eq!(lines(Kinds, &["don't\\'\"\u{200b}"]), ["error: no such command: `don't\\'\"\\u{200b}`"]);
}

#[test]
fn a_long_wrong_word_is_shown_in_part() {
    let word = "x".repeat(1_000);
    assert_eq!(lines(Kinds, &[&word]), [format!("error: no such command: `{}`", &word[..64])]);
}

#[test]
fn a_command_reads_what_follows_it() {
    let replies = exchange(Kinds, b"both 3\nabcecho after\nboth 0\necho end\n");
    assert_eq!(replies, "cba\nafter\n\nend\n");
}

#[test]
fn replies_are_written_by_their_types() {
    for (kind, reply) in [
        ("unit", ""),
        ("number", "-7\n"),
        ("byte", "7\n"),
        ("bytes", "AB\n"),
        ("numbers", "65\n66\n"),
        ("float", "0.5\n"),
        ("some", "x\n"),
        ("none", "\n"),
        ("nothing", ""),
        ("raw", "raw;"),
        ("cow", "moo\n"),
        ("shared", "shared\n"),
        ("points", "1:2\n3:4\n"),
        ("well", "1\n2\n"),
        ("ill", "error: first\n"),
        ("units", ""),
        ("failed", "error: as asked\n"),
        ("loud", "error: two  lines\n"),
    ] {
        let replies = exchange(Kinds, format!("replies {kind}\necho .\n").as_bytes());
        assert_eq!(replies, format!("{reply}.\n"), "{kind}");
    }
    assert_eq!(exchange(Kinds, b"replies close\necho .\n"), "last\n");
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

#[test]
fn help_is_made_from_documentation_and_signatures() {
    let help = "HELLO|HI NAME [LANGUAGE]  Says hello to NAME, in the language that is asked for.\r\n\
                SUM NUMBERS...\r\n\
                MATCH IGNORED...          Names a raw identifier.\r\n";
    assert_eq!(
        exchange(Formal, b"help\r\nhi you\nHELP\nsum 1 2\nmatch x\n"),
        format!("{help}hello you\r\n{help}3\r\n")
    );
}

#[test]
fn help_is_for_one_command_too() {
    assert_eq!(
        exchange(Formal, b"help Sum\nhelp HI\nhelp help\nhelp nothing\nhelp sum hi\n"),
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
    assert_eq!(talk(&server, b"help\nsum 1\n"), "error: no such command: `help`\n1\n");
}

/// Tells the test of its failures, and sorts errors for the peer.
#[socket_server(tcp, threading, hooks)]
struct Sorting {
    failures: Mutex<Sender<String>>,
    finished: AtomicUsize,
}

impl Hooks for Sorting {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[derive(Default)]
struct Sorted {
    commands: usize,
}

#[handler(Sorting)]
impl Sorted {
    fn setup(&mut self, output: &mut Writer) -> io::Result<()> {
        output.write_all(b"ready\n")
    }

    #[command]
    fn count(&mut self) -> usize {
        self.commands += 1;
        self.commands
    }

    #[command("fail", "break")]
    fn fail(&mut self, number: i32) -> Result<(), String> {
        Err(format!("failed {number}"))
    }

    #[command]
    fn body(&mut self, size: usize, input: &mut Reader) -> io::Result<usize> {
        input.read_exact(&mut vec![0; size])?;
        Ok(size)
    }

    #[command]
    fn panic(&mut self) {
        panic!("as asked");
    }

    #[on_error]
    fn refused(&mut self, error: &CommandError, peer: &Address) -> Result<String, String> {
        assert!(peer.port().is_some());
        let (kind, command, argument, sent) = (error.kind(), error.command(), error.argument(), error.sent());
        if (kind, command) == (CommandErrorKind::Failed, "fail") && error.to_string() == "failed 13" {
            return Err("thirteen".to_owned());
        }
        Ok(format!("{kind:?} {command}/{argument}/{sent}: {error}"))
    }

    fn finish(&mut self, server: &Sorting) {
        server.finished.fetch_add(1, SeqCst);
    }
}

fn sorting() -> (Running<Sorting, Tcp, socketserver::Threading>, std::sync::mpsc::Receiver<String>) {
    let (failures, told) = channel();
    let server = Sorting { failures: Mutex::new(failures), finished: AtomicUsize::new(0) };
    let server = server.builder().max_line(80).read_timeout(Duration::from_millis(200)).bind("127.0.0.1:0");
    (server.unwrap().start().unwrap(), told)
}

#[test]
fn on_error_is_told_what_was_wrong() {
    let (server, told) = sorting();
    let input = format!("count\nnone\nfail\nfail x\nfail 1 2\nBREAK 3\n{}\ncount\n", "x".repeat(100));
    let replies = talk(&server, input.as_bytes());
    let expected = "ready\n1\nUnknown //none: no such command: `none`\n\
        Missing fail/number/: fail: `number` is missing\n\
        Invalid fail/number/x: fail: `number` cannot be `x`: invalid digit found in string\n\
        Surplus fail//2: fail: `2` is one argument too many\n\
        Failed break//: failed 3\n\
        Frame //: the line is longer than 80 bytes (`max_line`)\n2\n";
    assert_eq!(replies, expected);
    assert_eq!(server.service().finished.load(SeqCst), 1);
    assert!(told.try_recv().is_err());
}

#[test]
fn an_error_of_on_error_fails_the_handler() {
    let (server, told) = sorting();
    assert_eq!(talk(&server, b"fail 13\ncount\n"), "ready\n");
    assert_eq!(told.recv().unwrap(), "`handle` failed: thirteen");
}

#[test]
fn a_panic_in_a_command_fails_the_handler() {
    let (server, told) = sorting();
    assert_eq!(talk(&server, b"count\npanic\ncount\n"), "ready\n1\n");
    assert_eq!(told.recv().unwrap(), "`handle` panicked: as asked");
    assert_eq!(talk(&server, b"count\n"), "ready\n1\n");
}

/// What the peer would send next is in the middle of a body: it must not be taken for commands.
#[test]
fn a_command_whose_input_fails_ends_the_connection() {
    let (server, told) = sorting();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"count\nbody 20\ncount\n").unwrap();
    let mut replies = String::new();
    client.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, "ready\n1\n");
    assert_eq!(told.recv().unwrap(), "`handle` failed: nothing was received for 200ms (`read_timeout`)");
}

/// Its commands are answered late or not at all.
#[socket_server(tcp, threading, drain_timeout = None)]
struct Silent(Mutex<Sender<()>>);

#[handler]
impl Silent {
    #[command]
    fn note(&self, _what: &str) {
        self.0.lock().unwrap().send(()).unwrap();
    }

    #[command]
    fn stop(&self, shutdown: &ShutdownHandle) -> &'static str {
        shutdown.shutdown();
        "stopping"
    }
}

/// A connection that waits between two commands is idle, whether the last one had a reply or not; `drain_timeout` is
/// none, so the shutdown would wait for ever for one that is not.
#[test]
fn a_shutdown_ends_connections_between_two_commands() {
    let (sender, notes) = channel();
    let server = Silent(Mutex::new(sender)).bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut idle = TcpStream::connect(server.local_address()).unwrap();
    idle.write_all(b"note this\n").unwrap();
    notes.recv().unwrap();
    assert_eq!(talk(&server, b"stop\n"), "stopping\n");
    server.shutdown().unwrap();
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
}

/// Starts it, and sends each line on a connection of its own; the one line of its reply.
fn lines(server: Kinds, commands: &[&str]) -> Vec<String> {
    let server = server.bind("127.0.0.1:0").unwrap().start().unwrap();
    let ask = |command: &&str| {
        let replies = talk(&server, format!("{command}\n").as_bytes());
        replies.strip_suffix('\n').expect("one line").to_owned()
    };
    commands.iter().map(ask).collect()
}

fn exchange<S: SocketServer<Transport = Tcp> + Hooks<Request = socketserver::Connection>>(
    server: S,
    input: &[u8],
) -> String {
    talk(&socketserver::Server::<S>::bind("127.0.0.1:0", server).unwrap().start().unwrap(), input)
}

/// Sends it all, and reads until the server has ended the connection.
fn talk<S, T, M>(server: &Running<S, T, M>, input: &[u8]) -> String {
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(input).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).unwrap();
    String::from_utf8(replies).unwrap()
}
