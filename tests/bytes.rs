//! Every byte arrives, once and in order, however it is split, gathered, interrupted or cut short.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream as Client;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socket2::{Domain, Socket, Type};
use socketserver::{Connection, Running, handler, socket_server};
use support::{Place, sleeps, this_thread, wait_until};

/// One thing for the handler to do.
type Step = Box<dyn FnOnce(&mut Connection) + Send>;

/// Does with its only connection what the test says, step by step.
macro_rules! puppets {
    ($($name:ident: $transport:ident;)*) => {$(
        #[socket_server($transport, threading)]
        struct $name(Mutex<Receiver<Step>>);

        #[handler]
        impl $name {
            fn handle(&self, connection: &mut Connection) {
                let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                while let Ok(step) = steps.recv() {
                    step(connection);
                }
            }
        }
    )*};
}

puppets! {
    Tcp: tcp;
    UnixStream: unix_stream;
}

/// The test's hold on the handler; when it is dropped, the handler returns.
struct Strings(Sender<Step>);

impl Strings {
    fn new() -> (Mutex<Receiver<Step>>, Self) {
        let (strings, steps) = channel();
        (Mutex::new(steps), Self(strings))
    }

    /// Has the handler do something that takes a while.
    fn begin<R: Send + 'static>(&self, step: impl FnOnce(&mut Connection) -> R + Send + 'static) -> Receiver<R> {
        let (done, result) = channel();
        let step = move |connection: &mut Connection| {
            // The test may have failed meanwhile.
            let _ = done.send(step(connection));
        };
        self.0.send(Box::new(step)).expect("the handler runs");
        result
    }

    fn run<R: Send + 'static>(&self, step: impl FnOnce(&mut Connection) -> R + Send + 'static) -> R {
        end_of(&self.begin(step))
    }
}

fn end_of<R>(step: &Receiver<R>) -> R {
    step.recv_timeout(PATIENCE).expect("the step is done")
}

/// A server with these options, a client and the strings; in this order they are dropped.
struct Stage {
    client: Client,
    strings: Strings,
    server: Running<UnixStream>,
    _place: Place,
}

impl Stage {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(options: impl FnOnce(socketserver::Builder<UnixStream>) -> socketserver::Builder<UnixStream>) -> Self {
        let place = Place::new();
        let (steps, strings) = Strings::new();
        let server = options(UnixStream(steps).builder()).bind(place.path("server")).unwrap().start().unwrap();
        let client = Client::connect(place.path("server")).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { client, strings, server, _place: place }
    }

    /// Sends, and waits until the server has received every byte of it.
    fn send_alone(&self, bytes: &[u8]) {
        (&self.client).write_all(bytes).unwrap();
        while unread(&self.client) > 0 {
            thread::yield_now();
        }
    }

    /// What has arrived just now.
    fn arrived(&self) -> Vec<u8> {
        let mut buffer = [0; 4_096];
        self.client.set_nonblocking(true).unwrap();
        let result = (&self.client).read(&mut buffer);
        self.client.set_nonblocking(false).unwrap();
        match result {
            Ok(length) => buffer[..length].to_vec(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                Vec::new()
            }
        }
    }
}

/// What was sent on a Unix-domain socket and not yet read by the other side.
fn unread(client: &Client) -> libc::c_int {
    let mut bytes = 0;
    // SAFETY: TIOCOUTQ writes an `int`; see unix(7).
    #[allow(unsafe_code, reason = "std does not know the question")]
    let result = unsafe { libc::ioctl(client.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    assert_eq!(result, 0);
    bytes
}

const PATIENCE: Duration = Duration::from_secs(20);

/// A line, or why there was none.
type Line = Result<Vec<u8>, ErrorKind>;

fn next_line(connection: &mut Connection) -> Option<Line> {
    connection.reader().next_line_bytes().map(|line| line.map(<[u8]>::to_vec)).map_err(|error| error.kind()).transpose()
}

fn all_lines(connection: &mut Connection) -> Vec<Line> {
    std::iter::from_fn(|| next_line(connection)).collect()
}

/// The lines of a whole input, as they should be.
fn split(input: &[u8], max_line: usize) -> Vec<Line> {
    let lines = input.split_inclusive(|byte| *byte == b'\n').map(|line| match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] | line => line,
    });
    lines.map(|line| if line.len() <= max_line { Ok(line.to_vec()) } else { Err(ErrorKind::InvalidData) }).collect()
}

