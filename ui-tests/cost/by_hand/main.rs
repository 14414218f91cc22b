//! The same on `std::net`: no limits, no shutdown, no hooks.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn handle(stream: &TcpStream) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    let mut output = BufWriter::new(stream);
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        writeln!(output, "{}", line.trim_end().to_uppercase())?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9999")?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = handle(&stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}
