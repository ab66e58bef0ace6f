//! Signing and verifying tokens: jsonwebtoken for the signature, `rotation` for the claims.
//!
//! # Layout
//! - this file: [`Tokens`], what the rest of the server calls
//! - `header` the exact header that a token must have; `verify` its signature, and why it is refused
//! - [`keys`] the keys that sign access tokens: generated, encrypted, decrypted, published
//!
//! jsonwebtoken checks only the signature. Its own time checks read the system's clock, allow 60 s of leeway and skip
//! what they do not understand. So they are off, and `rotation` checks every claim with our clock.

mod header;
pub mod keys;
mod verify;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rotation::{
    AccessClaims, Generation, Jti, KeyId, LiveToken, RefreshClaims, Role, Session, SignedToken, Timestamp,
    UserId,
    claims::{ACCESS_TYP, Parties, REFRESH_TYP},
};

use crate::{
    secrets::MasterSecret,
    tokens::{
        header::{TokenHeader, read_header},
        keys::{Alg, KeyError, KeyLookup, KeyRing},
        verify::{refuse, verify_claims},
    },
};

pub use verify::TokenError;

/// Longer texts are refused without parsing: our own tokens are well under a kilobyte.
const MAX_TOKEN_BYTES: usize = 4096;

/// Issues and verifies both kinds of token.
#[derive(Debug, Clone)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parties: Parties,
    access: KeyRing,
    /// Newest first.
    refresh: Vec<RefreshKey>,
}

struct RefreshKey {
    kid: KeyId,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// An access token is not accepted, or it could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Refused(#[from] TokenError),
    /// It names a key that this node does not have, and the database cannot be queried for it.
    #[error("its kid is unknown, and the keys cannot be looked up: {0}")]
    Unavailable(#[from] KeyError),
}

/// A token could not be signed. No client can cause this.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("the key {0} is not among those derived from secrets.master")]
    UnknownKey(KeyId),
    #[error("there is no key that signs access tokens")]
    NoKey,
    #[error(transparent)]
    Jwt(#[from] jsonwebtoken::errors::Error),
}

impl Tokens {
    pub fn new(parties: Parties, master: &MasterSecret, access: KeyRing) -> Self {
        let refresh = master
            .refresh_keys()
            .map(|(kid, secret)| RefreshKey {
                kid,
                encoding: EncodingKey::from_secret(secret),
                decoding: DecodingKey::from_secret(secret),
            })
            .collect();
        Self(Arc::new(Inner {
            parties,
            access,
            refresh,
        }))
    }

    /// The keys of access tokens.
    pub fn key_ring(&self) -> &KeyRing {
        &self.0.access
    }

    /// The id of the key that signs new refresh tokens.
    ///
    /// # Panics
    /// If there is no master secret, which the configuration rules out.
    pub fn newest_refresh_key(&self) -> &KeyId {
        &self
            .0
            .refresh
            .first()
            .expect("configuration has at least one master secret")
            .kid
    }

    /// # Errors
    /// If the key cannot sign.
    pub fn issue_access(
        &self,
        session: &Session,
        generation: Generation,
        role: Role,
        jti: Jti,
        now: Timestamp,
        exp: Timestamp,
    ) -> Result<SignedToken, SigningError> {
        let claims = AccessClaims::issue(&self.0.parties, session, generation, role, jti, now, exp);
        let key = self.0.access.signer(now).ok_or(SigningError::NoKey)?;
        Ok(SignedToken::new(jsonwebtoken::encode(
            &header(ACCESS_TYP, key.alg.into(), &key.kid),
            &claims,
            &key.encoding,
        )?))
    }

    /// Verifies an access token: header, signature, then every claim at `now`. Does not query the database.
    ///
    /// # Errors
    /// If any of them is invalid.
    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let claims = self.read_access(token, &access_header(token)?, now)?;
        claims.check(&self.0.parties, now).map_err(refuse)?;
        Ok(claims)
    }