/// Input in pieces: line endings are as frequent as other bytes.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(select(b"\n\n\n\r\r\rab\xff\0".to_vec()), 1..12), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_the_same_however_the_input_is_split(
        pieces in pieces(), read_buffer in 1_usize..20, max_line in 1_usize..20
    ) {
        let stage = Stage::with(|builder| builder.read_buffer(read_buffer).max_line(max_line));
        let lines = stage.strings.begin(all_lines);
        for piece in &pieces {
            stage.send_alone(piece);
        }
        stage.client.shutdown(Shutdown::Write).unwrap();
        prop_assert_eq!(end_of(&lines), split(&pieces.concat(), max_line));
    }

    #[test]
    fn lines_and_reads_take_turns_and_lose_nothing(
        pieces in pieces(),
        read_buffer in 1_usize..20,
        mut calls in vec(prop_oneof![Just(Call::Line), (1_usize..30).prop_map(Call::Read), (0_usize..30).prop_map(Call::Fill)], 0..20),
    ) {
        let stage = Stage::with(|builder| builder.read_buffer(read_buffer).max_line(1_000));
        // Around and around, with one call at least that takes something, until one says that this is the end.
        calls.push(Call::Line);
        let outcomes = stage.strings.begin(move |connection| {
            calls.into_iter().cycle().map_while(|call| call.make(connection)).collect::<Vec<_>>()
        });
        for piece in &pieces {
            stage.send_alone(piece);
        }
        stage.client.shutdown(Shutdown::Write).unwrap();
        let input = pieces.concat();
        let mut rest = &input[..];
        for outcome in end_of(&outcomes) {
            let taken = match &outcome {
                Taken::Line(line) => {
                    let ending = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |lf| lf + 1);
                    prop_assert_eq!(vec![Ok(line.clone())], split(&rest[..ending], 1_000));
                    ending
                }
                Taken::Bytes(bytes) => {
                    prop_assert!(rest.starts_with(bytes), "{:?} is no start of {:?}", bytes, rest);
                    bytes.len()
                }
            };
            rest = &rest[taken..];
        }
        prop_assert_eq!(rest, b"");
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Line,
    Read(usize),
    /// `fill_buf`, of which so much is consumed.
    Fill(usize),
}

#[derive(Debug)]
enum Taken {
    Line(Vec<u8>),
    Bytes(Vec<u8>),
}

impl Call {
    /// `None` at the end of the input.
    fn make(self, connection: &mut Connection) -> Option<Taken> {
        match self {
            Self::Line => next_line(connection).map(|line| Taken::Line(line.unwrap())),
            Self::Read(size) => {
                let mut buffer = vec![0; size];
                let length = connection.read(&mut buffer).unwrap();
                buffer.truncate(length);
                (length > 0).then_some(Taken::Bytes(buffer))
            }
            Self::Fill(amount) => {
                let waiting = connection.fill_buf().unwrap();
                let taken = waiting[..amount.min(waiting.len())].to_vec();
                let at_end = waiting.is_empty();
                connection.consume(taken.len());
                (!at_end).then_some(Taken::Bytes(taken))
            }
        }
    }
}

#[test]
fn max_line_is_exact_with_every_buffer_and_ending() {
    const MAX_LINE: usize = 8;
    for read_buffer in 1..=2 * MAX_LINE + 4 {
        for ending in ["\n", "\r\n"] {
            for length in [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2, 10 * MAX_LINE] {
                let long = "x".repeat(length);
                let input = format!("{long}{ending}next{ending}{long}");
                let expected = |line: &str| {
                    if line.len() <= MAX_LINE { Ok(line.as_bytes().to_vec()) } else { Err(ErrorKind::InvalidData) }
                };
                let stage = Stage::with(|builder| builder.read_buffer(read_buffer).max_line(MAX_LINE));
                let lines = stage.strings.begin(all_lines);
                for byte in input.as_bytes().chunks(1 + length % 3) {
                    stage.send_alone(byte);
                }
                stage.client.shutdown(Shutdown::Write).unwrap();
                let what = format!("read_buffer {read_buffer}, a line of {length}, {ending:?}");
                assert_eq!(end_of(&lines), [expected(&long), expected("next"), expected(&long)], "{what}");
            }
        }
    }
}

