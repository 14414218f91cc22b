//! `std::net`, with a thread spawned for each connection or packet.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::{Job, PAUSE, SHORT, serves};

pub(super) fn serve(job: Job, path: &Path) -> io::Result<()> {
    match job {
        Job::Short => serve_tcp(short),
        Job::Blocking => serve_tcp(|mut stream| {
            let mut request = [0; SHORT];
            stream.read_exact(&mut request)?;
            thread::sleep(PAUSE);
            request.make_ascii_uppercase();
            stream.write_all(&request)
        }),
        Job::Lines => serve_tcp(|stream: TcpStream| {
            stream.set_nodelay(true)?;
            lines(&stream, &stream)
        }),
        Job::Packets => serve_udp(),
        Job::UnixShort => serve_unix(path, short),
        Job::UnixLines => serve_unix(path, |stream: UnixStream| lines(&stream, &stream)),
        Job::UnixPackets => serve_unix_datagrams(path),
    }
}

fn serve_tcp(handle: fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    serves(listener.local_addr()?)?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || handle(stream));
    }
    Ok(())
}

fn serve_unix(path: &Path, handle: fn(UnixStream) -> io::Result<()>) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    serves(path.display())?;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || handle(stream));
    }
    Ok(())
}

fn short(mut stream: impl Read + Write) -> io::Result<()> {
    let mut request = [0; SHORT];
    stream.read_exact(&mut request)?;
    request.make_ascii_uppercase();
    stream.write_all(&request)
}

fn lines(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        line.make_ascii_uppercase();
        output.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

fn serve_udp() -> io::Result<()> {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0")?);
    serves(socket.local_addr()?)?;
    loop {
        let mut packet = [0; 2_048];
        let (length, peer) = socket.recv_from(&mut packet)?;
        let socket = Arc::clone(&socket);
        thread::spawn(move || {
            packet[..length].make_ascii_uppercase();
            socket.send_to(&packet[..length], peer)
        });
    }
}

fn serve_unix_datagrams(path: &Path) -> io::Result<()> {
    let socket = Arc::new(UnixDatagram::bind(path)?);
    serves(path.display())?;
    loop {
        let mut packet = [0; 2_048];
        let (length, peer) = socket.recv_from(&mut packet)?;
        let socket = Arc::clone(&socket);
        thread::spawn(move || {
            packet[..length].make_ascii_uppercase();
            socket.send_to_addr(&packet[..length], &peer)
        });
    }
}
