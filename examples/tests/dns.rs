//! Asks the example `dns`, with the resolver of `hickory` and by hand.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use socketserver::Address;
use support::{Noise, Place, Program, ask_packet, peak_memory, send_and_end, send_and_wait};

const ZONE: &str = r#"
$ORIGIN example.com.            ; what relative names are relative to
$TTL 1h
@       IN SOA  ns hostmaster.example.com. (
                2024010101      ; the serial
                2h 15m 2w
                5m )            ; how long a name that is not there may be remembered
        IN NS   ns
@       IN A    192.0.2.1
        IN AAAA 2001:db8::1
ns      IN A    192.0.2.53
www 300 IN A    192.0.2.10
www     IN A    192.0.2.11
        IN AAAA 2001:db8::10
        IN TXT  "quoted; with a semicolon" plain
alias   IN CNAME www
twice   IN CNAME alias.example.com.
round   IN CNAME about
about   IN CNAME round
out     IN CNAME www.example.org.
a.deep  IN A    192.0.2.20
$ORIGIN sub.example.com.
host    IN A    192.0.2.30
"#;

/// A running name server and the place of its zone.
struct Service {
    program: Program,
    address: SocketAddr,
    _place: Place,
}

impl Service {
    fn start(limits: &[&str]) -> Self {
        Self::with_zone(ZONE, limits)
    }

    fn with_zone(zone: &str, limits: &[&str]) -> Self {
        let place = Place::new();
        let file = place.path("zone");
        fs::write(&file, zone).unwrap();
        let arguments = [&["--address", "127.0.0.1:0", "--zone", file.to_str().unwrap()], limits].concat();
        let mut program = Program::start("dns", &arguments);
        let address = program.address().socket_addr().unwrap();
        Self { program, address, _place: place }
    }

    fn over_udp(&self, query: &Message) -> Message {
        let reply = ask_packet(&self.address.into(), &query.to_vec().unwrap()).unwrap();
        reply_to(query, &reply)
    }

    fn over_tcp(&self, query: &Message) -> Message {
        let mut stream = self.connect();
        stream.write_all(&framed(&query.to_vec().unwrap())).unwrap();
        reply_to(query, &receive(&mut stream))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The resolver, with one kind of connection or both.
    fn resolve(
        &self,
        connections: Vec<ConnectionConfig>,
        name: &str,
        kind: RecordType,
    ) -> Result<Vec<String>, NetError> {
        let connections = connections
            .into_iter()
            .map(|mut connection| {
                connection.port = self.address.port();
                connection
            })
            .collect();
        let server = NameServerConfig::new(self.address.ip(), true, connections);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut options = ResolverOpts::default();
        options.timeout = Duration::from_secs(2);
        options.attempts = 10;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            let resolver = builder.with_options(options).build()?;
            let lookup = resolver.lookup(name, kind).await?;
            let mut found: Vec<_> = lookup.answers().iter().map(|record| record.data.to_string()).collect();
            found.sort();
            Ok(found)
        })
    }
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut query: Message, max_payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(max_payload);
    query.set_edns(edns);
    query
}

fn reply_to(query: &Message, bytes: &[u8]) -> Message {
    let reply = Message::from_vec(bytes).unwrap();
    assert_eq!((reply.id, reply.message_type), (query.id, MessageType::Response));
    assert_eq!(reply.queries, query.queries);
    assert_eq!(reply.edns.is_some(), query.edns.is_some());
    reply
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).unwrap();
    message
}

fn data(reply: &Message) -> Vec<String> {
    let mut data: Vec<_> = reply.answers.iter().map(|record| record.data.to_string()).collect();
    data.sort();
    data
}

#[test]
fn a_resolver_finds_what_is_in_the_zone_over_both_transports() {
    let service = Service::start(&[]);
    for (name, kind, expected) in [
        ("www.example.com.", RecordType::A, &["192.0.2.10", "192.0.2.11"][..]),
        ("www.example.com.", RecordType::AAAA, &["2001:db8::10"]),
        ("www.example.com.", RecordType::TXT, &["quoted; with a semicolonplain"]),
        ("WWW.Example.COM.", RecordType::AAAA, &["2001:db8::10"]),
        ("example.com.", RecordType::A, &["192.0.2.1"]),
        ("example.com.", RecordType::NS, &["ns.example.com."]),
        ("host.sub.example.com.", RecordType::A, &["192.0.2.30"]),
        ("a.deep.example.com.", RecordType::A, &["192.0.2.20"]),
    ] {
        for connection in [ConnectionConfig::udp(), ConnectionConfig::tcp()] {
            let shown = format!("{name} {kind} {connection:?}");
            let found = service.resolve(vec![connection], name, kind).unwrap();
            assert_eq!(found, expected, "{shown}");
        }
    }
    for connection in [ConnectionConfig::udp(), ConnectionConfig::tcp()] {
        let found = service.resolve(vec![connection.clone()], "twice.example.com.", RecordType::AAAA).unwrap();
        assert!(found.contains(&"2001:db8::10".to_owned()), "{found:?}");
        let error = service.resolve(vec![connection], "nobody.example.com.", RecordType::A).unwrap_err();
        assert!(error.is_nx_domain(), "{error}");
    }
    service.program.stop();
}

