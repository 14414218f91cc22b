//! Output: what is written is gathered, and leaves whole and in order when somebody waits for it; what can no longer be
//! sent is an error.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use socketserver::{Connection, Server, Tcp, Threading};
use support::{Puppet, Stage, end_of, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_client_that_has_ended_its_side_still_gets_the_reply() {
    let stage = Stage::default();
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
        let (puppet, strings) = Puppet::new();
        let server = Server::<_, Tcp, Threading>::bind("127.0.0.1:0", puppet).unwrap().start().unwrap();
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

/// Takes no more than some kilobytes at once.
fn slow_client(server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8_192).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// Bytes of which no two neighbouring kilobytes are the same.
fn pattern(length: usize) -> Vec<u8> {
    let numbers = 0..u32::try_from(length / 4).unwrap();
    numbers.flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// `std` panics where a text fails that its output takes.
#[test]
fn of_a_text_that_panics_nothing_is_sent() {
    let stage = Stage::default();
    stage.strings.run(|connection| {
        let unprintable = fmt::from_fn(|_| Err(fmt::Error));
        let output = connection.writer();
        output.write_all(b"one ").unwrap();
        catch_unwind(AssertUnwindSafe(|| write!(output, "lost {unprintable}"))).unwrap_err();
        output.write_all(b"two").unwrap();
        output.flush().unwrap();
    });
    assert_eq!(stage.arrived(), b"one two");
}

/// As it may wait for another thread that does.
#[test]
fn a_text_may_write_to_its_own_peer() {
    let stage = Stage::default();
    let written = stage.strings.begin(|connection| {
        let output = connection.writer();
        let aside = output.try_clone()?;
        let text = fmt::from_fn(|f| {
            aside.try_clone().and_then(|mut aside| write!(aside, "{} ", 1)).map_err(|_| fmt::Error)?;
            f.write_str("two")
        });
        write!(output, "{text}")?;
        output.flush()
    });
    end_of(&written).unwrap();
    assert_eq!(stage.arrived(), b"1 two");
}

#[test]
fn replies_to_pipelined_requests_leave_together() {
    let stage = Stage::default();
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
    assert_eq!(end_of(&wait), "end");
}

#[test]
fn a_prompt_is_seen_before_its_answer_is_awaited() {
    let waits: [fn(&mut Connection) -> Vec<u8>; 4] = [
        |connection| next_line(connection).into_bytes(),
        |connection| connection.fill_buf().unwrap().to_vec(),
        |connection| read(connection, 10),
        // More than the buffer holds, which is read past it.
        |connection| read(connection, 100_000),
    ];
    for wait in waits {
        let stage = Stage::default();
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

fn next_line(connection: &mut Connection) -> String {
    connection.reader().next_line().unwrap().unwrap().to_owned()
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
    let stage = Stage::default();
    stage.strings.run(|connection| connection.write_all(b"the end")).unwrap();
    assert_eq!(stage.arrived(), b"");
    let Stage { client, strings, .. } = stage;
    drop(strings);
    assert_eq!(io::read_to_string(client).unwrap(), "the end");
}

#[test]
fn calls_of_writers_in_several_threads_are_never_mixed() {
    // Some of the lines fit the buffer, or all of them.
    for write_buffer in [256, 8_192] {
        are_never_mixed(write_buffer);
    }
}

fn are_never_mixed(write_buffer: usize) {
    const THREADS: usize = 8;
    const LINES: usize = 500;

    let stage = Stage::with(|builder| builder.write_buffer(write_buffer));
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
    let stage = Stage::default();
    let mut writer = stage.strings.run(|connection| connection.writer().try_clone().unwrap());
    let Stage { client, strings, server, .. } = stage;
    drop(strings);
    assert_eq!((&client).read(&mut [0]).unwrap(), 0);
    wait_until("the request is finished", || server.stats().active == 0);
    assert_eq!(writer.write_all(b"too late").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_write_to_a_peer_that_has_gone_is_an_error_in_the_end_and_never_hangs() {
    let (puppet, strings) = Puppet::new();
    let server = Server::<_, Tcp, Threading>::bind("127.0.0.1:0", puppet).unwrap().start().unwrap();
    let client = TcpStream::connect(server.local_address()).unwrap();
    let mut writer = strings.run(|connection| connection.writer().try_clone().unwrap());
    drop(client);
    let error = loop {
        // What the kernel still takes is not refused yet.
        if let Err(error) = writer.write_all(&[b'x'; 16_384]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
    drop(strings);
}
