//! A loop over the messages of a frame, without any I/O.

use socketserver::{Decoded, Frame, MessageOptions};

/// What a frame made of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message.
    Message(Vec<u8>),
    /// An error, behind which there may be more.
    PassedOver,
    /// An error, behind which there is nothing.
    Ended,
}

/// Gives the pieces to a frame one after the other, as a loop without any I/O would, and checks what is promised.
pub fn decode<F: Frame>(options: MessageOptions, pieces: &[Vec<u8>]) -> Vec<Event> {
    let mut frame = F::new(&options);
    let mut events = Vec::new();
    let mut received = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        received.extend_from_slice(piece.map_or(&[], Vec::as_slice));
        while !received.is_empty() {
            let decoded = if piece.is_some() { frame.decode(&received) } else { frame.decode_last(&received) };
            let taken = match decoded {
                Ok(Decoded::Message { body, length }) => {
                    events.push(Event::Message(received[body].to_vec()));
                    length
                }
                Ok(Decoded::Skip(length)) => length,
                Ok(Decoded::Incomplete) => {
                    assert!(received.len() < frame.max_length(), "{} bytes are kept", received.len());
                    break;
                }
                Ok(other) => panic!("a frame of ours decoded {other:?}"),
                Err(error) => {
                    let Some(length) = error.passes_over() else {
                        events.push(Event::Ended);
                        return events;
                    };
                    events.push(Event::PassedOver);
                    length
                }
            };
            assert!(0 < taken && taken <= received.len(), "{taken} of {} bytes", received.len());
            received.drain(..taken);
        }
    }
    events
}
