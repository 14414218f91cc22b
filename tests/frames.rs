//! Frames: the same messages however the input is split, and an end to those that are too long.
#![allow(clippy::unused_self, reason = "a handler need not look at its server")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use socketserver::{
    Address, CommandError, CommandErrorKind, CommandFrame, Decoded, Delimited, Fixed, Frame, FrameError, HandlerError,
    Hooks, LengthPrefixed, Line, LittleEndian, MessageOptions, Reader, Resp, Running, SpacedWords, Words, Writer,
    handler, socket_server,
};
use support::{Event, ask_packet, decode};

fn messages<const N: usize>(messages: [&[u8]; N]) -> Vec<Event> {
    messages.map(|message| Event::Message(message.to_vec())).to_vec()
}

fn whole<F: Frame>(input: &[u8]) -> Vec<Event> {
    decode::<F>(MessageOptions::default(), &[input.to_vec()])
}

fn short_lines() -> MessageOptions {
    let mut options = MessageOptions::default();
    options.max_line = 4;
    options
}

#[test]
fn a_line_ends_with_lf_or_crlf_or_the_input() {
    assert_eq!(whole::<Line>(b""), []);
    assert_eq!(whole::<Line>(b"\n"), messages([b""]));
    assert_eq!(whole::<Line>(b"a\r\nb\n\nc"), messages([b"a", b"b", b"", b"c"]));
    assert_eq!(whole::<Line>(b"a\rb\r\r\n"), messages([b"a\rb\r"]));
    assert_eq!(whole::<Line>(b"a\r"), messages([b"a\r"]));
}

#[test]
fn a_delimiter_can_be_any_byte() {
    assert_eq!(whole::<Delimited<0>>(b"a\0\n\0\0b"), messages([b"a", b"\n", b"", b"b"]));
    assert_eq!(whole::<Delimited<b';'>>(b"a\r;b"), messages([b"a\r", b"b"]));
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let decode = |input: &[u8]| decode::<Line>(short_lines(), &[input.to_vec()]);
    let message = |message: &[u8]| Event::Message(message.to_vec());
    assert_eq!(
        decode(b"123\n1234\r\n12345\n12\n"),
        [message(b"123"), message(b"1234"), Event::PassedOver, message(b"12")]
    );
    assert_eq!(decode(b"1234567"), [Event::PassedOver]);
    assert_eq!(decode(b"1234567890\n1"), [Event::PassedOver, message(b"1")]);
}

#[test]
fn a_line_may_have_no_limit() {
    let mut options = MessageOptions::default();
    options.max_line = usize::MAX;
    assert_eq!(decode::<Line>(options, &[b"a\r\nb".to_vec()]), messages([b"a", b"b"]));
    assert_eq!(decode::<Delimited<0>>(options, &[b"a\0b".to_vec()]), messages([b"a", b"b"]));
}

#[test]
fn a_length_may_have_any_size_and_order() {
    assert_eq!(whole::<LengthPrefixed<u8>>(b"\x01a\0\x02bc"), messages([b"a", b"", b"bc"]));
    assert_eq!(whole::<LengthPrefixed<u16>>(b"\0\x01a"), messages([b"a"]));
    assert_eq!(whole::<LengthPrefixed<u32>>(b"\0\0\0\x01a"), messages([b"a"]));
    assert_eq!(whole::<LengthPrefixed<u64>>(b"\0\0\0\0\0\0\0\x01a"), messages([b"a"]));
    assert_eq!(whole::<LengthPrefixed<LittleEndian<u16>>>(b"\x01\0a"), messages([b"a"]));
    assert_eq!(whole::<LengthPrefixed<LittleEndian<u64>>>(b"\x01\0\0\0\0\0\0\0a"), messages([b"a"]));
}

#[test]
fn a_length_that_is_not_allowed_ends_the_input() {
    assert_eq!(whole::<LengthPrefixed<u16, 2>>(b"\0\x02ab\0\x03abc"), [messages([b"ab"]), vec![Event::Ended]].concat());
    assert_eq!(whole::<LengthPrefixed<u32>>(b"\0\x10\0\x01"), [Event::Ended]);
    assert_eq!(whole::<LengthPrefixed<u64>>(&[255; 8]), [Event::Ended]);
    let mut frame = LengthPrefixed::<u64>::new(&MessageOptions::default());
    let error = frame.decode(&[255; 8]).unwrap_err();
    assert_eq!(error.to_string(), "a message of 18446744073709551615 bytes: 1048576 are allowed");
    let mut unlimited = LengthPrefixed::<u64, { usize::MAX }>::new(&MessageOptions::default());
    assert_eq!(unlimited.decode(&[255; 99]).unwrap(), Decoded::Incomplete);
}

