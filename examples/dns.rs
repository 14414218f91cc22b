//! A name server (RFC 1035) that answers from a zone file, over UDP and TCP.
//!
//! ```text
//! cargo run --example dns -- --zone example.zone      # on 127.0.0.1:5353
//!
//! dig @127.0.0.1 -p 5353 www.example.com              # or AAAA, TXT, ..; +tcp
//! ```
//!
//! ```text
//! $ORIGIN example.com.
//! $TTL 3600
//! @    SOA   ns admin 1 7200 900 1209600 300
//! www  A     192.0.2.1                                ; and AAAA, TXT "quoted", CNAME, ..
//! ```
//!
//! It is the authority for one zone, and refuses all others. A reply that is too long for UDP says so, and can be had over
//! TCP. There are no wildcards, no delegations, no transfers, no DNSSEC, and the zone is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, LowerName, RData, Record, RecordSet, RecordType, RrKey};
use hickory_proto::serialize::txt::{self, LexerError, ParseError};
use socketserver::{Address, BoxError, CommandError, LengthPrefixed, handler, socket_server};

/// A name server for one zone.
#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5353")]
    address: String,
    /// The zone, in the format of master files; it has a SOA record, and names its $ORIGIN.
    #[arg(long, value_name = "FILE")]
    zone: PathBuf,
    /// The longest reply over UDP, if the client can take so much.
    #[arg(long, value_name = "BYTES", default_value_t = 1_232, value_parser = clap::value_parser!(u16).range(512..))]
    max_packet: u16,
    #[arg(long, value_name = "COUNT", default_value = "256")]
    max_connections: std::num::NonZeroUsize,
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    idle_timeout: std::num::NonZeroU64,
}

/// Two servers with one handler: a packet is a message, and so is what follows its length on a connection.
macro_rules! servers {
    ($($server:ident($transport:ident, in_packets = $in_packets:expr);)*) => {$(
        #[socket_server($transport, threading)]
        struct $server(Arc<Zone>);

        #[handler(frame = LengthPrefixed<u16>)]
        impl $server {
            #[message]
            fn query(&self, query: &[u8]) -> Result<Vec<u8>, BoxError> {
                self.0.answer(query, $in_packets)
            }

            /// There is nobody who could make sense of a reply.
            #[on_error]
            fn unanswered(&self, error: &CommandError, peer: &Address) {
                log::info!("{peer}: {error}");
            }
        }
    )*};
}

servers! {
    OverUdp(udp, in_packets = true);
    OverTcp(tcp, in_packets = false);
}

struct Zone {
    apex: LowerName,
    soa: Record,
    records: BTreeMap<RrKey, RecordSet>,
    /// Those that have records, and those between them and the apex.
    names: BTreeSet<LowerName>,
    max_packet: u16,
}

