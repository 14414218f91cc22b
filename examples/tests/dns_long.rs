//! Asks the example `dns` over TCP for what is long: a chain of aliases, and more records than a message can hold.

use std::fmt::Write as _;
use std::fs;

use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name, RecordType};
use support::{Place, Program, send_and_end};

/// The reply, as it came, to the one query for records of a zone that begins with its SOA.
fn ask(records: &str, name: &str, kind: RecordType) -> Vec<u8> {
    let place = Place::new();
    let file = place.path("zone");
    fs::write(&file, format!("$ORIGIN example.com.\n@ 60 SOA ns admin 1 2 3 4 5\n{records}")).unwrap();
    let mut program = Program::start("dns", &["--address", "127.0.0.1:0", "--zone", file.to_str().unwrap()]);

    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    query.set_edns(Edns::new());
    let query = query.to_vec().unwrap();
    let framed = [&u16::try_from(query.len()).unwrap().to_be_bytes(), query.as_slice()].concat();
    let said = send_and_end(&program.address(), &framed);
    program.stop();

    let (length, reply) = said.split_at(2);
    assert_eq!(usize::from(u16::from_be_bytes([length[0], length[1]])), reply.len());
    reply.to_vec()
}

#[test]
fn a_long_chain_of_aliases_is_followed_to_its_end() {
    let mut records = String::from("chain20 60 A 192.0.2.40\n");
    for number in 0..20 {
        writeln!(records, "chain{number} 60 CNAME chain{}", number + 1).unwrap();
    }
    let reply = Message::from_vec(&ask(&records, "chain0.example.com.", RecordType::A)).unwrap();
    assert_eq!((reply.answers.len(), reply.authorities.len()), (21, 0));
    assert_eq!(reply.answers[20].data.to_string(), "192.0.2.40");
}

#[test]
fn a_reply_that_is_too_long_for_tcp_is_whole_all_the_same() {
    let mut records = String::new();
    for number in 0..400 {
        writeln!(records, "huge 60 TXT \"{number} {}\"", "x".repeat(200)).unwrap();
    }
    let bytes = ask(&records, "huge.example.com.", RecordType::TXT);
    let reply = Message::from_vec(&bytes).unwrap();
    assert_eq!((reply.truncation, reply.answers.len(), reply.edns.is_some()), (true, 0, true));
    assert_eq!(reply.to_vec().unwrap().len(), bytes.len(), "there is something behind the message");
}
