//! Timeouts: of a read, of a write, of a whole request, of `handle_request`, and the ticks of `service_interval`.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use socketserver::{
    Address, Connection, HandlerError, Hooks, Iterative, MixIn, Reader, Server, Tcp, Threading, Transport, Writer,
    handler, socket_server,
};
use support::{ask, connect, wait_until};

/// More than the kernel takes for a peer that does not read.
const FLOOD: usize = 16 << 20;

/// Echoes lines; `flood` is answered with one.
#[socket_server(tcp, threading, hooks)]
#[derive(Default)]
struct Echo {
    errors: Mutex<Vec<(ErrorKind, String)>>,
    timeouts: AtomicUsize,
    ticks: AtomicUsize,
}

impl Hooks for Echo {
    fn handle_error(&self, error: &HandlerError, _: &Address) {
        let source = std::error::Error::source(error).unwrap().downcast_ref::<io::Error>().unwrap();
        self.errors.lock().unwrap().push((source.kind(), source.to_string()));
    }

    fn handle_timeout(&self) {
        self.timeouts.fetch_add(1, SeqCst);
    }

    fn service_actions(&self) {
        self.ticks.fetch_add(1, SeqCst);
    }
}

#[handler]
impl Echo {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            match line {
                "flood" => output.write_all(&vec![b'x'; FLOOD])?,
                line => writeln!(output, "{line}")?,
            }
        }
        Ok(())
    }
}

impl Echo {
    /// The one error that there was: a `TimedOut` that names the option.
    #[track_caller]
    fn timed_out_because_of(&self, option: &str) {
        let errors = self.errors.lock().unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].0, ErrorKind::TimedOut);
        assert!(errors[0].1.contains(&format!("`{option}`")), "{}", errors[0].1);
    }
}

#[test]
fn a_silent_client_ends_with_the_read_timeout() {
    ends_with_the_read_timeout::<Iterative>();
    ends_with_the_read_timeout::<Threading>();
}

fn ends_with_the_read_timeout<M: MixIn>() {
    let running = Server::<Echo, Tcp, M>::builder(Echo::default()).read_timeout(Duration::from_millis(500));
    let running = running.bind("127.0.0.1:0").unwrap().start().unwrap();
    let silent = connect(running.local_address()).unwrap();
    // The others are served meanwhile, or where one waits for the other, after it.
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    assert_eq!(io::read_to_string(silent).unwrap(), "");
    wait_until("both are gone", || running.stats().active == 0);
    running.service().timed_out_because_of("read_timeout");
    running.shutdown().unwrap();
}

#[test]
fn a_client_that_talks_outlasts_the_read_timeout_that_ends_a_silent_one() {
    let running = Echo::default().builder().read_timeout(Duration::from_millis(500)).bind("127.0.0.1:0").unwrap();
    let running = running.start().unwrap();
    let mut client = connect(running.local_address()).unwrap();
    let mut talk = || {
        client.write_all(b"x\n").unwrap();
        let mut reply = [0; 2];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"x\n");
    };
    talk();
    let silent = connect(running.local_address()).unwrap();
    let mut exchanges = 0;
    wait_until("the silent one has failed", || {
        talk();
        exchanges += 1;
        running.stats().failed > 0
    });
    // The silent one, who came later, is gone, and this one is still there; neither has kept the other waiting.
    assert_eq!(io::read_to_string(silent).unwrap(), "");
    talk();
    assert!(exchanges > 1);
    running.service().timed_out_because_of("read_timeout");
    drop(client);
    running.shutdown().unwrap();
}

#[test]
fn after_a_read_timeout_a_handler_may_read_on_and_has_lost_nothing() {
    /// Waits for a line however long it takes.
    #[socket_server(tcp, read_timeout = Duration::from_millis(50))]
    struct Patient;

    #[handler]
    impl Patient {
        fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
            // The beginning of the line is there before the time is up.
            while input.fill_buf().is_err_and(|error| error.kind() == ErrorKind::TimedOut) {}
            let error = input.next_line().expect_err("the line is not whole");
            writeln!(output, "{:?}", error.kind())?;
            output.flush()?;
            let line = loop {
                match input.next_line() {
                    Err(error) if error.kind() == ErrorKind::TimedOut => {}
                    line => break line?.unwrap_or_default().to_owned(),
                }
            };
            writeln!(output, "{line}")
        }
    }

    let running = Patient.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = BufReader::new(connect(running.local_address()).unwrap());
    let mut reply = String::new();
    client.get_mut().write_all(b"hel").unwrap();
    client.read_line(&mut reply).unwrap();
    client.get_mut().write_all(b"lo\n").unwrap();
    client.read_line(&mut reply).unwrap();
    assert_eq!(reply, "TimedOut\nhello\n");
    running.shutdown().unwrap();
}

