//! The order of the steps of a request, and what follows each failure, in the eight servers that do not fork.
//!
//! Each row is a server of its own, whose first request has the fault; the second must be served as ever. What the
//! client sees stands where it sees it: a reply is sent after `finish`, and the connection is ended after `handle_error`.

mod flaky;
#[path = "order/traced.rs"]
mod traced;

use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use socketserver::{
    Address, BoxError, Endpoint, HandlerError, Hooks, Reader, Running, Server, SocketServer, Transport, Writer,
    handler, socket_server,
};
use support::{Place, wait_until};
use traced::{Client, FAULTS, Speak, Steps, Trace, bind_flaky, speak_in_packet, speak_on_stream, traced, two_requests};

/// Of `tcp` and `unix_stream`, whoever processes the request.
const STREAMS: &str = "
none                              | verify_request service_actions setup handle finish client:reply client:end
get_request fails                 | accept_error(ConnectionAborted) verify_request service_actions setup handle finish client:reply client:end
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
get_request fails                 | accept_error(ConnectionAborted) verify_request service_actions setup handle finish client:reply
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
    assert_eq!(table(speak_on_stream, Tcp, port), STREAMS);
}

#[test]
fn a_udp_server_takes_these_steps() {
    assert_eq!(table(speak_in_packet, Udp, port), PACKETS);
}

#[test]
fn a_unix_stream_server_takes_these_steps() {
    assert_eq!(table(speak_on_stream, UnixStream, path), STREAMS);
}

#[test]
fn a_unix_datagram_server_takes_these_steps() {
    assert_eq!(table(speak_in_packet, UnixDatagram, path), PACKETS);
}

#[test]
fn a_threading_tcp_server_takes_these_steps() {
    assert_eq!(table(speak_on_stream, ThreadingTcp, port), STREAMS);
}

#[test]
fn a_threading_udp_server_takes_these_steps() {
    assert_eq!(table(speak_in_packet, ThreadingUdp, port), PACKETS);
}

#[test]
fn a_threading_unix_stream_server_takes_these_steps() {
    assert_eq!(table(speak_on_stream, ThreadingUnixStream, path), STREAMS);
}

#[test]
fn a_threading_unix_datagram_server_takes_these_steps() {
    assert_eq!(table(speak_in_packet, ThreadingUnixDatagram, path), PACKETS);
}

fn port(_: &Place) -> &'static str {
    "127.0.0.1:0"
}

fn path(place: &Place) -> PathBuf {
    place.path("server")
}

fn table<S, A>(speak: Speak, service: fn(Steps) -> S, address: fn(&Place) -> A) -> String
where
    S: SocketServer + Hooks<Request = <S::Transport as Transport>::Request>,
    A: Endpoint<S::Transport>,
{
    traced::table(&FAULTS, |fault| {
        let place = Place::new();
        let trace = Trace::new(place.path("trace"));
        let service = service(Steps::new(trace.clone(), fault));
        if fault == "get_request fails" {
            let running = bind_flaky(address(&place), service).expect("a server").start().expect("a thread for it");
            // Another thread would take the request of a client who is there at once.
            wait_until("the error is told", || trace.steps().len() == 1);
            let first = speak(running.local_address());
            steps(running, first, speak, &trace)
        } else {
            let server = Server::<S>::bind(address(&place), service).expect("a server");
            let first = speak(server.local_address());
            steps(server.start().expect("a thread for it"), first, speak, &trace)
        }
    })
}

fn steps<S, T, M>(running: Running<S, T, M>, first: Client, speak: Speak, trace: &Trace) -> [String; 2] {
    let have_ended = |requests| {
        let stats = running.stats();
        stats.finished + stats.failed + stats.refused == requests
    };
    let steps = two_requests(first, running.local_address(), speak, trace, have_ended);
    running.shutdown().expect("a server that ends well");
    steps
}