#[test]
fn a_reply_says_what_it_is() {
    let service = Service::start(&[]);
    let soa = |reply: &Message| reply.authorities.iter().any(|record| record.record_type() == RecordType::SOA);
    for ask in [Service::over_udp, Service::over_tcp] {
        let reply = ask(&service, &query("www.example.com.", RecordType::A));
        assert_eq!((reply.response_code, reply.authoritative, reply.truncation), (ResponseCode::NoError, true, false));
        assert_eq!(data(&reply), ["192.0.2.10", "192.0.2.11"]);
        assert!(!soa(&reply));
        assert!(!reply.recursion_available);

        for (name, code) in [
            ("nobody.example.com.", ResponseCode::NXDomain),
            ("a.b.c.example.com.", ResponseCode::NXDomain),
            ("ns.example.com.", ResponseCode::NoError),
            // There is something below them.
            ("deep.example.com.", ResponseCode::NoError),
            ("sub.example.com.", ResponseCode::NoError),
        ] {
            let reply = ask(&service, &query(name, RecordType::TXT));
            assert_eq!((reply.response_code, reply.answers.len(), soa(&reply)), (code, 0, true), "{name}");
            // No longer than the SOA's last number says.
            assert_eq!(reply.authorities[0].ttl, 300);
        }

        let reply = ask(&service, &query("www.example.org.", RecordType::A));
        assert_eq!((reply.response_code, reply.authoritative), (ResponseCode::Refused, false));
        for kind in [RecordType::ANY, RecordType::AXFR] {
            assert_eq!(ask(&service, &query("example.com.", kind)).response_code, ResponseCode::Refused);
        }

        let reply = ask(&service, &query("twice.example.com.", RecordType::A));
        assert_eq!(data(&reply), ["192.0.2.10", "192.0.2.11", "alias.example.com.", "www.example.com."]);
        let reply = ask(&service, &query("alias.example.com.", RecordType::CNAME));
        assert_eq!(data(&reply), ["www.example.com."]);
        let reply = ask(&service, &query("out.example.com.", RecordType::A));
        assert_eq!((reply.response_code, data(&reply)), (ResponseCode::NoError, vec!["www.example.org.".to_owned()]));
        let reply = ask(&service, &query("round.example.com.", RecordType::A));
        assert_eq!((reply.response_code, reply.answers.len()), (ResponseCode::NoError, 2));
        // It is not said that there is nothing.
        assert!(!soa(&reply));
    }
    service.program.stop();
}

#[test]
fn a_query_that_makes_no_sense_is_answered_with_why() {
    let service = Service::start(&[]);
    for ask in [Service::over_udp, Service::over_tcp] {
        let mut update = query("example.com.", RecordType::A);
        update.metadata.op_code = OpCode::Notify;
        assert_eq!(ask(&service, &update).response_code, ResponseCode::NotImp);

        let mut two = query("www.example.com.", RecordType::A);
        two.add_query(Query::query(Name::from_ascii("ns.example.com.").unwrap(), RecordType::A));
        assert_eq!(ask(&service, &two).response_code, ResponseCode::FormErr);
        assert_eq!(ask(&service, &Message::query()).response_code, ResponseCode::FormErr);

        let mut chaos = Message::query();
        let mut version = Query::query(Name::from_ascii("www.example.com.").unwrap(), RecordType::A);
        version.set_query_class(DNSClass::CH);
        chaos.add_query(version);
        assert_eq!(ask(&service, &chaos).response_code, ResponseCode::Refused);

        let mut later = with_edns(query("www.example.com.", RecordType::A), 1_232);
        later.edns.as_mut().unwrap().set_version(1);
        let reply = ask(&service, &later);
        // Two codes have the same number.
        assert_eq!(u16::from(reply.response_code), u16::from(ResponseCode::BADVERS));
    }

    // Garbage behind a header, whose ID is all that is known of it.
    let garbage = b"\xab\xcd\x01\0\xff\xff\0\0\0\0\0\0\xff\xff";
    for reply in [
        ask_packet(&service.address.into(), garbage).unwrap(),
        send_and_end(&service.address.into(), &framed(garbage))[2..].to_vec(),
    ] {
        let reply = Message::from_vec(&reply).unwrap();
        assert_eq!((reply.id, reply.response_code), (0xabcd, ResponseCode::FormErr));
    }
    service.program.stop();
}

