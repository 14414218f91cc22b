//! The socket of one connection with its gathered output: what its reader, its writers and a shutdown share.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use socket2::Socket;

use super::progress::Progress;
use super::timeouts::Timeouts;
use super::{busy_poll, linger};
use crate::phase::Phase;
use crate::sys;
use crate::transport::RequestSettings;

#[derive(Debug)]
pub struct Stream {
    /// `None` once it is closed, for good or until the next connection.
    socket: Option<Socket>,
    open: Option<busy_poll::Open>,
    /// What is written and not yet sent.
    output: Mutex<Vec<u8>>,
    capacity: usize,
    timeouts: Timeouts,
    progress: Progress,
    /// The peer has ended its side.
    at_end: AtomicBool,
    phase: Arc<Phase>,
}

#[expect(
    clippy::inline_always,
    reason = "each wait and each write is one function then, a tenth less, and the end is beside a child's handler"
)]
impl Stream {
    /// A place for one connection after the other.
    pub(super) fn vacant(settings: &RequestSettings) -> Self {
        Self {
            socket: None,
            open: None,
            output: Mutex::default(),
            capacity: 0,
            timeouts: Timeouts::default(),
            progress: Progress::new(),
            at_end: AtomicBool::new(false),
            phase: Arc::clone(settings.shutdown.phase()),
        }
    }

    /// Begins a connection, in the memory for output that the one before has left.
    pub(super) fn occupy(&mut self, socket: Socket, settings: &RequestSettings) -> io::Result<()> {
        self.timeouts = Timeouts::begin(&socket, settings)?;
        self.socket = Some(socket);
        self.open = Some(busy_poll::Open::count());
        self.capacity = settings.write_buffer;
        self.progress = Progress::new();
        self.at_end = AtomicBool::new(false);
        // It nearly always is the same.
        if !Arc::ptr_eq(&self.phase, settings.shutdown.phase()) {
            self.phase = Arc::clone(settings.shutdown.phase());
        }
        Ok(())
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.socket.as_ref().expect("nobody has a stream that is closed")
    }

    /// Makes room for some output.
    pub(super) fn furnish(&self) {
        self.output().reserve(self.capacity.min(512));
    }

    /// Closes the socket, which nobody else may have. What is left is a vacant place again.
    pub(super) fn vacate(&mut self) {
        self.socket = None;
        self.open = None;
        let output = self.output.get_mut().unwrap_or_else(PoisonError::into_inner);
        output.clear();
        output.shrink_to(self.capacity);
    }

    /// Receives what there is, after sending what is gathered. 0: the peer, or a shutdown, has ended the input.
    ///
    /// `amid_request`: the reader has a part of one already. Otherwise a request may still be in progress, one that the
    /// handler has read and not answered. A shutdown does not wait for a connection that has had its reply to all that
    /// it sent.
    #[inline(always)]
    pub(crate) fn receive(&self, buffer: &mut [u8], amid_request: bool) -> io::Result<usize> {
        self.progress.begin_wait(amid_request);
        let received = self.flush_unless_sending().and_then(|()| self.receive_waiting(buffer));
        if let Ok(length @ 1..) = received {
            self.progress.end_wait(true);
            return Ok(length);
        }
        self.progress.end_wait(false);
        self.received_nothing(received, buffer.is_empty(), amid_request)
    }

    #[cold]
    fn received_nothing(
        &self,
        received: io::Result<usize>,
        had_no_room: bool,
        amid_request: bool,
    ) -> io::Result<usize> {
        match received {
            // What was cut off is not the end: half a command is not to be taken for the last one.
            Ok(_) if self.progress.is_cut_off(amid_request) => {
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the shutdown has cut the connection"))
            }
            // A shutdown ends the input too, and then there may be more.
            Ok(_) if had_no_room || self.phase.is_shutting_down() => Ok(0),
            Ok(_) => {
                self.at_end.store(true, SeqCst);
                Ok(0)
            }
            Err(error) => Err(self.timeouts.explain_read(error)),
        }
    }

