//! The signal handler of a child comes between a system call that fails and whoever asks why.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::process::ExitCode;
use std::thread;

use signal_hook::low_level::raise;
use socketserver::{Connection, Forking, Server, Tcp, handler, socket_server, socket2};
use support::{connect, sleeps, this_thread, wait_until};

/// Waits for a line, while another thread has the signal come at a bad moment.
#[socket_server(tcp)]
struct Waiting;

#[handler]
impl Waiting {
    #[allow(clippy::unused_self, reason = "it has no state")]
    fn handle(&self, connection: &mut Connection) -> io::Result<()> {
        let (waiting, descriptor) = (this_thread(), connection.socket().as_raw_fd());
        let other = thread::spawn(move || {
            wait_until("the connection is idle", || sleeps(waiting));
            println!("errno is kept: {}", keeps_errno(descriptor));
            raise(libc::SIGTERM).unwrap();
        });
        println!("line: {:?}", connection.reader().next_line()?);
        other.join().expect("it does not panic");
        Ok(())
    }
}

fn main() -> ExitCode {
    support::run(
        &[("a_child_that_is_told_to_drain_keeps_errno", a_child_that_is_told_to_drain_keeps_errno)],
        &[("waiting", serve)],
    )
}

fn a_child_that_is_told_to_drain_keeps_errno() {
    let mut server = support::Server::start("waiting", &[]);
    let _client = connect(server.address()).unwrap();
    assert_eq!(server.line(), "errno is kept: true");
    // It was idle, so this is what the signal does where the socket is in order.
    assert_eq!(server.line(), "line: None");
    server.stop();
}

/// Tells this process to drain, just after a call has failed, and while its connection is one that shutdown(2) fails
/// on, as on one that the peer has reset.
#[allow(unsafe_code, reason = "std neither replaces a descriptor nor fails as asked")]
fn keeps_errno(connection: RawFd) -> bool {
    let unconnected = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // SAFETY: the connection is open, for its handler waits; what waits for its input does so on.
    let (kept, errno) = unsafe {
        let kept = libc::dup(connection);
        assert_eq!(libc::dup2(unconnected.as_raw_fd(), connection), connection);
        libc::close(-1);
        raise(libc::SIGTERM).unwrap();
        (kept, io::Error::last_os_error())
    };
    // SAFETY: it was made just now.
    let kept: OwnedFd = unsafe { std::os::fd::FromRawFd::from_raw_fd(kept) };
    // SAFETY: both are open.
    assert_eq!(unsafe { libc::dup2(kept.as_raw_fd(), connection) }, connection);
    errno.raw_os_error() == Some(libc::EBADF)
}

fn serve() {
    let server = Server::<Waiting, Tcp, Forking>::bind("127.0.0.1:0", Waiting).unwrap();
    server.shutdown_on_signals().unwrap();
    support::serves(server.local_address());
    server.serve_forever().unwrap();
}