#[test]
fn a_line_that_is_not_utf8_is_passed_over() {
    let stage = Stage::new();
    (&stage.client).write_all(b"before\n\xff\xfe\r\nafter\n").unwrap();
    let lines = stage.strings.run(|connection| {
        [(); 3]
            .map(|()| connection.reader().next_line().map_err(|error| error.kind()).map(|line| line.map(str::to_owned)))
    });
    assert_eq!(lines, [Ok(Some("before".into())), Err(ErrorKind::InvalidData), Ok(Some("after".into()))]);
}

#[test]
fn an_endless_line_takes_no_more_memory_than_the_longest() {
    for (read_buffer, max_line) in [(512, 1_000), (100_000, 1_000)] {
        takes_no_more_memory_than(read_buffer + max_line, read_buffer, max_line);
    }
}

#[test]
fn an_endless_line_takes_no_more_memory_than_the_longest_by_default() {
    takes_no_more_memory_than(8_192 + 65_536, 8_192, 65_536);
}

fn takes_no_more_memory_than(bound: usize, read_buffer: usize, max_line: usize) {
    let stage = Stage::with(|builder| builder.read_buffer(read_buffer).max_line(max_line));
    let lines = stage.strings.begin(|connection| {
        LARGEST.set(0);
        (all_lines(connection), LARGEST.get())
    });
    for _ in 0..64 {
        (&stage.client).write_all(&vec![b'x'; 65_536]).unwrap();
    }
    (&stage.client).write_all(b"\nnext\n").unwrap();
    stage.client.shutdown(Shutdown::Write).unwrap();
    let (lines, largest) = end_of(&lines);
    assert_eq!(lines, [Err(ErrorKind::InvalidData), Ok(b"next".to_vec())]);
    assert!(largest <= bound, "{largest} bytes at once for a line of {max_line}");
}

thread_local! {
    /// The largest piece of memory that this thread has asked for.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Watched;

// SAFETY: all is left to the system's allocator.
#[allow(unsafe_code, reason = "the trait is")]
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(size));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// How often the handler of `SIGUSR1` has run.
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn signals_interrupt_neither_a_read_nor_a_write() {
    interrupt_system_calls();
    for timeout in [None, Some(PATIENCE)] {
        let stage = Stage::with(|builder| builder.read_timeout(timeout).write_timeout(timeout));
        let thread = stage.strings.run(|_| this_thread());

        let line = stage.strings.begin(next_line);
        interrupt(thread, 20);
        (&stage.client).write_all(b"hel").unwrap();
        interrupt(thread, 20);
        (&stage.client).write_all(b"lo\n").unwrap();
        assert_eq!(end_of(&line), Some(Ok(b"hello".to_vec())));

        let sent = stage.strings.begin(|connection| connection.write_all(&pattern(16 << 20)));
        let mut received = vec![0; 16 << 20];
        for part in received.chunks_mut(2 << 20) {
            interrupt(thread, 5);
            (&stage.client).read_exact(part).unwrap();
        }
        end_of(&sent).unwrap();
        assert!(received == pattern(16 << 20));
    }
}

/// Has `SIGUSR1` do nothing but interrupt, without `SA_RESTART`.
#[allow(unsafe_code, reason = "std does not know signals")]
fn interrupt_system_calls() {
    extern "C" fn count(_: libc::c_int) {
        SIGNALS.fetch_add(1, SeqCst);
    }
    // SAFETY: an all-zero `sigaction` is a valid one: no flags, an empty mask. `count` is safe in a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as *const () as libc::sighandler_t;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    }
}