    /// Either the shutdown sees that this connection is idle, or this connection sees that there is a shutdown: both
    /// write their own flag first and read the other's then. So do a writer in another thread, which has sent the reply
    /// that was owed, and this reader.
    #[inline(always)]
    fn receive_waiting(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = self.socket();
        self.timeouts.limit_read(socket)?;
        if self.phase.is_shutting_down() && self.progress.is_idle() {
            return self.receive_arrived(buffer);
        }
        if busy_poll::is_due() {
            match self.receive_soon(buffer) {
                Some(received) => return received,
                None => busy_poll::missed(),
            }
        }
        sys::stream::receive(socket.as_fd(), buffer, 0, || self.timeouts.read_ends())
    }

    /// Receives what arrives before the reader has to sleep.
    #[cold]
    fn receive_soon(&self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        let began = Instant::now();
        while began.elapsed() < busy_poll::LONGEST {
            match sys::stream::receive(self.socket().as_fd(), buffer, libc::MSG_DONTWAIT, || None) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Some(received),
            }
        }
        None
    }

    /// What has arrived is still served.
    #[cold]
    fn receive_arrived(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match sys::stream::receive(self.socket().as_fd(), buffer, libc::MSG_DONTWAIT, || None) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            received => received,
        }
    }

    /// Nothing that was received is still to be answered.
    #[inline]
    pub(crate) fn settle(&self) {
        self.progress.settle();
    }

    /// Gathers `bytes`, and sends what is gathered once it is too much, if it must go `at_once`, or if the reader waits
    /// in another thread: its wait would send nothing any more.
    #[inline(always)]
    pub(crate) fn write(&self, bytes: &[u8], at_once: bool) -> io::Result<()> {
        let mut output = self.output();
        if at_once || output.len() + bytes.len() >= self.capacity {
            return self.write_and_send(output, bytes, at_once);
        }
        output.extend_from_slice(bytes);
        drop(output);
        self.follow_up()
    }

    #[cold]
    fn write_and_send(&self, mut output: MutexGuard<'_, Vec<u8>>, bytes: &[u8], at_once: bool) -> io::Result<()> {
        if !output.is_empty() && output.len() + bytes.len() > self.capacity {
            self.send(&mut output)?;
        }
        if bytes.len() >= self.capacity.max(1) {
            self.send_rest(bytes, self.send_some(bytes))?;
        } else {
            output.extend_from_slice(bytes);
            if at_once {
                self.send(&mut output)?;
            }
        }
        drop(output);
        self.follow_up()
    }

    /// Sends what is gathered.
    #[inline]
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.send(&mut self.output())?;
        self.follow_up()
    }

    /// The same for the reader, which is not to wait until a peer takes what another thread sends: whatever was
    /// gathered before leaves with it, or by its [`follow_up`](Self::follow_up).
    #[inline(always)]
    fn flush_unless_sending(&self) -> io::Result<()> {
        let mut output = match self.output.try_lock() {
            Ok(output) => output,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        self.send(&mut output)
    }

    /// After a write, with the output unlocked: does what a reader that waits in another thread cannot do any more. It
    /// has either found the output unlocked, or is seen to wait here.
    #[inline]
    fn follow_up(&self) -> io::Result<()> {
        if self.progress.is_waiting() { self.send_for_reader() } else { Ok(()) }
    }

    #[cold]
    fn send_for_reader(&self) -> io::Result<()> {
        self.send(&mut self.output())?;
        if self.phase.is_shutting_down() {
            self.close_if_idle();
        }
        Ok(())
    }

    #[inline]
    fn output(&self) -> MutexGuard<'_, Vec<u8>> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What could not be sent is dropped: the connection is broken, and a second try would repeat a part.
    #[inline(always)]
    fn send(&self, output: &mut Vec<u8>) -> io::Result<()> {
        if output.is_empty() {
            return Ok(());
        }
        let result = match self.send_some(output) {
            Ok(sent) if sent == output.len() => {
                self.settle();
                Ok(())
            }
            sent => self.send_rest(output, sent),
        };
        output.clear();
        result
    }

    #[inline]
    fn send_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let socket = self.socket();
        self.timeouts.limit_write(socket)?;
        sys::stream::send(socket.as_fd(), bytes, || self.timeouts.write_ends())
    }

    /// Sends what is left of `bytes`, of which some were `sent`.
    #[cold]
    fn send_rest(&self, mut bytes: &[u8], mut sent: io::Result<usize>) -> io::Result<()> {
        loop {
            match sent {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) if sent == bytes.len() => break,
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) => return Err(self.timeouts.explain_write(error)),
            }
            sent = self.send_some(bytes);
        }
        self.settle();
        Ok(())
    }

    /// Ends the input of a connection that waits between two requests. In a forked child a signal handler calls it, so
    /// it takes no lock and no memory.
    pub(crate) fn close_if_idle(&self) {
        if self.progress.is_idle() {
            self.progress.close();
            // It can only be closed by the peer already.
            let _ = self.socket().shutdown(Shutdown::Read);
        }
    }

    /// Ends the connection, whatever it is doing; whether it was not cut before.
    pub(crate) fn cut(&self) -> bool {
        // First, so that a reader which this wakes knows why.
        let is_first = self.progress.cut();
        let _ = self.socket().shutdown(Shutdown::Both);
        is_first
    }

    /// Ends the output and lets the peer read it all.
    ///
    /// Closing a socket with unread input resets the connection, and the peer loses what it has not read yet. So if
    /// there is such input, the socket stays open until the peer has closed its side, within bounds.
    #[inline(always)]
    pub(super) fn shutdown(&self) {
        // An error here has no one to go to: what matters was sent before, by `deliver`.
        let _ = self.flush();
        self.end_output(Some(Duration::from_secs(2)));
    }

    /// The same for output that was sent; with no `patience`, for whoever serves others meanwhile, it waits for nothing.
    #[inline(always)]
    pub(super) fn end_output(&self, patience: Option<Duration>) {
        if self.socket().shutdown(Shutdown::Write).is_ok() && !self.at_end.load(SeqCst) {
            linger::drain(self.socket().as_fd(), &self.phase, patience);
        }
    }
}

