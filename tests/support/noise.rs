//! Bytes that no program was written for.

/// Random numbers, the same for the same seed, so that what fails can be repeated. Marsaglia's xorshift.
#[derive(Debug)]
pub struct Noise {
    state: u64,
}

impl Noise {
    /// From any seed.
    pub fn new(seed: u64) -> Self {
        // It would stay at 0 for ever.
        Self { state: seed | 1 << 63 }
    }

    /// One of the numbers below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).expect("48 bits") % end
    }

    /// So many bytes of any value.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).expect("a byte")).collect()
    }

    /// The same bytes but for one to four.
    pub fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            damaged[place] = self.bytes(1)[0];
        }
        damaged
    }
}
