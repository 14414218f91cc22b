//! System calls that signals interrupt: nothing is lost, nothing fails, and a timeout still comes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use socketserver::{Reader, Writer, handler, socket_server};
use support::{Stage, end_of, interrupt, this_thread, wait_until};

/// More than the kernel takes for a peer that does not read.
const FLOOD: usize = 16 << 20;

#[test]
fn signals_interrupt_neither_a_read_nor_a_write() {
    for timeout in [None, Some(Duration::from_secs(20))] {
        let stage = Stage::with(|builder| builder.read_timeout(timeout).write_timeout(timeout));
        let thread = stage.strings.run(|_| this_thread());

        let line = stage.strings.begin(|connection| connection.reader().next_line().unwrap().map(str::to_owned));
        interrupt(thread, 20);
        (&stage.client).write_all(b"hel").unwrap();
        interrupt(thread, 20);
        (&stage.client).write_all(b"lo\n").unwrap();
        assert_eq!(end_of(&line).as_deref(), Some("hello"));

        let sent = stage.strings.begin(|connection| connection.write_all(&pattern(FLOOD)));
        let mut received = vec![0; FLOOD];
        for part in received.chunks_mut(FLOOD / 8) {
            interrupt(thread, 5);
            (&stage.client).read_exact(part).unwrap();
        }
        end_of(&sent).unwrap();
        assert!(received == pattern(FLOOD));
    }
}

/// Bytes of which no two neighbouring kilobytes are the same.
fn pattern(length: usize) -> Vec<u8> {
    let numbers = 0..u32::try_from(length / 4).unwrap();
    numbers.flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// Waits for a line, and then floods.
#[socket_server(tcp)]
#[derive(Default)]
struct Interrupted {
    thread: Mutex<Option<libc::pid_t>>,
    errors: Mutex<Vec<ErrorKind>>,
}

#[handler]
impl Interrupted {
    fn handle(&self, input: &mut Reader, output: &mut Writer) {
        *self.thread.lock().unwrap() = Some(this_thread());
        let read = input.next_line().map(drop);
        let written = output.write_all(&vec![b'x'; FLOOD]);
        let errors = [read, written].map(|result| result.expect_err("the client does nothing").kind());
        self.errors.lock().unwrap().extend(errors);
    }
}

#[test]
fn signals_do_not_put_off_a_timeout() {
    let timeout = Duration::from_millis(200);
    let timeouts = Interrupted::default().builder().read_timeout(timeout).write_timeout(timeout);
    let deadline = Interrupted::default().builder().read_timeout(None).request_deadline(timeout);
    for server in [timeouts, deadline] {
        let running = server.bind("127.0.0.1:0").unwrap().start().unwrap();
        let client = TcpStream::connect(running.local_address()).unwrap();
        wait_until("both have timed out", || {
            if let Some(thread) = *running.service().thread.lock().unwrap() {
                interrupt(thread, 1);
            }
            running.stats().active == 0 && running.stats().finished == 1
        });
        assert_eq!(*running.service().errors.lock().unwrap(), [ErrorKind::TimedOut; 2]);
        running.shutdown().unwrap();
        drop(client);
    }
}