#[test]
fn what_is_no_query_is_not_answered() {
    let mut service = Service::start(&[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.connect(service.address).unwrap();
    let mut response = query("www.example.com.", RecordType::A);
    response.metadata.message_type = MessageType::Response;
    socket.send(&response.to_vec().unwrap()).unwrap();
    service.program.logged("a response is no query");
    socket.send(b"\xab\xcd\x01\0").unwrap();
    socket.send(b"").unwrap();
    // An answer to each of those would come first.
    let last = query("ns.example.com.", RecordType::A);
    socket.send(&last.to_vec().unwrap()).unwrap();
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply).unwrap();
    assert_eq!(data(&reply_to(&last, &reply[..length])), ["192.0.2.53"]);
    service.program.stop();
}

#[test]
fn a_reply_that_is_too_long_for_udp_is_had_over_tcp() {
    let mut zone = ZONE.to_owned();
    for (name, count) in [("large", 60), ("medium", 8)] {
        for number in 0..count {
            writeln!(zone, "{name}.example.com. TXT \"{number} {}\"", "x".repeat(100)).unwrap();
        }
    }
    let service = Service::with_zone(&zone, &["--max-packet", "1400"]);
    let large = query("large.example.com.", RecordType::TXT);
    let medium = query("medium.example.com.", RecordType::TXT);
    for (query, answers, truncation) in [
        (large.clone(), 0, true),
        (with_edns(large.clone(), 4_096), 0, true),
        (medium.clone(), 0, true),
        (with_edns(medium.clone(), 600), 0, true),
        (with_edns(medium.clone(), 1_232), 8, false),
        // Less than every client can take is not meant.
        (with_edns(query("www.example.com.", RecordType::TXT), 0), 1, false),
    ] {
        let reply = service.over_udp(&query);
        assert_eq!((reply.answers.len(), reply.truncation), (answers, truncation), "{query}");
        assert_eq!(reply.response_code, ResponseCode::NoError);
    }
    let reply = service.over_tcp(&large);
    assert_eq!((reply.answers.len(), reply.truncation), (60, false));
    assert!(matches!(reply.answers[0].data, RData::TXT(_)));

    let both = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    assert_eq!(service.resolve(both, "large.example.com.", RecordType::TXT).unwrap().len(), 60);
    service.program.stop();
}

#[test]
fn queries_may_be_sent_all_at_once() {
    let service = Service::start(&[]);
    let mut stream = service.connect();
    let queries = ["www.example.com.", "nobody.example.com.", "ns.example.com."].map(|name| query(name, RecordType::A));
    let bytes: Vec<_> = queries.iter().flat_map(|query| framed(&query.to_vec().unwrap())).collect();
    stream.write_all(&bytes).unwrap();
    let replies = queries.each_ref().map(|query| reply_to(query, &receive(&mut stream)));
    assert_eq!(replies.map(|reply| reply.answers.len()), [2, 0, 1]);
    // Between two queries it is idle, and a shutdown ends it.
    service.program.stop();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn hostile_input_takes_no_memory_and_ends_no_server() {
    // Each thread of the two servers has memory of the allocator's own, which a busy machine has more of them take.
    let service = Service::start(&["--max-connections", "8"]);
    let address = Address::from(service.address);
    let before = peak_memory(service.program.pid());

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(service.address).unwrap();
    let whole = with_edns(query("www.example.com.", RecordType::A), 1_232).to_vec().unwrap();
    let mut noise = Noise::new(1);
    for _ in 0..2_000 {
        let length = noise.below(600);
        socket.send(&noise.bytes(length)).unwrap();
        socket.send(&noise.damaged(&whole)).unwrap();
    }
    socket.send(&noise.bytes(65_000)).unwrap();

    for seed in 1..=8 {
        send_and_end(&address, &Noise::new(seed).bytes(1 << 18));
    }
    let mut damaged = Vec::new();
    for _ in 0..2_000 {
        damaged.extend(framed(&noise.damaged(&whole)));
    }
    send_and_end(&address, &damaged);
    // The longest that can be announced, and less that comes.
    for half in [&b"\xff"[..], b"\xff\xff", b"\xff\xffhalf", b"\0\0\0\0\0\x05half"] {
        assert!(send_and_end(&address, half).is_empty());
    }
    let grown = peak_memory(service.program.pid()) - before;
    assert!(grown < 8 << 20, "{grown} bytes");

    // A packet may be lost in the flood before it: the resolver asks again.
    for connection in [ConnectionConfig::udp(), ConnectionConfig::tcp()] {
        assert_eq!(service.resolve(vec![connection], "ns.example.com.", RecordType::A).unwrap(), ["192.0.2.53"]);
    }
    service.program.stop();
}

#[test]
fn one_that_falls_silent_is_hung_up_on() {
    let service = Service::start(&["--idle-timeout", "1"]);
    for half in [&b""[..], b"\xff\xff", b"\xff\xffhalf"] {
        assert!(send_and_wait(&service.address.into(), half).is_empty());
    }
    let log = service.program.stop().log;
    assert_eq!(log.matches("nothing was received for 1s (`read_timeout`)").count(), 2, "{log}");
}
