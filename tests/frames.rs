//! The frames, without any I/O: the same messages however the input is split, and an end to those that are too long.

use proptest::collection::vec;
use proptest::prelude::*;
use socketserver::{
    CommandFrame, Decoded, Delimited, Fixed, Frame, LengthPrefixed, Line, LittleEndian, MessageOptions, Resp,
    SpacedWords, Words,
};
use support::{Event, decode};

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
