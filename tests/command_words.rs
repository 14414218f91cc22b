//! The words of a command: its name, one or more of them, and those of a frame of one's own.

use socketserver::{
    CommandError, CommandFrame, CommandName, Decoded, Frame, FrameError, MessageOptions, OneOrMore, Rest, Running,
    Words, handler, socket_server,
};
use support::talk;

#[socket_server(tcp, threading, help = true)]
struct Spaced;

#[handler]
impl Spaced {
    #[command("first", "LAST")]
    fn one(&self, name: CommandName, words: OneOrMore<&str>) -> String {
        let one = if &*name == "first" { words.first() } else { words.last() };
        format!("{name} of {}: {}", words.len(), one.unwrap())
    }

    #[command]
    fn sum(&self, start: i64, numbers: OneOrMore<i64>) -> i64 {
        numbers.into_iter().fold(start, |sum, number| sum + number)
    }

    #[command]
    fn ages(&self, ages: Vec<(&str, u8)>) -> String {
        format!("{ages:?}")
    }

    #[command]
    fn put(&self, pairs: OneOrMore<(String, &[u8])>) -> usize {
        pairs.len()
    }

    #[command]
    fn late(&self, word: Option<&str>, name: CommandName) -> String {
        format!("{name} {word:?}")
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        format!("{}|{}|{error}", error.command(), error.argument())
    }
}

#[test]
fn a_command_knows_the_name_it_was_called_by() {
    let replies = spaced("FIRST a b\nlast a b c\nlate\nLATE x\n");
    assert_eq!(replies, ["first of 2: a", "last of 3: c", "late None", "late Some(\"x\")"]);
}

#[test]
fn an_error_names_the_command_as_it_was_called() {
    assert_eq!(spaced("Last\n"), ["last|words|last: `words` is missing"]);
}

#[test]
fn words_may_come_in_pairs() {
    assert_eq!(
        spaced("ages\nages Ann 7 Bob 8\nages Ann 7 Bob\nages Ann old\nput k v\nput\nput k\n"),
        [
            "[]",
            "[(\"Ann\", 7), (\"Bob\", 8)]",
            "ages|ages|ages: `ages` is missing",
            "ages|ages|ages: `ages` cannot be `old`: invalid digit found in string",
            "1",
            "put|pairs|put: `pairs` is missing",
            "put|pairs|put: `pairs` is missing",
        ]
    );
}

#[test]
fn one_is_required_and_all_are_read() {
    assert_eq!(
        spaced("sum 1 2 3\nsum 1\nsum\nsum 1 2 x 4\n"),
        [
            "6",
            "sum|numbers|sum: `numbers` is missing",
            "sum|start|sum: `start` is missing",
            "sum|numbers|sum: `numbers` cannot be `x`: invalid digit found in string",
        ]
    );
}

#[test]
fn help_shows_them_and_no_name() {
    assert_eq!(
        spaced("help\n"),
        ["FIRST|LAST WORDS...", "SUM START NUMBERS...", "AGES AGES...", "PUT PAIRS...", "LATE [WORD]"]
    );
}

/// Words with a byte for their length each, in a message that ends with an empty one.
struct Counted {
    longest: usize,
}

impl Frame for Counted {
    fn new(options: &MessageOptions) -> Self {
        Self { longest: options.max_message }
    }

    fn max_length(&self) -> usize {
        self.longest
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let mut end = 0;
        while let Some(&length) = received.get(end) {
            end += 1 + usize::from(length);
            if length == 0 {
                return Ok(Decoded::Message { body: 0..end - 1, length: end });
            }
        }
        Ok(Decoded::Incomplete)
    }
}

struct CountedWords<'m>(&'m [u8]);

impl<'m> Iterator for CountedWords<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        let (length, rest) = self.0.split_first()?;
        let (word, rest) = rest.split_at(usize::from(*length));
        self.0 = rest;
        Some(word)
    }
}

impl<'m> Words<'m> for CountedWords<'m> {}

impl CommandFrame for Counted {
    fn words(message: &[u8]) -> impl Words<'_> {
        CountedWords(message)
    }
}

#[socket_server(tcp, threading, max_message = 16)]
struct Own;

#[handler(frame = Counted)]
impl Own {
    #[command]
    fn say(&self, text: Rest) -> String {
        format!("<{text}>")
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        format!("<{error}>")
    }
}

#[test]
fn the_rest_is_one_word_where_words_are_no_text() {
    let server = Own.bind("127.0.0.1:0").unwrap().start().unwrap();
    let ask = |message: &[u8]| ask(&server, message);
    assert_eq!(ask(b"\x03say\x05two w\0\x03SAY\x01x\0\x03say\0"), "<two w><x><>");
    assert_eq!(ask(b"\x03say\x01a\x01b\0"), "<say: `b` is one argument too many>");
}

#[test]
fn a_frame_of_ones_own_is_bounded_by_max_message() {
    let server = Own.bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask(&server, b"\x03say\x0aabcdefghij\0"), "<abcdefghij>");
    assert_eq!(ask(&server, b"\x03say\x0babcdefghijklm\0"), "<a message is longer than 16 bytes>");
    let server = Own.builder().max_message(20).bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask(&server, b"\x03say\x0babcdefghijk\0"), "<abcdefghijk>");
}

/// Sends `lines` and gives the lines that are the replies.
fn spaced(lines: &str) -> Vec<String> {
    let server = Spaced.bind("127.0.0.1:0").unwrap().start().unwrap();
    ask(&server, lines.as_bytes()).lines().map(str::to_owned).collect()
}

fn ask<S, T, M>(server: &Running<S, T, M>, bytes: &[u8]) -> String {
    String::from_utf8(talk(server.local_address(), bytes).unwrap()).unwrap()
}
