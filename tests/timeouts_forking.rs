//! Timeouts under `forking`: of a read in a child, of `handle_request`, and the ticks of `service_interval`.

use std::io::{self, Write};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use socketserver::{Address, Builder, HandlerError, Hooks, Reader, handler, socket_server};
use support::{connect, run, serves};

/// Takes one line, and says what it is called for.
#[socket_server(tcp, forking, hooks)]
struct Talkative;

impl Hooks for Talkative {
    fn service_actions(&self) {
        println!("tick");
    }

    fn handle_timeout(&self) {
        println!("timeout");
    }

    fn handle_error(&self, error: &HandlerError, _: &Address) {
        println!("{error}");
    }

    fn child_exited(&self, _: u32, status: ExitStatus) {
        println!("{status}");
    }
}

#[handler]
impl Talkative {
    fn handle(&self, input: &mut Reader) -> io::Result<()> {
        input.next_line().map(drop)
    }
}

const MOMENT: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    run(
        &[
            ("a_silent_client_ends_with_the_read_timeout", a_silent_client_ends_with_the_read_timeout),
            ("service_actions_tick_without_traffic", service_actions_tick_without_traffic),
            ("handle_request_gives_up_after_its_timeout", handle_request_gives_up_after_its_timeout),
            ("the_longest_duration_is_for_ever", the_longest_duration_is_for_ever),
        ],
        &[
            ("impatient", || serve(Talkative.builder().read_timeout(MOMENT))),
            ("ticking", || serve(Talkative.builder().service_interval(MOMENT))),
            ("lonely", handle_requests),
            ("eternal", || serve(eternal())),
        ],
    )
}

fn a_silent_client_ends_with_the_read_timeout() {
    let mut server = support::Server::start("impatient", &[]);
    let silent = connect(server.address()).unwrap();
    assert_eq!(io::read_to_string(silent).unwrap(), "");
    let said = ["tick", "`handle` failed: nothing was received for 20ms (`read_timeout`)", "exit status: 1"];
    assert_eq!([(); 3].map(|()| server.line()), said);
    assert_eq!(server.stop(), "accepted 1, failed 1\n");
}

fn service_actions_tick_without_traffic() {
    let mut server = support::Server::start("ticking", &[]);
    assert_eq!([(); 3].map(|()| server.line()), ["tick"; 3]);
    assert_eq!(server.stop().replace("tick\n", ""), "accepted 0, failed 0\n");
}

fn handle_request_gives_up_after_its_timeout() {
    let (status, output) = support::Server::start("lonely", &[]).wait();
    assert!(status.success());
    // A shutdown is no timeout.
    assert_eq!(output, "timeout\nfalse\ntimeout\nfalse\nshutdown\nfalse\n");
}

fn the_longest_duration_is_for_ever() {
    let mut server = support::Server::start("eternal", &[]);
    writeln!(connect(server.address()).unwrap(), "hello").unwrap();
    assert_eq!([(); 2].map(|()| server.line()), ["tick", "exit status: 0"]);
    assert_eq!(server.stop(), "accepted 1, failed 0\n");
}

fn eternal() -> Builder<Talkative> {
    let builder = Talkative.builder().timeout(Duration::MAX).service_interval(Duration::MAX);
    builder.drain_timeout(Duration::MAX).read_timeout(Duration::MAX).request_deadline(Duration::MAX)
}

fn serve(builder: Builder<Talkative>) {
    let server = builder.bind("127.0.0.1:0").unwrap();
    server.shutdown_on_signals().unwrap();
    serves(server.local_address());
    server.serve_forever().unwrap();
    let stats = server.stats();
    println!("accepted {}, failed {}", stats.accepted, stats.failed);
}

fn handle_requests() {
    let server = Talkative.builder().timeout(MOMENT).bind("127.0.0.1:0").unwrap();
    serves(server.local_address());
    println!("{}", server.handle_request().unwrap());
    println!("{}", server.handle_request().unwrap());
    println!("shutdown");
    server.shutdown_handle().shutdown();
    println!("{}", server.handle_request().unwrap());
}
