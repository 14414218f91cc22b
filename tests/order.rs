//! The order of the steps of a request, and what follows each failure, in the eight servers that do not fork.
//!
//! Each row is a server of its own, whose first request has the fault; the second must be served as ever. What the
//! client sees stands where it sees it: a reply is sent after `finish`, and the connection is ended after `handle_error`.

#[path = "order/traced.rs"]
mod traced;

use std::io::{self, Write as _};
use std::process::ExitStatus;

use socketserver::{
    Address, BoxError, HandlerError, Hooks, MixIn, Reader, Server, Transport, Writer, handler, socket_server,
};
use support::Place;
use traced::{Ask, Steps, Trace, ask_packet, ask_stream, traced, two_requests};

/// Of `tcp` and `unix_stream`, whoever processes the request.
const STREAMS: &str = "
none                              | verify_request service_actions setup handle finish client:reply client:end
setup fails                       | verify_request service_actions setup handle_error(setup) client:end
setup panics                      | verify_request service_actions setup handle_error(setup panicked) client:end
handle fails                      | verify_request service_actions setup handle finish handle_error(handle) client:reply client:end
handle panics                     | verify_request service_actions setup handle finish handle_error(handle panicked) client:reply client:end
finish fails                      | verify_request service_actions setup handle finish handle_error(finish) client:reply client:end
finish panics                     | verify_request service_actions setup handle finish handle_error(finish panicked) client:reply client:end
handle fails, finish fails        | verify_request service_actions setup handle finish handle_error(handle+finish) client:reply client:end
handle fails, handle_error panics | verify_request service_actions setup handle finish handle_error(handle) client:reply client:end
verify_request fails              | verify_request service_actions client:end
verify_request panics             | verify_request service_actions client:end
service_actions panics            | verify_request service_actions setup handle finish client:reply client:end
";

/// Of `udp` and `unix_datagram`: a reply is sent only if nothing failed.
const PACKETS: &str = "
none                              | verify_request service_actions setup handle finish client:reply
setup fails                       | verify_request service_actions setup handle_error(setup) client:nothing
setup panics                      | verify_request service_actions setup handle_error(setup panicked) client:nothing
handle fails                      | verify_request service_actions setup handle finish handle_error(handle) client:nothing
handle panics                     | verify_request service_actions setup handle finish handle_error(handle panicked) client:nothing
finish fails                      | verify_request service_actions setup handle finish handle_error(finish) client:nothing
finish panics                     | verify_request service_actions setup handle finish handle_error(finish panicked) client:nothing
handle fails, finish fails        | verify_request service_actions setup handle finish handle_error(handle+finish) client:nothing
handle fails, handle_error panics | verify_request service_actions setup handle finish handle_error(handle) client:nothing
verify_request fails              | verify_request service_actions client:nothing
verify_request panics             | verify_request service_actions client:nothing
service_actions panics            | verify_request service_actions setup handle finish client:reply
";

traced! {
    Tcp: tcp, iterative;
    Udp: udp, iterative;
    UnixStream: unix_stream, iterative;
    UnixDatagram: unix_datagram, iterative;
    ThreadingTcp: tcp, threading;
    ThreadingUdp: udp, threading;
    ThreadingUnixStream: unix_stream, threading;
    ThreadingUnixDatagram: unix_datagram, threading;
}

#[test]
fn a_tcp_server_takes_these_steps() {
    assert_eq!(table(ask_stream, |steps, _| Tcp(steps).bind("127.0.0.1:0")), STREAMS);
}

#[test]
fn a_udp_server_takes_these_steps() {
    assert_eq!(table(ask_packet, |steps, _| Udp(steps).bind("127.0.0.1:0")), PACKETS);
}

#[test]
fn a_unix_stream_server_takes_these_steps() {
    assert_eq!(table(ask_stream, |steps, place| UnixStream(steps).bind(place.path("server"))), STREAMS);
}

#[test]
fn a_unix_datagram_server_takes_these_steps() {
    assert_eq!(table(ask_packet, |steps, place| UnixDatagram(steps).bind(place.path("server"))), PACKETS);
}

#[test]
fn a_threading_tcp_server_takes_these_steps() {
    assert_eq!(table(ask_stream, |steps, _| ThreadingTcp(steps).bind("127.0.0.1:0")), STREAMS);
}

#[test]
fn a_threading_udp_server_takes_these_steps() {
    assert_eq!(table(ask_packet, |steps, _| ThreadingUdp(steps).bind("127.0.0.1:0")), PACKETS);
}

#[test]
fn a_threading_unix_stream_server_takes_these_steps() {
    assert_eq!(table(ask_stream, |steps, place| ThreadingUnixStream(steps).bind(place.path("server"))), STREAMS);
}

#[test]
fn a_threading_unix_datagram_server_takes_these_steps() {
    assert_eq!(table(ask_packet, |steps, place| ThreadingUnixDatagram(steps).bind(place.path("server"))), PACKETS);
}

fn table<S, T, M>(ask: Ask, bind: impl Fn(Steps, &Place) -> io::Result<Server<S, T, M>>) -> String
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    traced::table(|fault| {
        let place = Place::new();
        let trace = Trace::new(place.path("trace"));
        let server = bind(Steps::new(trace.clone(), fault), &place).expect("a server");
        let running = server.start().expect("a thread for it");
        let have_ended = |requests| {
            let stats = running.stats();
            stats.finished + stats.failed + stats.refused == requests
        };
        let steps = two_requests(ask, running.local_address(), &trace, have_ended);
        running.shutdown().expect("a server that ends well");
        steps
    })
}
