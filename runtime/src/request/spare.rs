//! What a thread keeps of one request for its next one, which then need not allocate.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use socket2::Socket;

use super::datagram::Exchange;
use super::stream::Stream;
use crate::transport::RequestSettings;

thread_local! {
    static INPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Vacant, and nobody else has it.
    static STREAM: Cell<Option<Arc<Stream>>> = const { Cell::new(None) };
    /// Vacant, and nobody else has it.
    static EXCHANGE: Cell<Option<Arc<Exchange>>> = const { Cell::new(None) };
}

/// A buffer for input, of any bytes.
pub(super) fn input() -> Vec<u8> {
    INPUT.take()
}

pub(super) fn keep_input(buffer: Vec<u8>) {
    // In a thread that is ending there is no next request.
    let _ = INPUT.try_with(|input| input.set(buffer));
}

/// A stream of `socket`, where it can be shared.
pub(super) fn stream(socket: Socket, settings: &RequestSettings) -> io::Result<Arc<Stream>> {
    let mut stream = STREAM.take().unwrap_or_else(|| Arc::new(Stream::vacant(settings)));
    Arc::get_mut(&mut stream).expect("nobody else has it").occupy(socket, settings)?;
    Ok(stream)
}

/// Closes a stream that nobody else has, and keeps its memory.
pub(super) fn keep_stream(mut stream: Arc<Stream>) {
    if let Some(vacant) = Arc::get_mut(&mut stream) {
        vacant.vacate();
        let _ = STREAM.try_with(|spare| spare.set(Some(stream)));
    }
}

/// An exchange with the packet that `begin` gives it.
pub(super) fn exchange(begin: impl FnOnce(&mut Exchange)) -> Arc<Exchange> {
    let mut exchange = EXCHANGE.take().unwrap_or_else(|| Arc::new(Exchange::vacant()));
    begin(Arc::get_mut(&mut exchange).expect("nobody else has it"));
    exchange
}

/// Ends an exchange that nobody else has, and keeps its memory.
pub(super) fn keep_exchange(mut exchange: Arc<Exchange>) {
    if let Some(vacant) = Arc::get_mut(&mut exchange) {
        vacant.vacate();
        let _ = EXCHANGE.try_with(|spare| spare.set(Some(exchange)));
    }
}
