//! What a thread keeps of one connection for its next one, so that a request need not allocate.

use std::cell::Cell;
use std::sync::Arc;

use super::stream::Stream;

thread_local! {
    static SPARE: Cell<Option<Spare>> = const { Cell::new(None) };
}

struct Spare {
    place: Arc<Stream>,
    input: Vec<u8>,
}

/// Puts `stream` where it can be shared, beside an input buffer for it.
pub(super) fn furnish(stream: Stream) -> (Arc<Stream>, Vec<u8>) {
    let Some(Spare { mut place, input }) = SPARE.take() else { return (Arc::new(stream), Vec::new()) };
    match Arc::get_mut(&mut place) {
        Some(vacant) => {
            vacant.replace_with(stream);
            (place, input)
        }
        None => (Arc::new(stream), input),
    }
}

/// Closes a stream that nobody else has, and keeps its memory.
pub(super) fn keep(mut place: Arc<Stream>, input: Vec<u8>) {
    if let Some(stream) = Arc::get_mut(&mut place) {
        stream.vacate();
        // In a thread that is ending there is no next connection.
        let _ = SPARE.try_with(|spare| spare.set(Some(Spare { place, input })));
    }
}
