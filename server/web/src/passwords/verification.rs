//! Comparing a password with a stored hash, with the same work for every refusal.

use argon2::{Argon2, password_hash::phc::Output};
use store::users::PasswordHash;
use zeroize::Zeroize;

use super::{
    cost::{self, Cost, StoredHash, UnusableHash},
    error::{PasswordError, hash_error},
    password::Password,
    work_areas::WorkArea,
};

/// Salt for computations whose result is discarded.
const DISCARDED: [u8; 16] = [0; 16];

/// The result of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    Match {
        /// The hash was made with weaker parameters than those configured now.
        is_outdated: bool,
    },
    Mismatch,
    /// The hash is not one of ours. No password matches until the account gets a new one.
    Unusable(UnusableHash),
}

/// What to compute to compare a password. Decided from the parameters alone, before any hashing.
#[derive(Debug)]
pub(super) struct VerificationPlan {
    /// The hash to compare with, if there is one that can be verified.
    pub(super) stored: Option<StoredHash>,
    unusable: Option<UnusableHash>,
    /// Extra work whose result is discarded. Skipped if the password matches.
    pub(super) padding: Option<Cost>,
}

impl VerificationPlan {
    pub(super) fn new(hash: Option<&PasswordHash>, most_expensive: Cost) -> Self {
        match hash.map(StoredHash::parse) {
            Some(Ok(stored)) => Self {
                padding: most_expensive.remainder(stored.cost),
                stored: Some(stored),
                unusable: None,
            },
            refused => Self {
                stored: None,
                unusable: refused.and_then(Result::err),
                padding: Some(most_expensive),
            },
        }
    }

    pub(super) fn execute(
        self,
        area: &mut WorkArea,
        password: &Password,
        configured: Cost,
    ) -> Result<PasswordCheck, PasswordError> {
        if let Some(stored) = &self.stored
            && matches_hash(area, password, stored)?
        {
            return Ok(PasswordCheck::Match {
                is_outdated: configured.exceeds(stored.cost),
            });
        }
        if let Some(padding) = self.padding {
            compute(area, padding, password, &DISCARDED, &mut cost::new_output())?;
        }
        Ok(self
            .unusable
            .map_or(PasswordCheck::Mismatch, PasswordCheck::Unusable))
    }
}

fn matches_hash(
    area: &mut WorkArea,
    password: &Password,
    stored: &StoredHash,
) -> Result<bool, PasswordError> {
    let mut output = [0; Output::MAX_LENGTH];
    let output = &mut output[..stored.output.len()];
    compute(area, stored.cost, password, &stored.salt, output)?;
    let computed = Output::new(output).map_err(hash_error)?;
    output.zeroize();
    // Compares in constant time.
    Ok(computed == stored.output)
}

/// Computes an argon2id hash in a work area.
///
/// # Errors
/// If there is no memory, or argon2 fails.
pub(super) fn compute(
    area: &mut WorkArea,
    cost: Cost,
    password: &Password,
    salt: &[u8],
    output: &mut [u8],
) -> Result<(), PasswordError> {
    let argon2: Argon2<'_> = cost.argon2()?;
    let blocks = area.blocks(cost.blocks())?;
    argon2
        .hash_password_into_with_memory(password.expose().as_bytes(), salt, output, blocks)
        .map_err(hash_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The work of a sign-in whose password does not match, calculated from the parameters alone.
    fn work_of(stored: Option<&str>, most_expensive: Cost) -> u64 {
        let stored = stored.map(|text| PasswordHash::new(text.to_owned()));
        let plan = VerificationPlan::new(stored.as_ref(), most_expensive);
        let compared = plan.stored.map_or(0, |stored| stored.cost.work());
        compared + plan.padding.map_or(0, Cost::work)
    }

    #[test]
    fn every_refusal_takes_the_work_of_the_most_expensive_hash() {
        const END: &str = "p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let most = Cost {
            memory_kib: 65_536,
            iterations: 3,
            parallelism: 1,
        };
        for stored in [
            None,
            Some(format!("$argon2id$v=19$m=7168,t=5,{END}")),
            Some(format!("$argon2id$v=19$m=19456,t=2,{END}")),
            Some(format!("$argon2id$v=19$m=65536,t=3,{END}")),
            Some(format!("$argon2id$v=19$m=4194304,t=1,{END}")),
            Some(format!("$argon2i$v=19$m=7168,t=5,{END}")),
            Some("not a hash".to_owned()),
        ] {
            let work = work_of(stored.as_deref(), most);
            assert!(
                work.abs_diff(most.work()) <= 16,
                "{stored:?}: {work} of {}",
                most.work()
            );
        }
    }
}