/// Sends signals to a thread, each while it waits in a system call.
fn interrupt(thread: libc::pid_t, times: usize) {
    for _ in 0..times {
        let before = SIGNALS.load(SeqCst);
        wait_until("the handler waits", || sleeps(thread));
        // SAFETY: tgkill(2) takes any numbers, and this thread is one of ours.
        #[allow(unsafe_code, reason = "std cannot send signals")]
        let result = unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR1) };
        assert_eq!(result, 0);
        wait_until("the signal has arrived", || SIGNALS.load(SeqCst) > before);
    }
}

/// Bytes of which no two neighbouring kilobytes are the same.
fn pattern(length: usize) -> Vec<u8> {
    let numbers = 0..u32::try_from(length / 4).unwrap();
    numbers.flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// Takes no more than some kilobytes at once.
fn slow_client(server: std::net::SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8_192).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

#[test]
fn a_client_that_has_ended_its_side_still_gets_the_reply() {
    let stage = Stage::new();
    (&stage.client).write_all(b"question").unwrap();
    stage.client.shutdown(Shutdown::Write).unwrap();
    let whole = stage.strings.run(|connection| {
        let mut whole = String::new();
        connection.read_to_string(&mut whole).unwrap();
        // Here the end of the input is known, and the reply is only begun.
        write!(connection, "{} bytes", whole.len()).unwrap();
        whole
    });
    assert_eq!(whole, "question");
    assert_eq!(stage.arrived(), b"");
    stage.strings.run(Write::flush).unwrap();
    let mut reply = [0; 7];
    (&stage.client).read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"8 bytes");
}

#[test]
fn a_reply_is_not_lost_to_input_that_nobody_reads() {
    const LENGTH: usize = 200_000;
    for _ in 0..3 {
        let (steps, strings) = Strings::new();
        let server = Tcp(steps).bind("127.0.0.1:0").unwrap().start().unwrap();
        let client = slow_client(server.local_address().socket_addr().unwrap());
        (&client).write_all(&vec![b'q'; 20_000]).unwrap();
        let sent = strings.begin(|connection| connection.write_all(&pattern(LENGTH)));
        // The handler returns as soon as it has written.
        drop(strings);
        thread::scope(|scope| {
            scope.spawn(|| (&client).write_all(&vec![b'q'; LENGTH - 20_000]).expect("all of the question is taken"));
            let mut reply = Vec::new();
            (&client).read_to_end(&mut reply).expect("an end, and no reset");
            assert!(reply == pattern(LENGTH));
        });
        end_of(&sent).unwrap();
        assert!(client.take_error().unwrap().is_none());
    }
}

#[test]
fn replies_to_pipelined_requests_leave_together() {
    let stage = Stage::new();
    (&stage.client).write_all("ping\n".repeat(100).as_bytes()).unwrap();
    stage.strings.run(|connection| {
        for _ in 0..100 {
            let (input, output) = connection.split();
            let line = input.next_line().unwrap().unwrap();
            writeln!(output, "{line}").unwrap();
        }
    });
    // Nothing has left so far, and then all of it at once: a Unix-domain socket takes a short write as a whole.
    assert_eq!(stage.arrived(), b"");
    let wait = stage.strings.begin(next_line);
    let mut replies = [0; 1_000];
    let length = (&stage.client).read(&mut replies).unwrap();
    assert_eq!(&replies[..length], "ping\n".repeat(100).as_bytes());
    (&stage.client).write_all(b"end\n").unwrap();
    assert_eq!(end_of(&wait), Some(Ok(b"end".to_vec())));
}

#[test]
fn a_prompt_is_seen_before_its_answer_is_awaited() {
    let waits: [fn(&mut Connection) -> Vec<u8>; 4] = [
        |connection| next_line(connection).unwrap().unwrap(),
        |connection| connection.fill_buf().unwrap().to_vec(),
        |connection| read(connection, 10),
        // More than the buffer holds, which is read past it.
        |connection| read(connection, 100_000),
    ];
    for wait in waits {
        let stage = Stage::new();
        let answer = stage.strings.begin(move |connection| {
            write!(connection, "name? ").unwrap();
            wait(connection)
        });
        let mut prompt = [0; 6];
        (&stage.client).read_exact(&mut prompt).unwrap();
        assert_eq!(&prompt, b"name? ");
        (&stage.client).write_all(b"Ada\n").unwrap();
        assert_eq!(String::from_utf8(end_of(&answer)).unwrap().trim_end(), "Ada");
    }
}

