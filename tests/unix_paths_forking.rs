//! Paths of Unix-domain sockets under `forking`: a child leaves them to its parent, however it ends.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net as unix;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitCode, ExitStatus};

use socketserver::{
    Address, Forking, Hooks, Iterative, MixIn, Reader, ShutdownHandle, Threading, Transport, Writer, handler,
    socket_server,
};
use support::{Place, Server, ask, ask_packet, wait_until};

/// Does to its child what the line says.
macro_rules! obedient {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, forking, hooks)]
        struct $name;

        impl Hooks for $name {
            fn child_exited(&self, _: u32, status: ExitStatus) {
                println!("exited {:?} {:?}", status.code(), status.signal());
            }
        }

        #[handler]
        impl $name {
            fn handle(&self, input: &mut Reader, output: &mut Writer, shutdown: &ShutdownHandle) -> io::Result<()> {
                match input.next_line()?.unwrap_or_default() {
                    "panic" => panic!("as asked"),
                    "exit" => process::exit(3),
                    "SIGABRT" => process::abort(),
                    "shutdown" => {
                        shutdown.shutdown();
                        writeln!(output, "asked")
                    }
                    line => writeln!(output, "{line}"),
                }
            }
        }
    )*};
}

obedient! {
    Stream: unix_stream;
    Packets: unix_datagram;
}

fn main() -> ExitCode {
    support::run(
        &[
            ("a_child_leaves_the_path_of_a_stream_server", a_child_leaves_the_path_of_a_stream_server),
            ("a_child_leaves_the_path_of_a_datagram_server", a_child_leaves_the_path_of_a_datagram_server),
            (
                "a_process_that_the_program_forks_leaves_the_path_and_the_listener",
                a_process_that_the_program_forks_leaves_the_path_and_the_listener,
            ),
        ],
        &[
            ("stream", || serve(Stream.bind(argument()))),
            ("packets", || serve(Packets.bind(argument()))),
            ("forked_by_the_program", forked_by_the_program::<Forking>),
            ("forked_by_the_program iterative", forked_by_the_program::<Iterative>),
            ("forked_by_the_program threading", forked_by_the_program::<Threading>),
        ],
    )
}

fn a_child_leaves_the_path_of_a_stream_server() {
    leaves_the_path("stream", |address, line| ask(address, line).unwrap_or_default());
}

fn a_child_leaves_the_path_of_a_datagram_server() {
    leaves_the_path("packets", |address, line| {
        let reply = match line {
            "hello" => ask_packet(address, format!("{line}\n").as_bytes()).unwrap(),
            // There is no reply to wait for.
            line => {
                let socket = unix::UnixDatagram::unbound().unwrap();
                let Address::Path(path) = address else { panic!("{address} is no path") };
                socket.send_to(line.as_bytes(), path).unwrap();
                Vec::new()
            }
        };
        String::from_utf8(reply).unwrap().trim_end().to_owned()
    });
}

fn leaves_the_path(name: &str, client: fn(&Address, &str) -> String) {
    let place = Place::new();
    let path = place.path("server");
    let mut server = Server::start(name, &[path.to_str().unwrap()]);
    let inode = fs::metadata(&path).unwrap().ino();
    for (line, reply, end) in [
        ("hello", "hello", "exited Some(0) None"),
        ("panic", "", "exited Some(1) None"),
        ("exit", "", "exited Some(3) None"),
        ("SIGABRT", "", "exited None Some(6)"),
        ("hello", "hello", "exited Some(0) None"),
    ] {
        assert_eq!(client(server.address(), line), reply);
        assert_eq!(server.line(), end);
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    }
    server.stop();
    assert!(!path.exists(), "the parent takes it away");
}

fn a_process_that_the_program_forks_leaves_the_path_and_the_listener() {
    for name in ["forked_by_the_program", "forked_by_the_program iterative", "forked_by_the_program threading"] {
        let place = Place::new();
        let path = place.path("server");
        let mut server = Server::start(name, &[path.to_str().unwrap()]);
        assert_eq!(server.line(), "still there: true");
        // It has begun to serve, and neither spins nor ends.
        wait_until("the server waits", || server.sleeps());
        assert_eq!(ask(server.address(), "hello").unwrap(), "hello", "{name}");
        assert_eq!(ask(server.address(), "shutdown").unwrap(), "asked");
        assert!(server.wait().0.success());
        assert!(!path.exists());
    }
}

fn forked_by_the_program<M: MixIn>() {
    let server = socketserver::Server::<Stream, socketserver::UnixStream, M>::bind(argument(), Stream).unwrap();
    support::serves(server.local_address());
    // SAFETY: this process has one thread, and the child drops a value and leaves.
    #[allow(unsafe_code, reason = "std cannot fork")]
    unsafe {
        match libc::fork() {
            0 => {
                drop(server);
                libc::_exit(0);
            }
            child => assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child),
        }
    }
    println!("still there: {}", fs::exists(argument()).unwrap());
    server.serve_forever().unwrap();
}

/// In the server process: serves until a signal.
fn serve<S, T>(server: io::Result<socketserver::Server<S, T, Forking>>)
where
    S: Hooks<Request = T::Request>,
    T: Transport,
{
    let server = server.unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}

fn argument() -> String {
    env::args().nth(3).expect("an address")
}
