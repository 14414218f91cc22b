//! Messages whose length comes first.

use std::fmt;
use std::io;
use std::marker::PhantomData;

use crate::protocol::command::CommandFrame;
use crate::protocol::frame::{Decoded, Frame, FrameError, MessageOptions};

/// A message comes after its length, a number `N`: `u8`, `u16`, `u32` or `u64`, big endian, or little endian as
/// [`LittleEndian<u32>`](LittleEndian). The length does not count itself.
///
/// A length above `MAX`, which is 1 MiB if it is not given, is an error and ends the connection. Memory grows with what
/// is received, not with what is announced. On a transport of packets there is no length: a packet is a message, of no
/// more than `MAX` bytes either.
///
/// ```
/// use socketserver::{Decoded, Frame, LengthPrefixed, MessageOptions};
///
/// let mut frame = LengthPrefixed::<u16>::new(&MessageOptions::default());
/// assert_eq!(frame.decode(b"\0\x05hel")?, Decoded::Incomplete);
/// assert_eq!(frame.decode(b"\0\x05hello\0\x03")?, Decoded::Message { body: 2..7, length: 7 });
/// # Ok::<(), socketserver::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LengthPrefixed<N, const MAX: usize = 1_048_576> {
    prefix: PhantomData<N>,
}

impl<N: Prefix, const MAX: usize> Frame for LengthPrefixed<N, MAX> {
    fn new(_: &MessageOptions) -> Self {
        Self { prefix: PhantomData }
    }

    fn max_length(&self) -> usize {
        MAX.saturating_add(N::SIZE)
    }

    fn decode(&mut self, received: &[u8]) -> Result<Decoded, FrameError> {
        let Some(prefix) = received.get(..N::SIZE) else { return Ok(Decoded::Incomplete) };
        let announced = N::get(prefix);
        let Some(length) = usize::try_from(announced).ok().filter(|length| *length <= MAX) else {
            return Err(Self::too_long(announced));
        };
        let body = N::SIZE..N::SIZE.saturating_add(length);
        Ok(if received.len() < body.end { Decoded::Incomplete } else { Decoded::Message { length: body.end, body } })
    }

    fn decode_packet<'p>(&self, packet: &'p [u8]) -> Result<&'p [u8], FrameError> {
        if packet.len() > MAX { Err(Self::too_long(packet.len()).passing_over(packet.len())) } else { Ok(packet) }
    }

    fn encode(&self, message: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        if !N::put(message.len(), output) {
            let problem = format!("a message of {} bytes does not fit its length of {} bytes", message.len(), N::SIZE);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        output.extend_from_slice(message);
        Ok(())
    }
}

impl<N, const MAX: usize> LengthPrefixed<N, MAX> {
    fn too_long(length: impl fmt::Display) -> FrameError {
        FrameError::new(format!("a message of {length} bytes: {MAX} are allowed"))
    }
}

impl<N: Prefix, const MAX: usize> CommandFrame for LengthPrefixed<N, MAX> {}

/// The other byte order for a [`LengthPrefixed`]: `LengthPrefixed<LittleEndian<u32>>`.
///
/// ```
/// use socketserver::{Decoded, Frame, LengthPrefixed, LittleEndian, MessageOptions};
///
/// let mut frame = LengthPrefixed::<LittleEndian<u32>>::new(&MessageOptions::default());
/// assert_eq!(frame.decode(b"\x01\0\0\0x")?, Decoded::Message { body: 4..5, length: 5 });
/// # Ok::<(), socketserver::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LittleEndian<N>(PhantomData<N>);

/// A number that can be the length of a [`LengthPrefixed`] message: `u8`, `u16`, `u32`, `u64`, and each of them
/// [`LittleEndian`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length of a message",
    note = "there are `u8`, `u16`, `u32` and `u64`, which are big endian, and `LittleEndian<u16>` and its like"
)]
pub trait Prefix: private::Sealed {
    #[doc(hidden)]
    const SIZE: usize;

    #[doc(hidden)]
    fn get(prefix: &[u8]) -> u64;

    /// Appends the length; `false` if the number cannot say it.
    #[doc(hidden)]
    fn put(length: usize, output: &mut Vec<u8>) -> bool;
}

mod private {
    /// The numbers are a closed set, so that `Prefix` can change.
    pub trait Sealed {}
}

macro_rules! prefixes {
    ($($number:ident)*) => {$(
        impl private::Sealed for $number {}
        impl private::Sealed for LittleEndian<$number> {}

        impl Prefix for $number {
            const SIZE: usize = size_of::<$number>();

            fn get(prefix: &[u8]) -> u64 {
                prefix.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
            }

            fn put(length: usize, output: &mut Vec<u8>) -> bool {
                $number::try_from(length).map(|length| output.extend_from_slice(&length.to_be_bytes())).is_ok()
            }
        }

        impl Prefix for LittleEndian<$number> {
            const SIZE: usize = size_of::<$number>();

            fn get(prefix: &[u8]) -> u64 {
                prefix.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
            }

            fn put(length: usize, output: &mut Vec<u8>) -> bool {
                $number::try_from(length).map(|length| output.extend_from_slice(&length.to_le_bytes())).is_ok()
            }
        }
    )*};
}

prefixes!(u8 u16 u32 u64);
