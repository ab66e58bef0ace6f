//! The cost of hashing a password, and which stored hashes are verified at all.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{self, Ident, Output, ParamsString, Salt},
};
use store::users::PasswordHash;

use super::error::{PasswordError, hash_error};

/// Bytes of a digest. Shorter ones can be guessed without the password.
const OUTPUT_LEN: usize = 32;
const MIN_OUTPUT_LEN: usize = 16;
/// Blocks of memory that argon2 needs for each lane (RFC 9106 §3.1).
const MIN_BLOCKS: u32 = 8;

/// Parameters of argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

impl Cost {
    /// The upper limit of `passwords.*`, so none of our hashes was ever made with more. A stored hash above it is
    /// refused: it comes from elsewhere, and computing it could take gigabytes and minutes.
    pub const MAX: Self = Self {
        memory_kib: 1_048_576,
        iterations: 16,
        parallelism: 16,
    };

    /// Total kibibytes written. The time of a hash grows with this; lanes are computed one after the other.
    pub fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    /// Whether a hash of this cost is harder to attack than one of `other`.
    pub fn exceeds(self, other: Self) -> bool {
        (self.work(), self.memory_kib) > (other.work(), other.memory_kib)
    }

    /// The work left after `done`, so that both together take as long as this cost.
    pub fn remainder(self, done: Self) -> Option<Self> {
        let left = self.work().saturating_sub(done.work());
        if left < u64::from(MIN_BLOCKS) {
            return None;
        }
        let iterations = left.div_ceil(u64::from(self.memory_kib));
        Some(Self {
            memory_kib: u32::try_from(left / iterations).ok()?.max(MIN_BLOCKS),
            iterations: u32::try_from(iterations).ok()?,
            parallelism: 1,
        })
    }

    /// The number of blocks in a work area.
    pub(super) fn blocks(self) -> usize {
        self.memory_kib as usize
    }

    /// # Errors
    /// If argon2 does not accept the parameters.
    pub(super) fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, None);
        let params = params.map_err(hash_error)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// The cost at the beginning of a stored hash, if it is one that we would compute.
    pub fn of_stored(text: &str) -> Option<Self> {
        let hash = phc::PasswordHash::new(text.trim_end_matches('$')).ok()?;
        cost_of(&hash).ok()
    }
}

/// A stored hash that can be verified.
#[derive(Debug)]
pub(super) struct StoredHash {
    pub(super) cost: Cost,
    pub(super) salt: Salt,
    pub(super) output: Output,
}

/// Why a stored hash is not verified. It contains no part of the hash itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    #[error("it is not a hash in the PHC string format")]
    Format,
    #[error("its algorithm is not argon2id")]
    Algorithm,
    #[error("its version of argon2 is not 19")]
    Version,
    #[error("its parameters are outside of what passwords.* can be set to")]
    Parameters,
    #[error("its salt is missing or too short")]
    Salt,
    #[error("its digest is missing or too short")]
    Digest,
}

impl StoredHash {
    /// Checks a stored hash before anything is computed.
    ///
    /// # Errors
    /// Why it cannot be verified.
    pub(super) fn parse(hash: &PasswordHash) -> Result<Self, UnusableHash> {
        let hash = phc::PasswordHash::new(hash.as_str()).map_err(|_| UnusableHash::Format)?;
        let cost = cost_of(&hash)?;
        let long_enough = |salt: &Salt| salt.len() >= argon2::MIN_SALT_LEN;
        Ok(Self {
            cost,
            salt: hash.salt.filter(long_enough).ok_or(UnusableHash::Salt)?,
            output: hash
                .hash
                .filter(|output| output.len() >= MIN_OUTPUT_LEN)
                .ok_or(UnusableHash::Digest)?,
        })
    }
}

/// The parameters of a parsed hash, if they are within our limits. Low ones are cheap and are raised at the next
/// sign-in, so only argon2 itself sets a lower bound.
fn cost_of(hash: &phc::PasswordHash) -> Result<Cost, UnusableHash> {
    if hash.algorithm != argon2::ARGON2ID_IDENT {
        return Err(UnusableHash::Algorithm);
    }
    if hash.version != Some(Version::V0x13.into()) {
        return Err(UnusableHash::Version);
    }
    let number = |name| hash.params.get_decimal(name).ok_or(UnusableHash::Parameters);
    let cost = Cost {
        memory_kib: number("m")?,
        iterations: number("t")?,
        parallelism: number("p")?,
    };
    let within = cost.memory_kib <= Cost::MAX.memory_kib
        && (1..=Cost::MAX.iterations).contains(&cost.iterations)
        && (1..=Cost::MAX.parallelism).contains(&cost.parallelism)
        && cost.memory_kib >= MIN_BLOCKS * cost.parallelism
        // Nothing else: we never used key ids or associated data.
        && hash.params.iter().count() == 3;
    within.then_some(cost).ok_or(UnusableHash::Parameters)
}

