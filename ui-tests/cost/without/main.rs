//! The same on the runtime, without the attributes: the feature `macros` is off.

use socketserver::{Connection, Handler, HandlerError, Hooks, ShutdownHandle, ThreadingTcpServer};
use std::io::{self, Write};

struct Upper;

impl Handler for Upper {
    type Request = Connection;

    fn finish_request(&self, request: &mut Connection, _: &ShutdownHandle) -> Result<(), HandlerError> {
        let (input, output) = request.split();
        while let Some(line) = input.next_line()? {
            writeln!(output, "{}", line.to_uppercase())?;
        }
        Ok(())
    }
}

impl Hooks for Upper {}

fn main() -> io::Result<()> {
    ThreadingTcpServer::bind("127.0.0.1:9999", Upper)?.serve_forever()
}
