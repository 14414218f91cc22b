//! tokio: a task for each connection; for each packet too on the multi-thread runtime, where that is faster.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};
use tokio::runtime::Builder;

use super::{Job, PAUSE, SHORT, serves};

pub(super) fn multi_thread(job: Job, path: &Path) -> io::Result<()> {
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match job {
            Job::Packets => spawn_for_each_packet().await,
            job => serve(job, path).await,
        }
    })
}

pub(super) fn current_thread(job: Job, path: &Path) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(serve(job, path))
}

async fn serve(job: Job, path: &Path) -> io::Result<()> {
    match job {
        Job::Short | Job::Blocking | Job::Lines => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            serves(listener.local_addr()?)?;
            loop {
                let (mut stream, _) = listener.accept().await?;
                if job == Job::Short {
                    tokio::spawn(async move { short(&mut stream).await });
                } else if job == Job::Blocking {
                    tokio::spawn(async move { pausing(&mut stream).await });
                } else {
                    stream.set_nodelay(true)?;
                    tokio::spawn(async move {
                        let (input, output) = stream.split();
                        lines(input, output).await
                    });
                }
            }
        }
        Job::UnixShort | Job::UnixLines => {
            let listener = UnixListener::bind(path)?;
            serves(path.display())?;
            loop {
                let (mut stream, _) = listener.accept().await?;
                if job == Job::UnixShort {
                    tokio::spawn(async move { short(&mut stream).await });
                } else {
                    tokio::spawn(async move {
                        let (input, output) = stream.split();
                        lines(input, output).await
                    });
                }
            }
        }
        Job::Packets => {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            serves(socket.local_addr()?)?;
            let mut packet = [0; 2_048];
            loop {
                let (length, peer) = socket.recv_from(&mut packet).await?;
                packet[..length].make_ascii_uppercase();
                // The client may have gone.
                let _ = socket.send_to(&packet[..length], peer).await;
            }
        }
        Job::UnixPackets => {
            let socket = UnixDatagram::bind(path)?;
            serves(path.display())?;
            let mut packet = [0; 2_048];
            loop {
                let (length, peer) = socket.recv_from(&mut packet).await?;
                packet[..length].make_ascii_uppercase();
                let peer = peer.as_pathname().expect("our clients are bound to paths");
                // The client may have gone.
                let _ = socket.send_to(&packet[..length], peer).await;
            }
        }
    }
}

async fn short(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut request = [0; SHORT];
    stream.read_exact(&mut request).await?;
    request.make_ascii_uppercase();
    stream.write_all(&request).await
}

async fn pausing(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut request = [0; SHORT];
    stream.read_exact(&mut request).await?;
    tokio::time::sleep(PAUSE).await;
    request.make_ascii_uppercase();
    stream.write_all(&request).await
}

async fn lines(input: impl AsyncRead + Unpin, mut output: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).await? > 0 {
        line.make_ascii_uppercase();
        output.write_all(&line).await?;
        line.clear();
    }
    Ok(())
}

async fn spawn_for_each_packet() -> io::Result<()> {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
    serves(socket.local_addr()?)?;
    loop {
        let mut packet = [0; 2_048];
        let (length, peer) = socket.recv_from(&mut packet).await?;
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            packet[..length].make_ascii_uppercase();
            socket.send_to(&packet[..length], peer).await
        });
    }
}
