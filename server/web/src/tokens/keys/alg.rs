//! The algorithms of access tokens.

use std::{fmt, str::FromStr};

use jsonwebtoken::Algorithm;

/// The signing algorithm of a key. A key has one algorithm for its whole life (RFC 8725 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alg {
    /// Ed25519 (RFC 8037 §3.1): small, fast, deterministic.
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4), for verifiers without Ed25519.
    Es256,
    /// HMAC with SHA-256 (RFC 7518 §3.2): a verifier could sign as well, so the key is never shared.
    Hs256,
}

/// The text does not name a supported algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be EdDSA, ES256 or HS256")]
pub struct UnknownAlg;

impl Alg {
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Hs256];

    /// The name in `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether others can verify with a public key.
    pub const fn is_public(self) -> bool {
        match self {
            Self::EdDsa | Self::Es256 => true,
            Self::Hs256 => false,
        }
    }
}

impl From<Alg> for Algorithm {
    fn from(alg: Alg) -> Self {
        match alg {
            Alg::EdDsa => Self::EdDSA,
            Alg::Es256 => Self::ES256,
            Alg::Hs256 => Self::HS256,
        }
    }
}

impl FromStr for Alg {
    type Err = UnknownAlg;

    /// Names are case-sensitive (RFC 7515 §4.1.1).
    fn from_str(text: &str) -> Result<Self, UnknownAlg> {
        Self::ALL
            .into_iter()
            .find(|alg| alg.as_str() == text)
            .ok_or(UnknownAlg)
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
