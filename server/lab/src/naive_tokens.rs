//! The tokens of the naive server: signed, with an audience for each strategy, and impossible to revoke.

use std::{fmt, sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lab_types::{Strategy, live::TokenKind};
use rotation::Clock;
use serde::{Deserialize, Serialize};
use web::random::Random;

const ACCESS_TTL: Duration = Duration::from_mins(15);
pub const REFRESH_TTL: Duration = Duration::from_hours(7 * 24);

/// The server's keys, which are generated at every start, and its sources of time and randomness.
pub struct NaiveTokens {
    sign: EncodingKey,
    verify: DecodingKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct NaiveClaims {
    pub sub: String,
    aud: String,
    typ: TokenKind,
    pub jti: String,
    exp: i64,
}

impl NaiveTokens {
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let key = random.bytes::<32>();
        Self {
            sign: EncodingKey::from_secret(&key),
            verify: DecodingKey::from_secret(&key),
            clock,
            random,
        }
    }

    /// A token of a user for one strategy.
    ///
    /// # Panics
    /// Never: an HMAC over plain claims cannot fail.
    pub fn issue(&self, strategy: Strategy, user: &str, typ: TokenKind) -> String {
        let ttl = match typ {
            TokenKind::Access => ACCESS_TTL,
            TokenKind::Refresh => REFRESH_TTL,
        };
        let claims = NaiveClaims {
            sub: user.to_owned(),
            // Each strategy is a separate site: its tokens are not valid for the others.
            aud: strategy.slug().into(),
            typ,
            jti: self.random.name(),
            exp: self.clock.now().saturating_add(ttl).secs(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .expect("an HMAC over plain claims cannot fail")
    }

    /// The claims of a token, if it is valid for this strategy.
    pub fn verify(&self, strategy: Strategy, token: &str, typ: TokenKind) -> Option<NaiveClaims> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[strategy.slug()]);
        // Checked below, with our own clock.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<NaiveClaims>(token, &self.verify, &rules)
            .ok()?
            .claims;
        (claims.typ == typ && claims.exp > self.clock.now().secs()).then_some(claims)
    }
}

impl fmt::Debug for NaiveTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NaiveTokens").finish_non_exhaustive()
    }
}
