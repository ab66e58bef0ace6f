//! Tokens: header, signature and claims, in the order in which the server checks them.

#[path = "../../web/src/tokens/header.rs"]
mod header;
#[path = "../../web/src/tokens/verify.rs"]
mod verify;

use jsonwebtoken::{Algorithm, DecodingKey};
use rotation::{AccessClaims, RefreshClaims, Timestamp, claims::Parties};

pub use verify::TokenError;

/// As `MAX_TOKEN_BYTES` of the server.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// A key that verifies one kind of token.
pub struct VerifyingKey {
    pub kid: &'static str,
    pub alg: Algorithm,
    pub alg_name: &'static str,
    pub decoding: DecodingKey,
}

/// As `Tokens::verify_access` of the server.
pub fn verify_access(
    token: &str,
    key: &VerifyingKey,
    parties: &Parties,
    now: Timestamp,
) -> Result<AccessClaims, TokenError> {
    let claims: AccessClaims = signed_claims(token, rotation::claims::ACCESS_TYP, key)?;
    claims.check(parties, now).map_err(verify::refuse)?;
    Ok(claims)
}

/// As `Tokens::verify_refresh` of the server.
pub fn verify_refresh(
    token: &str,
    key: &VerifyingKey,
    parties: &Parties,
    now: Timestamp,
) -> Result<RefreshClaims, TokenError> {
    let claims: RefreshClaims = signed_claims(token, rotation::claims::REFRESH_TYP, key)?;
    claims.check(parties, now).map_err(verify::refuse)?;
    Ok(claims)
}

fn signed_claims<C: serde::de::DeserializeOwned>(
    token: &str,
    typ: &str,
    key: &VerifyingKey,
) -> Result<C, TokenError> {
    let header = header::read_header(token, MAX_TOKEN_BYTES, typ)?;
    if header.kid() != key.kid {
        return Err(TokenError::Invalid("its kid is unknown"));
    }
    header.is_for(key.alg_name)?;
    verify::verify_claims(token, &key.decoding, key.alg)
}
