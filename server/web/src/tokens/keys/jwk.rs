//! The public keys, as JSON (RFC 7517).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;

use super::Alg;

/// A JWK Set (RFC 7517 §5).
#[derive(Debug, Clone, Serialize)]
pub struct JwkSet {
    pub(super) keys: Vec<Jwk>,
}

/// A public key.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Jwk {
    #[serde(flatten)]
    half: PublicHalf,
    kid: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

/// The members of a public key, by key type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub(super) enum PublicHalf {
    /// RFC 8037 §2
    #[serde(rename = "OKP")]
    Ed25519 { crv: &'static str, x: String },
    /// RFC 7518 §6.2: both coordinates, each of the curve's full length.
    #[serde(rename = "EC")]
    P256 { crv: &'static str, x: String, y: String },
}

/// The first byte of a point with both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
const P256_COORDINATE: usize = 32;

impl PublicHalf {
    pub(super) fn ed25519(public: &[u8]) -> Self {
        Self::Ed25519 {
            crv: "Ed25519",
            x: BASE64_URL_SAFE_NO_PAD.encode(public),
        }
    }

    /// `None` if `point` is not an uncompressed point of the curve's length.
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[UNCOMPRESSED])?;
        if coordinates.len() != 2 * P256_COORDINATE {
            return None;
        }
        let (x, y) = coordinates.split_at(P256_COORDINATE);
        Some(Self::P256 {
            crv: "P-256",
            x: BASE64_URL_SAFE_NO_PAD.encode(x),
            y: BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }
}

impl Jwk {
    pub(super) fn new(half: PublicHalf, kid: &str, alg: Alg) -> Self {
        Self {
            half,
            kid: kid.to_owned(),
            alg: alg.as_str(),
            usage: "sig",
        }
    }
}