fn read(connection: &mut Connection, size: usize) -> Vec<u8> {
    let mut buffer = vec![0; size];
    let length = connection.read(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn output_leaves_when_the_buffer_is_full_or_on_flush() {
    let stage = Stage::with(|builder| builder.write_buffer(8));
    let write =
        |text: &'static str| stage.strings.run(move |connection| connection.write_all(text.as_bytes())).unwrap();
    write("12345");
    assert_eq!(stage.arrived(), b"");
    write("678");
    assert_eq!(stage.arrived(), b"");
    write("9");
    assert_eq!(stage.arrived(), b"12345678");
    write("longer than the buffer");
    assert_eq!(stage.arrived(), b"9longer than the buffer");
    write("last");
    stage.strings.run(Write::flush).unwrap();
    assert_eq!(stage.arrived(), b"last");
}

#[test]
fn without_a_buffer_every_write_leaves_at_once() {
    let stage = Stage::with(|builder| builder.write_buffer(0));
    stage.strings.run(|connection| connection.write_all(b"one")).unwrap();
    assert_eq!(stage.arrived(), b"one");
    stage.strings.run(|connection| write!(connection, "{}{:?}", 2, ())).unwrap();
    assert_eq!(stage.arrived(), b"2()");
}

#[test]
fn what_the_handler_leaves_is_sent_when_it_ends() {
    let stage = Stage::new();
    stage.strings.run(|connection| connection.write_all(b"the end")).unwrap();
    assert_eq!(stage.arrived(), b"");
    let Stage { client, strings, .. } = stage;
    drop(strings);
    assert_eq!(io::read_to_string(client).unwrap(), "the end");
}

#[test]
fn calls_of_writers_in_several_threads_are_never_mixed() {
    const THREADS: usize = 8;
    const LINES: usize = 500;
    // Some of the lines fit the buffer.
    let stage = Stage::with(|builder| builder.write_buffer(256));
    let writer = |connection: &mut Connection| connection.writer().try_clone().unwrap();
    let writers: Vec<_> = (1..THREADS).map(|_| stage.strings.run(writer)).collect();
    let speak = |name: usize, output: &mut dyn Write| {
        for number in 0..LINES {
            writeln!(output, "{name} {number} {}", name.to_string().repeat(number)).unwrap();
        }
    };
    let handler = stage.strings.begin(move |connection| {
        speak(0, connection.writer());
        connection.flush().unwrap();
    });
    let threads =
        writers.into_iter().zip(1..).map(|(mut writer, name)| thread::spawn(move || speak(name, &mut writer)));
    let threads: Vec<_> = threads.collect();
    let mut next = [0; THREADS];
    let mut lines = BufReader::new(&stage.client).lines();
    for _ in 0..THREADS * LINES {
        let line = lines.next().unwrap().unwrap();
        let name: usize = line.split(' ').next().unwrap().parse().unwrap();
        let number = next[name];
        assert_eq!(line, format!("{name} {number} {}", name.to_string().repeat(number)));
        next[name] += 1;
    }
    assert_eq!(next, [LINES; THREADS]);
    end_of(&handler);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_writer_that_outlives_its_request_fails_and_does_not_keep_the_peer_waiting() {
    let stage = Stage::new();
    let mut writer = stage.strings.run(|connection| connection.writer().try_clone().unwrap());
    let Stage { client, strings, server, .. } = stage;
    drop(strings);
    assert_eq!((&client).read(&mut [0]).unwrap(), 0);
    wait_until("the request is finished", || server.stats().active == 0);
    assert_eq!(writer.write_all(b"too late").unwrap_err().kind(), ErrorKind::BrokenPipe);
}