    /// Like [`verify_access`](Self::verify_access), but first looks up a key that this node does not have: another node
    /// may have begun to sign with it.
    ///
    /// # Errors
    /// If the token is invalid, or its key is unknown and cannot be looked up.
    pub async fn verify_access_or_reload(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, VerifyError> {
        let header = access_header(token)?;
        self.ensure_loaded(&header, now).await?;
        let claims = self.read_access(token, &header, now)?;
        claims.check(&self.0.parties, now).map_err(refuse)?;
        Ok(claims)
    }

    /// The session that an access token names, even if the token has expired: enough to end that session. First looks
    /// up a key that this node does not have.
    ///
    /// # Errors
    /// If the token was not signed by us, or its key is unknown and cannot be looked up.
    pub async fn session_of_access(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<rotation::SessionId, VerifyError> {
        let header = access_header(token)?;
        self.ensure_loaded(&header, now).await?;
        let claims = self.read_access(token, &header, now)?;
        // Checked at its own time of issue: subject, audience and issuer must still be valid.
        claims
            .check(&self.0.parties, Timestamp::from_secs(claims.iat))
            .map_err(refuse)?;
        Ok(claims.sid)
    }

    /// Signs a refresh token. The same `live_token` always gives the same bytes (RFC 7515 §A.1: HMAC).
    ///
    /// # Errors
    /// If the key that `live_token` names no longer exists.
    pub fn sign_refresh(
        &self,
        user: UserId,
        session: rotation::SessionId,
        live_token: &LiveToken,
    ) -> Result<SignedToken, SigningError> {
        let key = self.0.refresh.iter().find(|key| key.kid == live_token.kid);
        let key = key.ok_or_else(|| SigningError::UnknownKey(live_token.kid.clone()))?;
        let claims = RefreshClaims::of(&self.0.parties, user, session, live_token);
        Ok(SignedToken::new(jsonwebtoken::encode(
            &header(REFRESH_TYP, Algorithm::HS256, &key.kid),
            &claims,
            &key.encoding,
        )?))
    }

    /// Verifies a refresh token: header, signature, then every claim at `now`.
    ///
    /// # Errors
    /// If any of them is invalid.
    pub fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<RefreshClaims, TokenError> {
        let claims = self.read_refresh(token)?;
        claims.check(&self.0.parties, now).map_err(refuse)?;
        Ok(claims)
    }

    /// Call this before verifying a refresh token. Its key may come from a version of the master secret that another
    /// node received first. Then this node cannot verify the token, and must not refuse it.
    ///
    /// # Errors
    /// If this is the case, or the database cannot be queried.
    pub async fn ensure_refresh_key(&self, token: &str) -> Result<(), VerifyError> {
        let Ok(header) = read_header(token, MAX_TOKEN_BYTES, REFRESH_TYP) else {
            return Ok(());
        };
        if self.0.refresh.iter().any(|key| key.kid.as_str() == header.kid()) {
            return Ok(());
        }
        if self.0.access.is_of_another_node(header.kid()).await? {
            Err(KeyError::MissingSecret.into())
        } else {
            Ok(())
        }
    }

    /// The session that a refresh token names, even if the token has expired: enough to end that session.
    ///
    /// # Errors
    /// If the token was not signed by us.
    pub fn session_of_refresh(&self, token: &str) -> Result<rotation::SessionId, TokenError> {
        let claims = self.read_refresh(token)?;
        claims.check_identity(&self.0.parties).map_err(refuse)?;
        Ok(claims.sid)
    }

    async fn ensure_loaded(&self, header: &TokenHeader, now: Timestamp) -> Result<(), KeyError> {
        match self.0.access.find(header.kid(), now) {
            KeyLookup::Key(_) | KeyLookup::Ended => Ok(()),
            KeyLookup::Unknown => self.0.access.reload_for(header.kid()).await,
        }
    }

    fn read_access(
        &self,
        token: &str,
        header: &TokenHeader,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        let key = match self.0.access.find(header.kid(), now) {
            KeyLookup::Key(key) => key,
            KeyLookup::Ended => return Err(TokenError::Invalid("its key has ended")),
            KeyLookup::Unknown => return Err(TokenError::Invalid("its kid is unknown")),
        };
        header.is_for(key.alg.as_str())?;
        verify_claims(token, &key.decoding, key.alg.into())
    }

    /// An unknown key is final here: keys of refresh tokens are derived from the master secret in the configuration,
    /// which does not change while a node runs. See [`ensure_refresh_key`](Self::ensure_refresh_key).
    fn read_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let header = read_header(token, MAX_TOKEN_BYTES, REFRESH_TYP)?;
        let mut keys = self.0.refresh.iter();
        let key = keys.find(|key| key.kid.as_str() == header.kid());
        let key = key.ok_or(TokenError::Invalid("its kid is unknown"))?;
        header.is_for(Alg::Hs256.as_str())?;
        verify_claims(token, &key.decoding, Algorithm::HS256)
    }
}

/// Reads the header of an alleged access token. An algorithm that none of our keys has is refused here, before the key
/// is looked up.
fn access_header(token: &str) -> Result<TokenHeader, TokenError> {
    let header = read_header(token, MAX_TOKEN_BYTES, ACCESS_TYP)?;
    let ours = Alg::ALL.iter().any(|alg| header.is_for(alg.as_str()).is_ok());
    if ours {
        Ok(header)
    } else {
        Err(TokenError::Invalid("its alg is none of ours"))
    }
}

fn header(typ: &str, alg: Algorithm, kid: &KeyId) -> Header {
    let mut header = Header::new(alg);
    header.typ = Some(typ.to_owned());
    header.kid = Some(kid.as_str().to_owned());
    header
}

impl std::fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
