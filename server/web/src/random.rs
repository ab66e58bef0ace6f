//! Chance as a parameter.

use aws_lc_rs::rand::SystemRandom as Source;

/// Where random bytes come from.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// As many random bytes as are asked for.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A name that nobody guesses: 128 bits in lower-case hexadecimal, which may be part of an address.
    pub fn name(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }
}

/// The cryptographic generator of the system.
#[derive(Debug, Default)]
pub struct SystemRandom(Source);

impl Random for SystemRandom {
    /// # Panics
    /// If the system has no randomness to give. Nothing that this server does is safe without.
    fn fill(&self, bytes: &mut [u8]) {
        use aws_lc_rs::rand::SecureRandom;
        self.0
            .fill(bytes)
            .expect("the system's random number generator works");
    }
}
