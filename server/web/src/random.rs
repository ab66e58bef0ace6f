//! Randomness as a parameter.

use aws_lc_rs::rand::SystemRandom as Source;

/// A source of random bytes.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// Returns the requested number of random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// An unguessable name: 128 bits in lower-case hexadecimal, which may be part of a URL.
    pub fn name(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }
}

/// The cryptographic random number generator of the system.
#[derive(Debug, Default)]
pub struct SystemRandom(Source);

impl Random for SystemRandom {
    /// # Panics
    /// If the system has no randomness. Without it, nothing that this server does is secure.
    fn fill(&self, bytes: &mut [u8]) {
        use aws_lc_rs::rand::SecureRandom;
        self.0
            .fill(bytes)
            .expect("the system's random number generator works");
    }
}