#[test]
fn messages_may_have_one_length() {
    assert_eq!(whole::<Fixed<3>>(b"abcdef"), messages([b"abc", b"def"]));
}

#[test]
fn what_is_encoded_is_decoded() {
    fn around<F: Frame>(message: &[u8]) {
        let frame = F::new(&MessageOptions::default());
        let mut encoded = Vec::new();
        frame.encode(message, &mut encoded).unwrap();
        assert_eq!(whole::<F>(&encoded), messages([message]));
        encoded.clear();
        frame.encode_packet(message, &mut encoded).unwrap();
        assert_eq!(frame.decode_packet(&encoded).unwrap(), message);
    }
    around::<Line>(b"a line");
    around::<Delimited<0>>(b"a\nb");
    around::<LengthPrefixed<u8>>(b"a\nb");
    around::<LengthPrefixed<LittleEndian<u32>>>(b"");
    around::<Fixed<3>>(b"a\nb");
}

#[test]
fn a_message_that_its_frame_cannot_hold_is_refused() {
    fn refusal<F: Frame>(message: &[u8]) -> String {
        let mut encoded = Vec::new();
        F::new(&MessageOptions::default()).encode(message, &mut encoded).unwrap_err().to_string()
    }
    assert_eq!(refusal::<LengthPrefixed<u8>>(&[0; 256]), "a message of 256 bytes does not fit its length of 1 bytes");
    assert_eq!(refusal::<Fixed<3>>(b"ab"), "a message of 2 bytes where each has 3");
}

#[test]
fn requests_of_redis_are_arrays_or_lines() {
    let get = b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n*1\r\n";
    let input = [b"\r\n".as_slice(), get, b"PING now\r\n*0\r\n*-1\r\nPING"].concat();
    assert_eq!(whole::<Resp>(&input), messages([get, b"PING now", b"PING"]));
    let words: Vec<_> = Resp::words(get).collect();
    assert_eq!(words, [b"GET".as_slice(), b"\r\n*1"]);
    let mut words = Resp::words(b"SET key  two words");
    assert_eq!((words.next(), words.next(), words.rest()), (Some(&b"SET"[..]), Some(&b"key"[..]), &b" two words"[..]));
}

#[test]
fn a_request_of_redis_that_is_none_ends_the_input() {
    for input in ["*1000000000\r\n", "*1\n", "*x\r\n", "*1\r\n$-1\r\n", "*1\r\n$1048577\r\n", "*1\r\nPING\r\n"] {
        assert_eq!(whole::<Resp>(input.as_bytes()), [Event::Ended], "{input}");
    }
}

proptest! {
    #[test]
    fn requests_of_redis_are_the_same_however_the_input_is_split(pieces in pieces(b"**$1122a\r\n\n")) {
        let whole = decode::<Resp>(short_lines(), &[pieces.concat()]);
        prop_assert_eq!(decode::<Resp>(short_lines(), &pieces), whole);
    }

    #[test]
    fn lines_are_the_same_however_the_input_is_split(pieces in pieces(b"ab\r\n\n")) {
        let whole = decode::<Line>(short_lines(), &[pieces.concat()]);
        prop_assert_eq!(decode::<Line>(short_lines(), &pieces), whole);
    }

    #[test]
    fn delimited_messages_are_the_same_however_the_input_is_split(pieces in pieces(b"ab;\n")) {
        let whole = decode::<Delimited<b';'>>(short_lines(), &[pieces.concat()]);
        prop_assert_eq!(decode::<Delimited<b';'>>(short_lines(), &pieces), whole);
    }

    #[test]
    fn prefixed_messages_are_the_same_however_the_input_is_split(pieces in pieces(b"\0\0\x01\x02\x03\xff")) {
        type Short = LengthPrefixed<u16, 9>;
        prop_assert_eq!(decode::<Short>(MessageOptions::default(), &pieces), whole::<Short>(&pieces.concat()));
    }

    #[test]
    fn messages_of_one_length_are_the_same_however_the_input_is_split(pieces in pieces(b"abc")) {
        prop_assert_eq!(decode::<Fixed<3>>(MessageOptions::default(), &pieces), whole::<Fixed<3>>(&pieces.concat()));
    }

    #[test]
    fn words_take_all_of_a_message(message in vec(prop::sample::select(b" \tab".as_slice()), 0..20), taken in 0_usize..5) {
        let mut words = SpacedWords::new(&message);
        let before: Vec<_> = words.by_ref().take(taken).collect();
        prop_assert!(before.iter().all(|word| !word.is_empty() && !word.contains(&b' ') && !word.contains(&b'\t')));
        prop_assert!(message.ends_with(words.rest()));
        prop_assert_eq!(words.next(), None);
        let all = SpacedWords::new(&message).count();
        let text = String::from_utf8(message.clone()).unwrap();
        prop_assert_eq!(all, text.split_ascii_whitespace().count());
    }
}

