//! Servers that speak the protocol of Redis: what each reply is, and how an error is told.

use std::num::ParseIntError;

use socketserver::{Close, Raw, Resp, handler, socket_server};
use support::{ask_packet, send_and_end};

#[socket_server(tcp, threading, help = true, max_message = 100)]
struct Kinds;

#[handler(frame = Resp)]
impl Kinds {
    #[command]
    fn status(&self) -> Raw<&'static str> {
        Raw("+OK\r\n")
    }

    /// In any letter case.
    #[command]
    fn bytes<'m>(&self, bytes: &'m [u8]) -> &'m [u8] {
        bytes
    }

    #[command]
    fn number(&self, number: i64) -> i64 {
        number
    }

    #[command]
    fn greatest(&self) -> u64 {
        u64::MAX
    }

    #[command]
    fn half(&self, number: f64) -> f64 {
        number / 2.0
    }

    #[command]
    fn is_even(&self, number: u8) -> bool {
        number.is_multiple_of(2)
    }

    #[command]
    fn numbers(&self, words: Vec<&str>) -> Vec<Option<u8>> {
        words.into_iter().map(|word| word.parse().ok()).collect()
    }

    #[command]
    fn read(&self, words: Vec<&str>) -> Vec<Result<u16, ParseIntError>> {
        words.into_iter().map(str::parse).collect()
    }

    #[command]
    fn units(&self) -> Vec<()> {
        vec![(); 2]
    }

    #[command]
    fn table(&self, words: Vec<String>) -> Vec<Vec<String>> {
        words.into_iter().map(|word| vec![word.clone(), word]).collect()
    }

    #[command]
    fn fail(&self, text: String) -> Result<(), String> {
        Err(text)
    }

    #[command]
    fn letter(&self, _letter: char) {}

    #[command]
    fn quit(&self) -> Close<&'static str> {
        Close("bye")
    }
}

fn replies(requests: &str) -> String {
    let server = Kinds.bind("127.0.0.1:0").unwrap().start().unwrap();
    let replies = String::from_utf8(send_and_end(server.local_address(), requests.as_bytes())).unwrap();
    server.shutdown().unwrap();
    replies
}

#[test]
fn a_reply_tells_what_it_is() {
    assert_eq!(replies("status\r\n"), "+OK\r\n");
    assert_eq!(replies("*2\r\n$5\r\nBytes\r\n$4\r\n\r\n a\r\n"), "$4\r\n\r\n a\r\n");
    assert_eq!(replies("bytes \r\n*2\r\n$5\r\nbytes\r\n$0\r\n\r\n"), format!("{}$0\r\n\r\n", wrong_number("bytes")));
    assert_eq!(replies("number -5\r\n"), ":-5\r\n");
    assert_eq!(replies("greatest\r\n"), "$20\r\n18446744073709551615\r\n");
    assert_eq!(replies("half 5\r\n"), "$3\r\n2.5\r\n");
    assert_eq!(replies("is_even 4\r\nis_even 5\r\n"), ":1\r\n:0\r\n");
    assert_eq!(replies("numbers\r\nnumbers 1 x\r\n"), "*0\r\n*2\r\n:1\r\n$-1\r\n");
    assert_eq!(replies("read 1 2\r\nunits\r\nstatus\r\n"), "*2\r\n:1\r\n:2\r\n+OK\r\n");
    assert_eq!(replies("table a\r\n"), "*1\r\n*2\r\n$1\r\na\r\n$1\r\na\r\n");
    assert_eq!(replies("letter x\r\nquit\r\nstatus\r\n"), "$3\r\nbye\r\n");
}

#[test]
fn help_is_a_list() {
    let help = replies("help\r\n");
    assert!(help.starts_with("*13\r\n$6\r\nSTATUS\r\n$"), "{help}");
    assert!(help.contains("\r\nBYTES BYTES       In any letter case.\r\n"), "{help}");
    assert_eq!(replies("help bytes more\r\n"), wrong_number("help"));
}

#[test]
fn a_line_without_a_word_is_no_request() {
    assert_eq!(replies("\r\n  \r\n\t\nstatus\r\n "), "+OK\r\n");
}

