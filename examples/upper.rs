//! Sends every line back in upper case, with a thread for each connection.
//!
//! ```text
//! cargo run --example upper                # on 127.0.0.1:9999
//! cargo run --example upper '[::]:7000'    # or wherever you say
//!
//! printf 'hello\n' | nc 127.0.0.1 9999     # HELLO; some kinds of nc stay until Ctrl-C, without -N
//! socat readline tcp:127.0.0.1:9999        # line by line
//! ```

use std::env;
use std::io::{self, Write};

use socketserver::{Reader, Writer, handler, socket_server};

/// Sends every line back in upper case.
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
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9999".to_owned());
    let server = Upper.bind(address)?;
    server.shutdown_on_signals()?;

    println!("listening on {}", server.local_address());
    if let Some(address) = server.local_address().socket_addr() {
        println!("try it: printf 'hello\\n' | nc {} {}", address.ip(), address.port());
    }
    println!("Ctrl-C drains and ends");
    server.serve_forever()?;
    println!("drained; connections: {}", server.stats().accepted);
    Ok(())
}