/// Bytes that matter to the frame, in pieces.
fn pieces(bytes: &'static [u8]) -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(prop::sample::select(bytes), 1..6), 0..12)
}

/// Messages with their length first, answered in kind; what fails it tells the test.
#[socket_server(tcp, threading, hooks, read_buffer = 16)]
struct Prefixed {
    failures: Mutex<Sender<String>>,
}

impl Hooks for Prefixed {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        self.failures.lock().unwrap().send(error.to_string()).unwrap();
    }
}

#[derive(Default)]
struct Session {
    messages: usize,
}

#[handler(Prefixed, frame = LengthPrefixed<u32, 100_000>)]
impl Session {
    #[message]
    fn message(&mut self, body: &[u8], server: &Prefixed) -> Result<Vec<u8>, io::Error> {
        assert!(server.failures.lock().is_ok());
        self.messages += 1;
        if body == b"fail" { Err(io::Error::other("as asked")) } else { Ok(body.iter().rev().copied().collect()) }
    }
}

fn prefixed() -> (Running<Prefixed, socketserver::Tcp, socketserver::Threading>, Receiver<String>) {
    let (failures, told) = channel();
    let server = Prefixed { failures: Mutex::new(failures) };
    (server.bind("127.0.0.1:0").unwrap().start().unwrap(), told)
}

fn talk<S, T, M>(server: &Running<S, T, M>, input: &[u8]) -> Vec<u8> {
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(input).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).unwrap();
    replies
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    framed
}

#[test]
fn messages_longer_than_the_buffer_come_whole() {
    let (server, told) = prefixed();
    let long: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let reversed: Vec<u8> = long.iter().rev().copied().collect();
    let replies = talk(&server, &[framed(b"abc"), framed(b""), framed(&long), framed(b"x")].concat());
    assert!(replies == [framed(b"cba"), framed(b""), framed(&reversed), framed(b"x")].concat());
    assert!(told.try_recv().is_err());
}