/// So that no argument of it is passed over.
#[test]
fn a_request_in_disorder_is_none() {
    for (request, error) in [
        ("*2\r\n$7\r\nnumbers\r\n$1\r\n1__", "expected CRLF behind a bulk string"),
        ("*2\r\n$7\r\nnumbers\n\r$1\r\n1\r\n", "expected CRLF behind a bulk string"),
        ("*+1\r\n$6\r\nstatus\r\n", "invalid multibulk length"),
        ("*01\r\n$6\r\nstatus\r\n", "invalid multibulk length"),
        ("*-0\r\n", "invalid multibulk length"),
        ("*1\r\n$06\r\nstatus\r\n", "invalid bulk length"),
        ("*1\r\n$+6\r\nstatus\r\n", "invalid bulk length"),
    ] {
        assert_eq!(replies(request), format!("-ERR Protocol error: {error}\r\n"), "{request}");
    }
    assert_eq!(replies("*0\r\n*-1\r\n*1\r\n$6\r\nstatus\r\n"), "+OK\r\n");
}

#[test]
fn an_error_has_a_code_and_one_line() {
    assert_eq!(replies("fail oops\r\n"), "-ERR oops\r\n");
    assert_eq!(replies("*2\r\n$4\r\nfail\r\n$12\r\nWRONGTYPE no\r\n"), "-WRONGTYPE no\r\n");
    assert_eq!(replies("*2\r\n$4\r\nfail\r\n$5\r\na\r\n+b\r\n"), "-ERR a  +b\r\n");
    assert_eq!(replies("*2\r\n$4\r\nfail\r\n$9\r\nWRONG\r\n+b\r\n"), "-ERR WRONG  +b\r\n");
    assert_eq!(replies("number x\r\n"), "-ERR value is not an integer or out of range\r\n");
    assert_eq!(replies("is_even 256\r\n"), "-ERR value is not an integer or out of range\r\n");
    assert_eq!(replies("read 1 x y 2\r\n"), "-ERR value is not an integer or out of range\r\n");
    assert_eq!(replies("half x\r\n"), "-ERR value is not a valid float\r\n");
    assert_eq!(replies("letter xy\r\n"), "-ERR letter: `letter` cannot be `xy`: too many characters in string\r\n");
    assert_eq!(replies("number 1 2\r\nnumber\r\n"), wrong_number("number").repeat(2));
    assert_eq!(replies("nope\r\nstatus\r\n"), "-ERR unknown command 'nope'\r\n+OK\r\n");
    assert_eq!(replies("*x\r\nstatus\r\n"), "-ERR Protocol error: invalid multibulk length\r\n");
    let long = format!("*2\r\n$5\r\nbytes\r\n$90\r\n{}\r\n", "x".repeat(90));
    assert_eq!(replies(&long), "-ERR Protocol error: a message is longer than 100 bytes\r\n");
}

fn wrong_number(command: &str) -> String {
    format!("-ERR wrong number of arguments for '{command}' command\r\n")
}

#[socket_server(udp)]
struct Packets;

#[handler(frame = Resp)]
impl Packets {
    #[command]
    fn twice(&self, word: &str) -> Vec<String> {
        vec![word.to_owned(); 2]
    }
}

#[test]
fn a_packet_is_a_request() {
    let server = Packets.bind("127.0.0.1:0").unwrap().start().unwrap();
    let ask =
        |request: &str| String::from_utf8(ask_packet(server.local_address(), request.as_bytes()).unwrap()).unwrap();
    assert_eq!(ask("*2\r\n$5\r\nTWICE\r\n$1\r\na\r\n"), "*2\r\n$1\r\na\r\n$1\r\na\r\n");
    assert_eq!(ask("twice a\r\n"), "*2\r\n$1\r\na\r\n$1\r\na\r\n");
    assert_eq!(ask("*x\r\n"), "-ERR Protocol error: invalid multibulk length\r\n");
    for wrong in ["*2\r\n$5\r\nTWICE\r\n$1\r\n", "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n", "*0\r\n"] {
        assert_eq!(ask(wrong), "-ERR Protocol error: the packet is not one request\r\n");
    }
    server.shutdown().unwrap();
}
