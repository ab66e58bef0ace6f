//! Reproducible randomness: everything random in a stress test comes from one printed seed.

/// The seed of this run: `KEYTURN_PROOF_SEED`, or a fixed default.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("KEYTURN_PROOF_SEED")
        .ok()
        .map_or(0x6b65_7974_7572_6e00, |text| text.parse().expect("a number"));
    println!("KEYTURN_PROOF_SEED={seed}");
    seed
}

/// `SplitMix64` (Steele, Lea, Flood, 2014): small, and good enough for test choices.
#[derive(Clone, Debug)]
pub(crate) struct SeededRng(u64);

impl SeededRng {
    /// The generator of one test; `salt` makes its sequence different from others.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self(seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_u64() % u64::try_from(bound).expect("64 bits")).expect("64 bits")
    }

    /// True once in `times` on average.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
