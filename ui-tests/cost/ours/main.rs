//! The first program of the README.

use socketserver::{Reader, Writer, handler, socket_server};
use std::io::{self, Write};

#[socket_server(tcp, threading)]
struct Upper;

#[handler]
impl Upper {
    fn handle(&self, input: &mut Reader, output: &mut Writer) -> io::Result<()> {
        while let Some(line) = input.next_line()? {
            writeln!(output, "{}", line.to_uppercase())?;
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    Upper.bind("127.0.0.1:9999")?.serve_forever()
}
