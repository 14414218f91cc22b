//! What a thread keeps of one connection for its next one, so that a request need not allocate.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use socket2::Socket;

use super::stream::Stream;
use crate::transport::RequestSettings;

thread_local! {
    static SPARE: Cell<Option<Spare>> = const { Cell::new(None) };
}

struct Spare {
    /// Vacant, and nobody else has it.
    place: Arc<Stream>,
    input: Vec<u8>,
}

/// A stream of `socket` where it can be shared, and an input buffer for it.
pub(super) fn furnish(socket: Socket, settings: &RequestSettings) -> io::Result<(Arc<Stream>, Vec<u8>)> {
    let new = || Spare { place: Arc::new(Stream::vacant(settings)), input: Vec::new() };
    let Spare { mut place, input } = SPARE.take().unwrap_or_else(new);
    Arc::get_mut(&mut place).expect("nobody else has it").occupy(socket, settings)?;
    Ok((place, input))
}

/// Closes a stream that nobody else has, and keeps its memory.
pub(super) fn keep(mut place: Arc<Stream>, input: Vec<u8>) {
    if let Some(stream) = Arc::get_mut(&mut place) {
        stream.vacate();
        // In a thread that is ending there is no next connection.
        let _ = SPARE.try_with(|spare| spare.set(Some(Spare { place, input })));
    }
}