// Miri has no such sockets.
#[cfg(all(test, not(miri)))]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::options::Options;
    use crate::shutdown::ShutdownHandle;

    fn pair() -> (UnixStream, Stream) {
        let (peer, socket) = UnixStream::pair().unwrap();
        let settings = RequestSettings::new(&Options::new(), ShutdownHandle::new().unwrap());
        let mut stream = Stream::vacant(&settings);
        stream.occupy(socket.into(), &settings).unwrap();
        (peer, stream)
    }

    #[test]
    fn what_was_received_as_the_input_was_closed_is_not_all() {
        let (peer, stream) = pair();
        (&peer).write_all(b"half").unwrap();
        stream.progress.begin_wait(false);
        stream.close_if_idle();
        stream.progress.end_wait(false);
        let mut buffer = [0; 9];
        assert_eq!(stream.receive(&mut buffer, false).unwrap(), 4);
        assert_eq!(stream.receive(&mut buffer, true).unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(stream.receive(&mut buffer, false).unwrap(), 0);
    }

    #[test]
    fn what_arrives_soon_needs_no_sleep() {
        let (peer, stream) = pair();
        let mut buffer = [0; 9];
        assert!(stream.receive_soon(&mut buffer).is_none());
        (&peer).write_all(b"half").unwrap();
        assert_eq!(stream.receive_soon(&mut buffer).unwrap().unwrap(), 4);
        drop(peer);
        assert_eq!(stream.receive_soon(&mut buffer).unwrap().unwrap(), 0);
    }
}
