//! The configuration of signing keys, and the times that follow from it.

use std::time::Duration;

use rotation::claims::NODE_SKEW_SECS;

use super::{Alg, JWKS_MAX_AGE};

/// The configuration of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRules {
    /// The algorithm of new keys.
    pub alg: Alg,
    /// The lifetime of a token that a key signs.
    pub access_ttl: Duration,
    /// How long a key signs before the next is published. `None`: until an operator rotates.
    pub rotate_every: Option<Duration>,
}

/// How soon every node has a key that another node published: nodes poll twice a second, and a query takes a moment.
const PROPAGATION_TIME: Duration = Duration::from_secs(1);
const NODE_SKEW: Duration = Duration::from_secs(NODE_SKEW_SECS.unsigned_abs());

impl KeyRules {
    /// How long a key is published before it signs. A verifier that fetched the keys just before caches them for
    /// [`JWKS_MAX_AGE`], and it may have asked a node that did not have the new key yet.
    pub fn lead(&self) -> Duration {
        let cached = if self.alg.is_public() {
            JWKS_MAX_AGE
        } else {
            Duration::ZERO
        };
        cached + PROPAGATION_TIME + NODE_SKEW
    }

    /// How long a key verifies after its successor began. A node whose clock is slow still signs with it for a moment,
    /// and that token lives its full lifetime.
    pub fn tail(&self) -> Duration {
        self.access_ttl + NODE_SKEW
    }
}