/// Encodes a finished hash for storage.
pub(super) fn encode(cost: Cost, salt: &[u8], output: &[u8]) -> Result<PasswordHash, PasswordError> {
    let mut params = ParamsString::new();
    for (name, value) in [
        ("m", cost.memory_kib),
        ("t", cost.iterations),
        ("p", cost.parallelism),
    ] {
        let name = Ident::new(name).map_err(hash_error)?;
        params.add_decimal(name, value).map_err(hash_error)?;
    }
    let hash = phc::PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(Salt::new(salt).map_err(hash_error)?),
        hash: Some(Output::new(output).map_err(hash_error)?),
    };
    Ok(PasswordHash::new(hash.to_string()))
}

/// A buffer for one of our digests.
pub(super) const fn new_output() -> [u8; OUTPUT_LEN] {
    [0; OUTPUT_LEN]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c2FsdHNhbHRzYWx0c2FsdA";
    const DIGEST: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";

    fn judged(text: &str) -> Result<Cost, UnusableHash> {
        StoredHash::parse(&PasswordHash::new(text.to_owned())).map(|hash| hash.cost)
    }

    fn with_parameters(parameters: &str) -> String {
        format!("$argon2id$v=19${parameters}${SALT}${DIGEST}")
    }

    #[test]
    fn every_cost_that_configuration_accepts_is_verified() {
        for memory_kib in [7_168, 19_456, 65_536, 1_048_576] {
            for iterations in [1, 2, 16] {
                for parallelism in [1, 4, 16] {
                    let cost = Cost {
                        memory_kib,
                        iterations,
                        parallelism,
                    };
                    let text = with_parameters(&format!("m={memory_kib},t={iterations},p={parallelism}"));
                    assert_eq!(judged(&text), Ok(cost), "{text}");
                    let prefix = text.strip_suffix(&format!("{SALT}${DIGEST}")).expect("a prefix");
                    assert_eq!(Cost::of_stored(prefix), Some(cost), "{prefix}");
                }
            }
        }
    }

    #[test]
    fn what_was_never_ours_is_refused_without_work() {
        for (text, why) in [
            (with_parameters("m=4194304,t=1,p=1"), UnusableHash::Parameters),
            (with_parameters("m=1048577,t=1,p=1"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=2000,p=1"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=17,p=1"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=0,p=1"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=2,p=17"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=2,p=0"), UnusableHash::Parameters),
            (with_parameters("m=31,t=2,p=4"), UnusableHash::Parameters),
            (with_parameters("m=19456,t=2"), UnusableHash::Parameters),
            (
                with_parameters("m=19456,t=2,p=1,data=YWJj"),
                UnusableHash::Parameters,
            ),
            (
                format!("$argon2i$v=19$m=19456,t=2,p=1${SALT}${DIGEST}"),
                UnusableHash::Algorithm,
            ),
            (
                format!("$argon2d$v=19$m=19456,t=2,p=1${SALT}${DIGEST}"),
                UnusableHash::Algorithm,
            ),
            (
                format!("$argon2id$v=16$m=19456,t=2,p=1${SALT}${DIGEST}"),
                UnusableHash::Version,
            ),
            (
                format!("$argon2id$m=19456,t=2,p=1${SALT}${DIGEST}"),
                UnusableHash::Version,
            ),
            ("$argon2id$v=19$m=19456,t=2,p=1".into(), UnusableHash::Salt),
            (
                format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}"),
                UnusableHash::Digest,
            ),
            (
                format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}$MTIzNDU2Nzg5MDEy"),
                UnusableHash::Digest,
            ),
            (String::new(), UnusableHash::Format),
            ("hunter2".into(), UnusableHash::Format),
            (
                "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m".into(),
                UnusableHash::Format,
            ),
            (with_parameters("m=99999999999,t=2,p=1"), UnusableHash::Parameters),
            (
                format!("{}$more", with_parameters("m=19456,t=2,p=1")),
                UnusableHash::Format,
            ),
        ] {
            assert_eq!(judged(&text), Err(why), "{text}");
        }
    }

    #[test]
    fn the_remainder_makes_up_for_a_cheaper_hash() {
        let cost = |memory_kib, iterations| Cost {
            memory_kib,
            iterations,
            parallelism: 1,
        };
        for most in [
            cost(7_168, 5),
            cost(19_456, 2),
            cost(65_536, 3),
            cost(1_048_576, 16),
        ] {
            for done in [cost(64, 1), cost(7_168, 5), cost(19_456, 2), cost(65_536, 3)] {
                let left = most.remainder(done).map_or(0, Cost::work);
                let wanted = most.work().saturating_sub(done.work());
                assert!(
                    left.abs_diff(wanted) <= 16,
                    "{most:?} after {done:?}: {left} of {wanted}"
                );
            }
        }
        assert_eq!(cost(7_168, 5).remainder(cost(19_456, 2)), None);
    }

    #[test]
    fn a_cost_exceeds_another_by_its_work() {
        let cost = |memory_kib, iterations| Cost {
            memory_kib,
            iterations,
            parallelism: 1,
        };
        assert!(cost(19_456, 2).exceeds(cost(7_168, 5)));
        assert!(
            cost(20_000, 2).exceeds(cost(10_000, 4)),
            "memory decides between equals"
        );
        assert!(!cost(19_456, 2).exceeds(cost(19_456, 2)));
        assert!(!cost(7_168, 5).exceeds(cost(65_536, 3)));
    }
}
