//! net-io, with a handler on its blocking pool. Its limits are raised where these workloads would meet them.

use std::io;

use net_io::{AllowAll, Limits, ListenerSpec, NetError, PrefixPolicy, ServerBuilder, TcpConnection};

use super::{Job, SHORT, serves, unsupported};

/// A worker holds a connection for as long as it lasts.
const WORKERS: u16 = 1_200;

pub(super) fn serve(job: Job) -> io::Result<()> {
    match job {
        Job::Short => run(WORKERS, short),
        Job::Lines => run(WORKERS, lines),
        job => Err(unsupported(job)),
    }
}

fn run(workers: u16, handle: fn(&mut TcpConnection) -> Result<(), NetError>) -> io::Result<()> {
    let start = || {
        let limits = Limits::builder()
            // All clients are one source here.
            .max_per_source(u32::from(workers), PrefixPolicy::HOST)
            .buffer_budget(u64::from(workers) << 17)
            .build()?;
        let listener = ListenerSpec::tcp("127.0.0.1:0");
        let server = ServerBuilder::new()
            .listener(listener)
            .workers(workers)
            .limits(limits)
            .gate(AllowAll)
            .handler(handle)
            .build()?;
        server.open_door()?;
        Ok(server)
    };
    let server = start().map_err(|error: NetError| io::Error::other(error.to_string()))?;
    serves(&server.listeners()[0].local)?;
    server.wait_for_stop();
    Ok(())
}

fn short(connection: &mut TcpConnection) -> Result<(), NetError> {
    let mut request = [0; SHORT];
    connection.recv_exact(&mut request)?;
    request.make_ascii_uppercase();
    connection.send_all(&request)
}

/// It has no buffered reader of its own; whole lines are found in a buffer of the handler's.
fn lines(connection: &mut TcpConnection) -> Result<(), NetError> {
    let mut buffer = [0; 8_192];
    let mut end = 0;
    loop {
        let received = connection.recv(&mut buffer[end..])?;
        if received == 0 {
            return Ok(());
        }
        end += received;
        let Some(last) = buffer[..end].iter().rposition(|byte| *byte == b'\n') else { continue };
        for line in buffer[..=last].split_inclusive_mut(|byte| *byte == b'\n') {
            line.make_ascii_uppercase();
            connection.send_all(line)?;
        }
        buffer.copy_within(last + 1..end, 0);
        end -= last + 1;
    }
}
