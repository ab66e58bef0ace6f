//! Verifies a token's signature and its claims. This file depends on nothing else in the server, so that it can be
//! fuzzed in isolation.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use rotation::ClaimError;
use serde::de::DeserializeOwned;

/// Why a token is not accepted. Clients see only whether it expired; all other reasons look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is not one of ours: {0}")]
    Invalid(&'static str),
}

/// The reason for a well-formed token that is a forgery.
const WRONG_SIGNATURE: &str = "its signature does not fit";

impl TokenError {
    /// Whether the token was forged or modified: it names one of our keys, but that key did not sign it.
    pub fn is_forgery(self) -> bool {
        self == Self::Invalid(WRONG_SIGNATURE)
    }
}

/// Verifies the signature with this key and returns the claims. The claims are parsed, but not checked yet.
///
/// # Errors
/// If the signature does not match, or the claims have a different shape.
pub(super) fn verify_claims<C: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    alg: Algorithm,
) -> Result<C, TokenError> {
    let mut validation = Validation::new(alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    match jsonwebtoken::decode(token, key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(TokenError::Invalid(match error.kind() {
            ErrorKind::InvalidSignature => WRONG_SIGNATURE,
            _ => "its claims are not ours",
        })),
    }
}

/// A refused claim, as a reason for the log.
pub(super) fn refuse(error: ClaimError) -> TokenError {
    match error {
        ClaimError::Expired => TokenError::Expired,
        ClaimError::NotYetValid => TokenError::Invalid("nbf lies in the future"),
        ClaimError::IssuedInTheFuture => TokenError::Invalid("iat lies in the future"),
        ClaimError::WrongIssuer => TokenError::Invalid("iss is not ours"),
        ClaimError::WrongAudience => TokenError::Invalid("aud is not ours"),
        ClaimError::WrongClient => TokenError::Invalid("client_id is not ours"),
    }
}
