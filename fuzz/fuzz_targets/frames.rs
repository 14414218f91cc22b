//! Any bytes, in any pieces, to any frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socketserver::{Delimited, Fixed, Frame, LengthPrefixed, Line, LittleEndian, MessageOptions, Resp};
use support::decode;

fuzz_target!(|input: (u8, Vec<Vec<u8>>)| {
    let (frame, pieces) = input;
    match frame % 8 {
        0 => check::<Line>(&pieces),
        1 => check::<Delimited<0>>(&pieces),
        2 => check::<LengthPrefixed<u8>>(&pieces),
        3 => check::<LengthPrefixed<u16, 64>>(&pieces),
        4 => check::<LengthPrefixed<LittleEndian<u32>, 64>>(&pieces),
        5 => check::<LengthPrefixed<u64>>(&pieces),
        6 => check::<Resp>(&pieces),
        _ => check::<Fixed<5>>(&pieces),
    }
});

fn check<F: Frame>(pieces: &[Vec<u8>]) {
    let mut options = MessageOptions::default();
    options.max_line = 16;
    assert_eq!(decode::<F>(options, pieces), decode::<F>(options, &[pieces.concat()]));
}