impl Zone {
    fn read(file: &Path, max_packet: u16) -> Result<Self, BoxError> {
        let text = std::fs::read_to_string(file)?;
        let parse = |text: &str| txt::Parser::new(text, Some(file.to_owned()), None).parse();
        let (_, records) = parse(&text).map_err(|error| {
            // The parser does not say where: in the first line with which it shows, but for what is never closed.
            let is_open =
                matches!(error, ParseError::Lexer(LexerError::UnclosedList | LexerError::UnclosedQuotedString));
            let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end + 1).collect();
            let shows = |end| parse(&text[..end]).is_err_and(|other| other.to_string() == error.to_string());
            let line = ends.partition_point(|end| !shows(*end)) + 1;
            if is_open { error.to_string() } else { format!("line {line}: {error}") }
        })?;
        let mut soas = records.values().filter(|set| set.record_type() == RecordType::SOA);
        let Some(mut soa) = soas.next().and_then(|set| set.record()).cloned() else {
            return Err("there is no SOA record".into());
        };
        if let RData::SOA(data) = &soa.data {
            // For so long a name that is not there may be remembered (RFC 2308).
            soa.ttl = soa.ttl.min(data.minimum);
        }
        let apex = LowerName::new(&soa.name);
        let mut names = BTreeSet::from([apex.clone()]);
        for key in records.keys() {
            let mut name = key.name().clone();
            if !apex.zone_of(&name) {
                return Err(format!("{name} is not in the zone {apex}").into());
            }
            while names.insert(name.clone()) {
                name = name.base_name();
            }
        }
        Ok(Self { apex, soa, records, names, max_packet })
    }

    /// The reply; an error says why there is none.
    fn answer(&self, query: &[u8], in_packets: bool) -> Result<Vec<u8>, BoxError> {
        let query = match (Message::from_vec(query), query) {
            (Ok(query), _) => query,
            (Err(_), [high, low, flags, _, _, _, _, _, _, _, _, _, ..]) if flags & 0x80 == 0 => {
                let id = u16::from_be_bytes([*high, *low]);
                return Ok(Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec()?);
            }
            (Err(error), _) => return Err(error.into()),
        };
        if query.message_type == MessageType::Response {
            return Err("a response is no query".into());
        }
        let mut reply = Message::response(query.id, query.op_code);
        reply.metadata = Metadata::response_from_request(&query.metadata);
        reply.add_queries(query.queries.iter().cloned());
        let longest = if in_packets { query.max_payload().min(self.max_packet) } else { u16::MAX };
        if query.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(self.max_packet);
            reply.set_edns(edns);
        }
        reply.metadata.response_code = match (query.op_code, query.queries.as_slice()) {
            _ if query.edns.as_ref().is_some_and(|edns| edns.version() > 0) => ResponseCode::BADVERS,
            (OpCode::Query, [question]) => self.look_up(question, &mut reply),
            (OpCode::Query, _) => ResponseCode::FormErr,
            _ => ResponseCode::NotImp,
        };
        let bytes = reply.to_vec()?;
        // What is more than any message can hold has been cut in the middle of a record, which is told by this bit.
        let is_cut = bytes[2] & 0x02 != 0;
        Ok(if is_cut || bytes.len() > longest.into() { reply.truncate().to_vec()? } else { bytes })
    }

    fn look_up(&self, question: &Query, reply: &mut Message) -> ResponseCode {
        let mut name = LowerName::new(question.name());
        let kind = question.query_type();
        let is_one = !matches!(kind, RecordType::ANY | RecordType::AXFR | RecordType::IXFR);
        if !(self.apex.zone_of(&name) && question.query_class() == DNSClass::IN && is_one) {
            return ResponseCode::Refused;
        }
        reply.metadata.authoritative = true;
        // A name may stand for another one, and that for a third one.
        let mut seen = BTreeSet::new();
        while seen.insert(name.clone()) {
            if let Some(set) = self.records.get(&RrKey::new(name.clone(), kind)) {
                reply.add_answers(set.records_without_rrsigs().cloned());
                return ResponseCode::NoError;
            }
            let alias = self.records.get(&RrKey::new(name.clone(), RecordType::CNAME)).and_then(RecordSet::record);
            let Some((alias, RData::CNAME(other))) = alias.map(|alias| (alias, &alias.data)) else {
                reply.add_authority(self.soa.clone());
                return if self.names.contains(&name) { ResponseCode::NoError } else { ResponseCode::NXDomain };
            };
            reply.add_answer(alias.clone());
            name = LowerName::new(&other.0);
            if !self.apex.zone_of(&name) {
                return ResponseCode::NoError;
            }
        }
        // They stand for each other.
        ResponseCode::NoError
    }
}

fn main() -> Result<(), BoxError> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let Arguments { address, zone, max_packet, max_connections, idle_timeout } = Arguments::parse();
    let zone = Zone::read(&zone, max_packet).map_err(|error| format!("{}: {error}", zone.display()))?;
    let (zone, timeout) = (Arc::new(zone), Duration::from_secs(idle_timeout.get()));
    let builder = OverTcp(Arc::clone(&zone)).builder().max_threads(max_connections.get());
    let tcp = builder.read_timeout(timeout).write_timeout(timeout).bind(address)?;
    let address = tcp.local_address().socket_addr().ok_or("no Internet address")?;
    // No query needs more.
    let udp = OverUdp(zone).builder().max_threads(max_connections.get()).max_packet_size(4_096).bind(address)?;
    tcp.shutdown_on_signals()?;
    udp.shutdown_on_signals()?;
    println!("listening on {address} (udp and tcp)");
    let udp = udp.start()?;
    tcp.serve_forever()?;
    Ok(udp.shutdown()?)
}
