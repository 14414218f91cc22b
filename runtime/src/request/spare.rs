//! What a thread keeps of one request for its next one, which then need not allocate.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use socket2::Socket;

use super::datagram::Exchange;
use super::stream::Stream;
use crate::protocol::empty;
use crate::transport::RequestSettings;

thread_local! {
    /// On the heap, which a forking parent writes to anyway: a page that it writes to after a fork is copied.
    #[expect(clippy::unnecessary_box_returns, reason = "the box is what it is for")]
    static SPARE: Box<Spare> = Box::default();
}

#[derive(Default)]
struct Spare {
    input: Cell<Vec<u8>>,
    text: Cell<Vec<u8>>,
    /// Vacant, and nobody else has it.
    stream: Cell<Option<Arc<Stream>>>,
    /// Vacant, and nobody else has it.
    exchange: Cell<Option<Arc<Exchange>>>,
}

/// A buffer for input, of any bytes.
pub(super) fn input() -> Vec<u8> {
    SPARE.with(|spare| spare.input.take())
}

pub(super) fn keep_input(buffer: Vec<u8>) {
    // In a thread that is ending there is no next request.
    let _ = SPARE.try_with(|spare| spare.input.set(buffer));
}

/// A place for text. Empty.
pub(super) fn text() -> Vec<u8> {
    SPARE.try_with(|spare| spare.text.take()).unwrap_or_default()
}

/// Makes room for some.
pub(super) fn furnish_text() {
    let mut text = text();
    text.reserve(512);
    keep_text(text);
}

pub(super) fn keep_text(mut text: Vec<u8>) {
    empty(&mut text);
    let _ = SPARE.try_with(|spare| spare.text.set(text));
}

/// A stream of `socket`, where it can be shared.
pub(super) fn stream(socket: Socket, settings: &RequestSettings) -> io::Result<Arc<Stream>> {
    let mut stream = SPARE.with(|spare| spare.stream.take()).unwrap_or_else(|| Arc::new(Stream::vacant(settings)));
    Arc::get_mut(&mut stream).expect("nobody else has it").occupy(socket, settings)?;
    Ok(stream)
}

/// Closes a stream that nobody else has, and keeps its memory.
pub(super) fn keep_stream(mut stream: Arc<Stream>) {
    if let Some(vacant) = Arc::get_mut(&mut stream) {
        vacant.vacate();
        let _ = SPARE.try_with(|spare| spare.stream.set(Some(stream)));
    }
}

/// An exchange with the packet that `begin` gives it.
pub(super) fn exchange(begin: impl FnOnce(&mut Exchange)) -> Arc<Exchange> {
    let mut exchange = SPARE.with(|spare| spare.exchange.take()).unwrap_or_else(|| Arc::new(Exchange::vacant()));
    begin(Arc::get_mut(&mut exchange).expect("nobody else has it"));
    exchange
}

/// Ends an exchange that nobody else has, and keeps its memory.
pub(super) fn keep_exchange(mut exchange: Arc<Exchange>) {
    if let Some(vacant) = Arc::get_mut(&mut exchange) {
        vacant.vacate();
        let _ = SPARE.try_with(|spare| spare.exchange.set(Some(exchange)));
    }
}