#[test]
fn an_error_of_a_message_fails_the_handler() {
    let (server, told) = prefixed();
    assert_eq!(talk(&server, &[framed(b"ab"), framed(b"fail"), framed(b"ab")].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: as asked");
}

#[test]
fn a_length_that_is_too_great_ends_the_connection() {
    let (server, told) = prefixed();
    assert_eq!(talk(&server, &[framed(b"ab"), vec![255; 4], framed(b"ab")].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: a message of 4294967295 bytes: 100000 are allowed");
}

#[test]
fn an_input_that_ends_within_a_message_fails_the_handler() {
    let (server, told) = prefixed();
    assert_eq!(talk(&server, &[framed(b"ab"), framed(b"abcdef")[..7].to_vec()].concat()), framed(b"ba"));
    assert_eq!(told.recv().unwrap(), "`handle` failed: the input ends within a message");
}

/// A frame of its own: netstrings, whose words are commands.
struct Netstring;

impl Frame for Netstring {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        "99:,".len() + 99
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let digits = received.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if received.get(digits).is_some_and(|byte| *byte != b':') || digits > 2 {
            // To the comma, or as far as there is anything.
            let comma = received.iter().position(|byte| *byte == b',');
            return Err(FrameError::new("no netstring").passing_over(comma.map_or(received.len(), |comma| comma + 1)));
        }
        let Some(length) =
            std::str::from_utf8(&received[..digits]).ok().and_then(|digits| digits.parse::<usize>().ok())
        else {
            return Ok(Decoded::Incomplete);
        };
        let body = digits + 1..digits + 1 + length;
        match received.get(body.end) {
            None => Ok(Decoded::Incomplete),
            Some(b',') => Ok(Decoded::Message { length: body.end + 1, body }),
            Some(_) => Err(FrameError::new("a netstring ends with a comma")),
        }
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        write!(output, "{}:", message.len())?;
        output.extend_from_slice(message);
        output.push(b',');
        Ok(())
    }
}

impl CommandFrame for Netstring {
    fn words(message: &[u8]) -> impl Words<'_> {
        SpacedWords::new(message)
    }
}

macro_rules! netstrings {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, threading)]
        struct $name;

        #[handler(frame = Netstring)]
        impl $name {
            #[command]
            fn join(&self, left: &str, right: &str) -> String {
                format!("{left}{right}")
            }

            #[on_error]
            fn refused(&self, error: &CommandError) -> Vec<String> {
                vec![String::from(if error.kind() == CommandErrorKind::Frame { "frame" } else { "command" }), error.to_string()]
            }
        }
    )*};
}

netstrings! {
    NetstringStream: tcp;
    NetstringPacket: udp;
}

#[test]
fn a_frame_of_ones_own_has_commands() {
    let server = NetstringStream.bind("127.0.0.1:0").unwrap().start().unwrap();
    let replies = talk(&server, b"8:join a b,6:join a,x,8:JOIN c d,2:abc");
    let expected = "2:ab,7:command,24:join: `right` is missing,5:frame,12:no netstring,2:cd,5:frame,\
                    29:a netstring ends with a comma,";
    assert_eq!(String::from_utf8(replies).unwrap(), expected);
}

#[test]
fn on_packets_a_frame_has_no_bounds_of_its_own() {
    let server = NetstringPacket.bind("127.0.0.1:0").unwrap().start().unwrap();
    assert_eq!(ask_packet(server.local_address(), b"join a b").unwrap(), b"ab");
}

/// A loop by hand over a frame's messages.
#[socket_server(tcp, threading)]
struct ByHand;

#[handler]
impl ByHand {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        let mut frame = Delimited::<b';'>::new(&short_lines());
        loop {
            match input.next_message(&mut frame) {
                Ok(None) => return Ok(()),
                Ok(Some(message)) => writeln!(output, "{}", message.len())?,
                Err(error) => writeln!(output, "{:?}: {error}", error.kind())?,
            }
        }
    }
}

#[test]
fn a_handler_may_have_a_loop_of_its_own() {
    let server = ByHand.bind("127.0.0.1:0").unwrap().start().unwrap();
    let replies = String::from_utf8(talk(&server, b"abc;;123456789;12")).unwrap();
    assert_eq!(replies, "3\n0\nInvalidData: the line is longer than 4 bytes (`max_line`)\n2\n");
}

/// A message ends with a semicolon, and has at most four bytes with it.
struct Short;

impl Frame for Short {
    fn new(_: &MessageOptions) -> Self {
        Self
    }

    fn max_length(&self) -> usize {
        4
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let end = received.iter().position(|byte| *byte == b';');
        Ok(end.map_or(Decoded::Incomplete, |end| Decoded::Message { body: 0..end, length: end + 1 }))
    }
}

#[socket_server(tcp)]
struct Shorts;

#[handler(frame = Short)]
impl Shorts {
    #[message]
    fn message(&self, message: &str) -> String {
        format!("{message} ")
    }

    #[on_error]
    fn refused(&self, error: &CommandError) -> String {
        error.to_string()
    }
}

#[test]
fn a_message_that_came_at_once_is_no_longer_than_one_that_came_in_pieces() {
    let server = Shorts.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = TcpStream::connect(server.local_address()).unwrap();
    client.write_all(b"one;two;three;end;").unwrap();
    assert_eq!(io::read_to_string(client).unwrap(), "one two a message is longer than 4 bytes");
    server.shutdown().unwrap();
}
