//! The endpoints: which kind of token each accepts (I10).
//!
//! Names and claims come from `rotation` and are built and parsed by its code. The server distinguishes signing keys by
//! their `kid`. That is an assumption here (`server/tests/api/keys.rs`).

use rotation::{
    AccessClaims, RefreshClaims, Role, Timestamp,
    claims::{ACCESS_TYP, ClaimError, Parties, REFRESH_TYP},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    guard::{Guard, Missing},
    judge::{jti, session_of, timestamp},
    state::{TokenNo, World},
};

/// The kind of a token, and the kind that an endpoint accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    fn typ(self) -> &'static str {
        match self {
            Self::Access => ACCESS_TYP,
            Self::Refresh => REFRESH_TYP,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Access => Self::Refresh,
            Self::Refresh => Self::Access,
        }
    }
}

/// The claims of a refresh token and of the access token that came with it.
struct Pair {
    access: AccessClaims,
    refresh: RefreshClaims,
}

/// The number of reasons to reject a token. `kind` selects the refresh token of this number or the access token issued
/// with it. It is presented where only the other kind is accepted.
pub(crate) fn reasons_against(missing: Missing, world: &World, token: TokenNo, kind: TokenKind) -> usize {
    let pair = Pair::of(world, token);
    let wanted = kind.other();
    [
        (Guard::TypNamesTheKind, kind.typ() != wanted.typ()),
        (Guard::KeysAreApart, kind != wanted),
        (Guard::ClaimsDiffer, !pair.reads_as_the_other(kind)),
        (Guard::AudiencesDiffer, pair.is_for_others(kind)),
    ]
    .into_iter()
    .filter(|&(guard, refuses)| refuses && !missing.has(guard))
    .count()
}

impl Pair {
    fn of(world: &World, number: TokenNo) -> Self {
        let token = world.token(number);
        let session = session_of(world, token.session, world.row(token.session));
        let access = AccessClaims::issue(
            &parties(),
            &session,
            session.live_token.generation,
            Role::User,
            jti(number),
            timestamp(token.issued_at),
            timestamp(token.expires_at),
        );
        let refresh = RefreshClaims::of(&parties(), session.user_id, session.id, &session.live_token);
        Self { access, refresh }
    }

    fn reads_as_the_other(&self, kind: TokenKind) -> bool {
        match kind {
            TokenKind::Access => reads_as::<RefreshClaims>(&self.access),
            TokenKind::Refresh => reads_as::<AccessClaims>(&self.refresh),
        }
    }

    /// Whether its `aud` is rejected in claims that otherwise match the other kind.
    fn is_for_others(&self, kind: TokenKind) -> bool {
        let checked = match kind {
            TokenKind::Access => {
                let mut claims = self.refresh.clone();
                claims.aud.clone_from(&self.access.aud);
                claims.check_identity(&parties())
            }
            TokenKind::Refresh => {
                let mut claims = self.access.clone();
                claims.aud.clone_from(&self.refresh.aud);
                claims.check(&parties(), Timestamp::from_secs(claims.iat))
            }
        };
        checked == Err(ClaimError::WrongAudience)
    }
}

fn reads_as<C: DeserializeOwned>(claims: &impl Serialize) -> bool {
    let json = serde_json::to_value(claims).expect("claims are JSON");
    serde_json::from_value::<C>(json).is_ok()
}

fn parties() -> Parties {
    Parties {
        issuer: "https://keyturn.example".into(),
        audience: "keyturn".into(),
    }
}