#[test]
fn a_client_that_never_reads_ends_with_the_write_timeout() {
    let running = Echo::default().builder().write_timeout(Duration::from_millis(200)).bind("127.0.0.1:0").unwrap();
    let running = running.start().unwrap();
    let mut client = TcpStream::connect(running.local_address().socket_addr().unwrap()).unwrap();
    writeln!(client, "flood").unwrap();
    // The others do not notice.
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    wait_until("it is gone", || running.stats().failed == 1);
    running.service().timed_out_because_of("write_timeout");
    running.shutdown().unwrap();
}

#[test]
fn a_client_that_reads_slowly_outlasts_the_write_timeout_that_ends_one_that_never_reads() {
    let running = Echo::default().builder().write_timeout(Duration::from_millis(500)).bind("127.0.0.1:0").unwrap();
    let running = running.start().unwrap();
    let [mut slow, _never] = [(); 2].map(|()| {
        let mut client = TcpStream::connect(running.local_address()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        writeln!(client, "flood").unwrap();
        client
    });
    let mut received = 0;
    wait_until("the other has failed", || {
        received += slow.read(&mut [0; 4_096]).unwrap();
        running.stats().failed > 0
    });
    assert!(received < FLOOD, "it was not slow");
    slow.shutdown(Shutdown::Write).unwrap();
    assert_eq!(received as u64 + io::copy(&mut slow, &mut io::sink()).unwrap(), FLOOD as u64);
    running.service().timed_out_because_of("write_timeout");
    running.shutdown().unwrap();
}

#[test]
fn a_trickler_ends_with_the_request_deadline() {
    const READ_TIMEOUT: Duration = Duration::from_millis(800);

    let server = Echo::default().builder().read_timeout(READ_TIMEOUT).request_deadline(READ_TIMEOUT * 2);
    let running = server.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut trickler = TcpStream::connect(running.local_address().socket_addr().unwrap()).unwrap();
    trickler.set_read_timeout(Some(READ_TIMEOUT / 2)).unwrap();
    let mut bytes = 0;
    // Each byte in time, and never a whole line.
    while trickler.write_all(b"x").is_ok() {
        bytes += 1;
        assert!(bytes < 100, "nobody ends it");
        assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
        match trickler.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    assert!(bytes > 2, "it was ended after {bytes} bytes");
    wait_until("it is gone", || running.stats().failed == 1);
    running.service().timed_out_because_of("request_deadline");
    running.shutdown().unwrap();
}

#[test]
fn the_request_deadline_is_for_writes_too() {
    let server = Echo::default().builder().request_deadline(Duration::from_millis(400));
    let running = server.bind("127.0.0.1:0").unwrap().start().unwrap();
    let mut client = TcpStream::connect(running.local_address().socket_addr().unwrap()).unwrap();
    writeln!(client, "flood").unwrap();
    wait_until("it is gone", || running.stats().failed == 1);
    running.service().timed_out_because_of("request_deadline");
    running.shutdown().unwrap();
}

#[test]
fn handle_request_gives_up_after_its_timeout() {
    gives_up::<Iterative>();
    gives_up::<Threading>();
}

fn gives_up<M: MixIn>() {
    let server = Server::<Echo, Tcp, M>::builder(Echo::default()).timeout(Duration::from_millis(20));
    let server = server.bind("127.0.0.1:0").unwrap();
    for times in 1..=2 {
        assert!(!server.handle_request().unwrap());
        assert_eq!(server.service().timeouts.load(SeqCst), times);
    }
    // A shutdown is no timeout.
    server.shutdown_handle().shutdown();
    assert!(!server.handle_request().unwrap());
    assert_eq!(server.service().timeouts.load(SeqCst), 2);
}

/// Gives the socket a timeout of its own, and tells the error.
#[socket_server(tcp, read_timeout = None)]
struct Own;

#[handler]
impl Own {
    fn handle(&self, connection: &mut Connection) -> io::Result<()> {
        connection.socket().set_read_timeout(Some(Duration::from_millis(10)))?;
        let error = connection.reader().next_line().unwrap_err();
        write!(connection, "{:?} {error}", error.kind())
    }
}

#[test]
fn a_timeout_that_the_handler_has_set_is_not_told_as_an_option() {
    let running = Own.bind("127.0.0.1:0").unwrap().start().unwrap();
    let told = io::read_to_string(connect(running.local_address()).unwrap()).unwrap();
    assert_eq!(told, format!("WouldBlock {}", io::Error::from_raw_os_error(libc::EAGAIN)));
}

#[test]
fn the_longest_duration_is_for_ever() {
    is_for_ever::<Iterative>();
    is_for_ever::<Threading>();
}

fn is_for_ever<M: MixIn>() {
    let bind = || {
        Server::<Echo, Tcp, M>::builder(Echo::default())
            .timeout(Duration::MAX)
            .service_interval(Duration::MAX)
            .drain_timeout(Duration::MAX)
            .read_timeout(Duration::MAX)
            .write_timeout(Duration::MAX)
            .request_deadline(Duration::MAX)
            .bind("127.0.0.1:0")
            .unwrap()
    };
    let running = bind().start().unwrap();
    assert_eq!(ask(running.local_address(), "hello").unwrap(), "hello");
    running.shutdown().unwrap();

    let server = bind();
    thread::scope(|scope| {
        let asks = scope.spawn(|| ask(server.local_address(), "hello"));
        assert!(server.handle_request().unwrap());
        assert_eq!(asks.join().unwrap().unwrap(), "hello");
    });
}

#[test]
fn service_actions_tick_without_traffic() {
    ticks::<Iterative>();
    ticks::<Threading>();
}

fn ticks<M: MixIn>() {
    let server = Server::<Echo, Tcp, M>::builder(Echo::default()).service_interval(Duration::from_millis(5));
    let running = server.bind("127.0.0.1:0").unwrap().start().unwrap();
    wait_until("there are three ticks", || running.service().ticks.load(SeqCst) >= 3);
    assert_eq!(running.stats().accepted, 0);
    running.shutdown().unwrap();
}

#[socket_server(tcp, threading, read_timeout = Duration::from_millis(200))]
struct Commands;

#[handler]
impl Commands {
    #[command]
    fn echo(&self, word: &str) -> String {
        word.to_owned()
    }
}

#[test]
fn silence_between_two_messages_is_an_end_and_within_one_an_error() {
    let server = Commands.bind("127.0.0.1:0").unwrap().start().unwrap();
    for (sent, replies, failed) in [("", "", 0), ("echo a\necho b\n", "a\nb\n", 0), ("echo a\nech", "a\n", 1)] {
        let mut client = connect(server.local_address()).unwrap();
        client.write_all(sent.as_bytes()).unwrap();
        let mut received = String::new();
        client.read_to_string(&mut received).unwrap();
        assert_eq!(received, replies);
        wait_until("the connection is counted", || server.stats().active == 0);
        assert_eq!(server.stats().failed, failed, "{sent}");
    }
    server.shutdown().unwrap();
}

/// Tells how long its reads wait: the option as the socket has it.
macro_rules! tells_its_timeout {
    ($($name:ident: [$($argument:tt)+])*) => {$(
        #[socket_server($($argument)+)]
        struct $name;

        #[handler]
        impl $name {
            fn handle(&self, connection: &mut Connection) -> io::Result<()> {
                let timeout = connection.socket().read_timeout()?;
                writeln!(connection, "{timeout:?}")
            }
        }
    )*};
}

tells_its_timeout! {
    OneByOne: [tcp, iterative]
    Patient: [tcp, iterative, read_timeout = None]
    Crowd: [tcp, threading]
}

#[test]
fn an_iterative_server_has_a_read_timeout() {
    fn timeout<S, T: Transport, M>(server: io::Result<Server<S, T, M>>) -> String {
        let server = server.unwrap().start().unwrap();
        ask(server.local_address(), "").unwrap()
    }
    assert_eq!(timeout(OneByOne.bind("127.0.0.1:0")), "Some(60s)");
    assert_eq!(timeout(OneByOne.builder().read_timeout(Duration::from_secs(7)).bind("127.0.0.1:0")), "Some(7s)");
    assert_eq!(timeout(OneByOne.builder().read_timeout(None).bind("127.0.0.1:0")), "None");
    assert_eq!(timeout(Patient.bind("127.0.0.1:0")), "None");
    assert_eq!(timeout(Crowd.bind("127.0.0.1:0")), "None");
}
