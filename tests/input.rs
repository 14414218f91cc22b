//! Input: every byte arrives, once and in order, however it is split; and a line has a longest.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::Shutdown;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketserver::Connection;
use support::{Stage, end_of};

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
    let stage = Stage::default();
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
