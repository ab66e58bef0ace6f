//! The claims of both kinds of token.
//!
//! The order of the fields is the order of serialisation and part of the contract. A replayed refresh token is signed
//! again and must be identical byte by byte (`tests/golden.rs`). Unknown, missing, duplicate and wrongly typed claims
//! are rejected, because only this server issues these tokens.

use serde::{Deserialize, Serialize};

use crate::{Generation, Jti, LiveToken, Presented, Role, Session, SessionId, Timestamp, UserId};

/// `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TYP: &str = "at+jwt";
/// `typ` of a refresh token. A separate type, so that neither kind can be used in place of the other (RFC 8725 §3.11).
pub const REFRESH_TYP: &str = "rt+jwt";
/// `client_id` of the browser application (RFC 9068 §2.2).
pub const CLIENT_ID: &str = "keyturn-web";
/// Maximum clock difference between two nodes, in seconds. Applies to `nbf` and `iat`, never to `exp`.
pub const NODE_SKEW_SECS: i64 = 5;

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// The issuer: the server's public URL.
    pub iss: String,
    /// The audience: the API.
    pub aud: String,
    /// The account.
    pub sub: UserId,
    /// The client that got the token: [`CLIENT_ID`].
    pub client_id: String,
    /// The session.
    pub sid: SessionId,
    /// The generation of the refresh token that was issued with it.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The account's role when the token was issued.
    pub role: Role,
    /// The token's own id.
    pub jti: Jti,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// From when it is valid, in seconds since the Unix epoch.
    pub nbf: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: i64,
    /// When the user last entered the password, in seconds since the Unix epoch.
    pub auth_time: i64,
}

/// The claims of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshClaims {
    /// The issuer: the server's public URL.
    pub iss: String,
    /// The audience: [`Parties::refresh_audience`].
    pub aud: String,
    /// The account.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// Its number within the session.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The token's own id, which the blacklist names.
    pub jti: Jti,
    /// When it was issued, in seconds since the Unix epoch.
    pub iat: i64,
    /// When it expires, in seconds since the Unix epoch.
    pub exp: i64,
}

/// The issuer and the audience of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The value of `iss` in every token.
    pub issuer: String,
    /// The value of `aud` in access tokens.
    pub audience: String,
}

/// Why claims are rejected. Callers respond to all but `Expired` alike; the difference is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// `exp` has passed.
    #[error("exp has passed")]
    Expired,
    /// `nbf` is more than [`NODE_SKEW_SECS`] ahead.
    #[error("nbf lies in the future")]
    NotYetValid,
    /// `iat` is more than [`NODE_SKEW_SECS`] ahead.
    #[error("iat lies in the future")]
    IssuedInTheFuture,
    /// `iss` is another issuer.
    #[error("iss is not ours")]
    WrongIssuer,
    /// `aud` is another audience.
    #[error("aud is not ours")]
    WrongAudience,
    /// `client_id` is another client.
    #[error("client_id is not ours")]
    WrongClient,
}

impl Parties {
    /// The audience of refresh tokens: the only endpoint that accepts them.
    pub fn refresh_audience(&self) -> String {
        format!("{}/api/auth/refresh", self.issuer)
    }
}

impl AccessClaims {
    /// The claims of an access token that is issued at `now`.
    pub fn issue(
        parties: &Parties,
        session: &Session,
        generation: Generation,
        role: Role,
        jti: Jti,
        now: Timestamp,
        exp: Timestamp,
    ) -> Self {
        Self {
            iss: parties.issuer.clone(),
            aud: parties.audience.clone(),
            sub: session.user_id,
            client_id: CLIENT_ID.to_owned(),
            sid: session.id,
            generation,
            role,
            jti,
            iat: now.secs(),
            nbf: now.secs(),
            exp: exp.secs(),
            auth_time: session.created_at.secs(),
        }
    }

    /// Checks at `now` every claim that has an expected value.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, parties: &Parties, now: Timestamp) -> Result<(), ClaimError> {
        check_parties(&self.iss, &self.aud, &parties.issuer, &parties.audience)?;
        if self.client_id != CLIENT_ID {
            return Err(ClaimError::WrongClient);
        }
        if self.nbf > now.secs().saturating_add(NODE_SKEW_SECS) {
            return Err(ClaimError::NotYetValid);
        }
        if self.iat > now.secs().saturating_add(NODE_SKEW_SECS) {
            return Err(ClaimError::IssuedInTheFuture);
        }
        check_expiry(self.exp, now)
    }
}

impl RefreshClaims {
    /// The claims of a session's refresh token. They depend only on the stored row.
    pub fn of(parties: &Parties, user: UserId, session: SessionId, token: &LiveToken) -> Self {
        Self {
            iss: parties.issuer.clone(),
            aud: parties.refresh_audience(),
            sub: user,
            sid: session,
            generation: token.generation,
            jti: token.jti,
            iat: token.issued_at.secs(),
            exp: token.expires_at.secs(),
        }
    }

    /// Checks issuer, audience and expiry at `now`.
    ///
    /// `iat` is not checked: a clock that is set back, or two nodes whose clocks differ by seconds, must sign no one
    /// out. The generation in the database decides which refresh token is live, never time.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, parties: &Parties, now: Timestamp) -> Result<(), ClaimError> {
        self.check_identity(parties)?;
        check_expiry(self.exp, now)
    }

    /// Checks all claims except the times: an expired token is sufficient to end a session.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check_identity(&self, parties: &Parties) -> Result<(), ClaimError> {
        check_parties(&self.iss, &self.aud, &parties.issuer, &parties.refresh_audience())
    }

    /// The part of this token that the state machine needs.
    pub fn presented(&self) -> Presented {
        Presented {
            session: self.sid,
            jti: self.jti,
            generation: self.generation,
            expires_at: Timestamp::from_secs(self.exp),
        }
    }
}

fn check_parties(iss: &str, aud: &str, issuer: &str, audience: &str) -> Result<(), ClaimError> {
    if iss != issuer {
        return Err(ClaimError::WrongIssuer);
    }
    if aud != audience {
        return Err(ClaimError::WrongAudience);
    }
    Ok(())
}

/// No leeway (RFC 7519 §4.1.4: “on or after” is too late).
fn check_expiry(exp: i64, now: Timestamp) -> Result<(), ClaimError> {
    if now >= Timestamp::from_secs(exp) {
        return Err(ClaimError::Expired);
    }
    Ok(())
}
