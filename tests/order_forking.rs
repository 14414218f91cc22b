//! The order of the steps of a request, and what follows each failure, in the four forking servers.
//!
//! As in `order.rs`; `child_exited` comes with the exit code of the child. A request that is refused has no child.

mod flaky;
#[path = "order/traced.rs"]
mod traced;

use std::env;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use socketserver::{
    Address, BoxError, Endpoint, HandlerError, Hooks, MixIn, Reader, SocketServer, Transport, Writer, handler,
    socket_server,
};
use support::{Place, Server, run, serves};
use traced::{FAULTS, Speak, Steps, Trace, bind_flaky, speak_in_packet, speak_on_stream, traced, two_requests};

/// Of `tcp` and `unix_stream`. From `setup` to `handle_error` the steps are the child's.
const STREAMS: &str = "
none                              | verify_request service_actions setup handle finish client:reply client:end child_exited(0)
get_request fails                 | accept_error(ConnectionAborted) verify_request service_actions setup handle finish client:reply client:end child_exited(0)
setup fails                       | verify_request service_actions setup handle_error(setup) client:end child_exited(1)
setup panics                      | verify_request service_actions setup handle_error(setup panicked) client:end child_exited(1)
handle fails                      | verify_request service_actions setup handle finish handle_error(handle) client:reply client:end child_exited(1)
handle panics                     | verify_request service_actions setup handle finish handle_error(handle panicked) client:reply client:end child_exited(1)
finish fails                      | verify_request service_actions setup handle finish handle_error(finish) client:reply client:end child_exited(1)
finish panics                     | verify_request service_actions setup handle finish handle_error(finish panicked) client:reply client:end child_exited(1)
handle fails, finish fails        | verify_request service_actions setup handle finish handle_error(handle+finish) client:reply client:end child_exited(1)
handle fails, handle_error panics | verify_request service_actions setup handle finish handle_error(handle) client:reply client:end child_exited(1)
verify_request fails              | verify_request service_actions client:end
verify_request panics             | verify_request service_actions client:end
service_actions panics            | verify_request service_actions setup handle finish client:reply client:end child_exited(0)
handle exits                      | verify_request service_actions setup handle client:end child_exited(7)
handle aborts                     | verify_request service_actions setup handle client:end child_exited(signal 6)
";

/// Of `udp` and `unix_datagram`: a reply is sent only if nothing failed.
const PACKETS: &str = "
none                              | verify_request service_actions setup handle finish client:reply child_exited(0)
get_request fails                 | accept_error(ConnectionAborted) verify_request service_actions setup handle finish client:reply child_exited(0)
setup fails                       | verify_request service_actions setup handle_error(setup) client:nothing child_exited(1)
setup panics                      | verify_request service_actions setup handle_error(setup panicked) client:nothing child_exited(1)
handle fails                      | verify_request service_actions setup handle finish handle_error(handle) client:nothing child_exited(1)
handle panics                     | verify_request service_actions setup handle finish handle_error(handle panicked) client:nothing child_exited(1)
finish fails                      | verify_request service_actions setup handle finish handle_error(finish) client:nothing child_exited(1)
finish panics                     | verify_request service_actions setup handle finish handle_error(finish panicked) client:nothing child_exited(1)
handle fails, finish fails        | verify_request service_actions setup handle finish handle_error(handle+finish) client:nothing child_exited(1)
handle fails, handle_error panics | verify_request service_actions setup handle finish handle_error(handle) client:nothing child_exited(1)
verify_request fails              | verify_request service_actions client:nothing
verify_request panics             | verify_request service_actions client:nothing
service_actions panics            | verify_request service_actions setup handle finish client:reply child_exited(0)
handle exits                      | verify_request service_actions setup handle client:nothing child_exited(7)
handle aborts                     | verify_request service_actions setup handle client:nothing child_exited(signal 6)
";

traced! {
    ForkingTcp: tcp, forking;
    ForkingUdp: udp, forking;
    ForkingUnixStream: unix_stream, forking;
    ForkingUnixDatagram: unix_datagram, forking;
}

fn main() -> ExitCode {
    run(
        &[
            ("a_forking_tcp_server_takes_these_steps", || assert_eq!(table(speak_on_stream, "tcp"), STREAMS)),
            ("a_forking_udp_server_takes_these_steps", || assert_eq!(table(speak_in_packet, "udp"), PACKETS)),
            ("a_forking_unix_stream_server_takes_these_steps", || {
                assert_eq!(table(speak_on_stream, "unix_stream"), STREAMS);
            }),
            ("a_forking_unix_datagram_server_takes_these_steps", || {
                assert_eq!(table(speak_in_packet, "unix_datagram"), PACKETS);
            }),
        ],
        &[
            ("tcp", || serve(ForkingTcp, |_| "127.0.0.1:0".to_owned())),
            ("udp", || serve(ForkingUdp, |_| "127.0.0.1:0".to_owned())),
            ("unix_stream", || serve(ForkingUnixStream, |path| path)),
            ("unix_datagram", || serve(ForkingUnixDatagram, |path| path)),
        ],
    )
}

fn table(speak: Speak, server: &str) -> String {
    // A process of its own may end otherwise than by a return.
    let faults = [&FAULTS[..], &["handle exits", "handle aborts"]].concat();
    traced::table(&faults, |fault| {
        let place = Place::new();
        let trace = Trace::new(place.path("trace"));
        let path = |name| place.path(name).into_os_string().into_string().expect("a path in ASCII");
        let mut server = Server::start(server, &[fault, &path("trace"), &path("server")]);
        let first = speak(server.address());
        writeln!(server.input(), "serve").expect("a server that waits for it");
        // The steps of one request are taken off before the next, so there is only one end to wait for.
        let has_ended = |request| {
            let last =
                if request == 1 && fault.starts_with("verify_request") { "service_actions" } else { "child_exited" };
            trace.steps().iter().any(|step| step.starts_with(last))
        };
        let steps = two_requests(first, server.address(), speak, &trace, has_ended);
        server.stop();
        steps
    })
}

fn serve<S, A>(service: fn(Steps) -> S, address: fn(String) -> A)
where
    S: SocketServer + Hooks<Request = <S::Transport as Transport>::Request>,
    A: Endpoint<S::Transport>,
{
    let arguments: Vec<String> = env::args().skip(3).collect();
    let [fault, trace, path] = &arguments[..] else { panic!("a fault, a trace and a path") };
    let service = service(Steps::new(Trace::new(trace.into()), fault));
    let address = address(path.clone());
    if fault == "get_request fails" {
        serve_until_a_signal(bind_flaky(address, service));
    } else {
        serve_until_a_signal(socketserver::Server::<S>::bind(address, service));
    }
}

fn serve_until_a_signal<S, T, M>(server: io::Result<socketserver::Server<S, T, M>>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
    M: MixIn,
{
    let server = server.expect("a server");
    server.shutdown_on_signals().expect("handlers of signals");
    serves(server.local_address());
    io::stdin().read_line(&mut String::new()).expect("the word to begin");
    server.serve_forever().expect("a server that ends well");
}
