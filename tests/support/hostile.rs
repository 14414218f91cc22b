//! Peers that mean no good, and what they cost a server.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use socketserver::Address;

/// Longer than anything here takes: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends `bytes` to a `tcp` server and ends the output; all that the server says, until it hangs up.
#[track_caller]
pub fn send_and_end(address: &Address, bytes: &[u8]) -> Vec<u8> {
    provoke(address, bytes, true)
}

/// Sends `bytes` to a `tcp` server and falls silent; all that the server says, until it hangs up.
#[track_caller]
pub fn send_and_wait(address: &Address, bytes: &[u8]) -> Vec<u8> {
    provoke(address, bytes, false)
}

#[track_caller]
fn provoke(address: &Address, bytes: &[u8], ends: bool) -> Vec<u8> {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    let mut said = Vec::new();
    // In two threads, since the server may say more than the buffers of the two sockets can take.
    let read = thread::scope(|scope| {
        scope.spawn(|| {
            // The server may have hung up before it was all sent.
            let _ = (&stream).write_all(bytes);
            if ends {
                let _ = stream.shutdown(Shutdown::Write);
            }
        });
        (&stream).read_to_end(&mut said)
    });
    match read {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("the server does not hang up: {error}"),
        _ => said,
    }
}

/// The most memory that a process has had, in bytes.
pub fn peak_memory(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let kibibytes: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1_024
}
