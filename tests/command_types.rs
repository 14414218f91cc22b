//! What a command is given and what it gives: arguments and replies are made by their types, and what cannot be made is
//! shown and refused.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use socketserver::{
    Address, Answer, Close, FromRequest, Raw, Reader, Reply, Rest, ShutdownHandle, Tcp, Writer, handler, socket_server,
};
use support::talk;

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
        assert_eq!(exchange(format!("{command}\n").as_bytes()), format!("{reply}\n"), "{command}");
    }
}

#[test]
fn an_argument_that_is_not_utf8_is_shown_and_refused() {
    let replies = exchange(b"echo \xff\x01\necho ok\nall \xff\nr\xffx\n");
    let expected = "error: echo: `word` cannot be `\u{fffd}\\u{1}`: invalid utf-8 sequence of 1 bytes from index 0\nok\n\
                    error: all: `rest` cannot be `\u{fffd}`: invalid utf-8 sequence of 1 bytes from index 0\n\
                    error: no such command: `r\u{fffd}x`\n";
    assert_eq!(replies, expected);
}

#[test]
fn quotes_and_backslashes_are_shown_as_they_are() {
    assert_eq!(exchange("don't\\'\"\u{200b}\n".as_bytes()), "error: no such command: `don't\\'\"\\u{200b}`\n");
}

#[test]
fn a_long_wrong_word_is_shown_in_part() {
    let word = "x".repeat(1_000);
    assert_eq!(exchange(format!("{word}\n").as_bytes()), format!("error: no such command: `{}`\n", &word[..64]));
}

#[test]
fn a_command_reads_what_follows_it() {
    let replies = exchange(b"both 3\nabcecho after\nboth 0\necho end\n");
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
        let replies = exchange(format!("replies {kind}\necho .\n").as_bytes());
        assert_eq!(replies, format!("{reply}.\n"), "{kind}");
    }
    assert_eq!(exchange(b"replies close\necho .\n"), "last\n");
}

/// The replies to `input`.
fn exchange(input: &[u8]) -> String {
    let server = Kinds.bind("127.0.0.1:0").unwrap().start().unwrap();
    String::from_utf8(talk(server.local_address(), input).unwrap()).unwrap()
}
