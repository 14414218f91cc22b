//! A client that says one line after the other.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socketserver::Address;

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a `tcp` server, line by line.
#[derive(Debug)]
pub struct Conversation {
    stream: BufReader<TcpStream>,
}

impl Conversation {
    /// Connects.
    #[track_caller]
    pub fn with(server: &Address) -> Self {
        Self::over(TcpStream::connect(server).expect("a connection"))
    }

    /// Over a connection that is there already.
    #[track_caller]
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends `text` as it is.
    #[track_caller]
    pub fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).expect("the server reads");
    }

    /// Sends a line, and reads the line that is the reply.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        self.send(&format!("{line}\n"));
        self.line()
    }

    /// The next line, which is whole.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "the server has ended the connection after {line:?}");
        line.trim_end().to_owned()
    }

    /// Ends the input of the server, and waits for the end of its output.
    #[track_caller]
    pub fn end(self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("a connection");
        self.expect_end();
    }

    /// The server says nothing more, and ends the connection.
    #[track_caller]
    pub fn expect_end(self) {
        assert_eq!(io::read_to_string(self.stream).expect("the end, and no reset"), "");
    }

    /// At its end, or reset: of what was cut there is no knowing.
    #[track_caller]
    pub fn expect_end_or_reset(self) {
        match io::read_to_string(self.stream) {
            Ok(rest) => assert_eq!(rest, ""),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
}
