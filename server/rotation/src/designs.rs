//! State machines of Keyturn and four other designs for refresh token rotation, to run next to each other.
//!
//! The lab uses them to show what each design does, and the model checker to find what each gets wrong. The server does
//! not use them. They model the mechanism only: lifetimes are configuration and left out, and so are users and keys.
//! Each follows its authors' code or documentation as of 2026.
//!
//! | design | the source |
//! |---|---|
//! | Keyturn | [`decide`](crate::decide()) itself |
//! | `SimpleJwt` | djangorestframework-simplejwt 5.5, `TokenRefreshSerializer.validate` and `BlacklistMixin`, with `ROTATE_REFRESH_TOKENS` and `BLACKLIST_AFTER_ROTATION` |
//! | `Supabase` | supabase/auth, `internal/tokens/service.go`, refresh token algorithm 2 (a counter in the session's row) |
//! | `SuperTokens` | supertokens-core 12.1, `Session.java`, core driver interface 5.6 |
//! | `Auth0` | Auth0's documentation of refresh token rotation and its overlap period; the code is not public |

use std::time::Duration;

use crate::{
    AccountState, Decision, Generation, Jti, KeyId, LiveToken, Policy, Presented, Role, Session, SessionId,
    SessionSnapshot, SuccessorParams, Timestamp, UserId, decide,
};

/// A design for refresh token rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// This crate's [`decide`](crate::decide()).
    Keyturn {
        /// How long after a rotation the parent still gets the same successor.
        reuse_grace: Duration,
    },
    /// A deny-list: a token is valid unless it was blacklisted. It is checked and written in separate statements
    /// without a lock, and `get_or_create` hides from the second writer that it is the second. A blacklisted token is
    /// only refused: there are no token families to revoke.
    SimpleJwt,
    /// A counter per session. The token one behind the counter always gets the current token, without any time limit
    /// (“fail to save”). An older token gets it within the interval after the last refresh, and each such response
    /// extends the interval. Any other token revokes the session.
    Supabase {
        /// How long an older token still gets the current one.
        reuse_interval: Duration,
    },
    /// The row stores the current token and its parent. Within the grace period after the rotation the parent gets a
    /// *new* token, which replaces and invalidates the current one. Any other token revokes the session.
    SuperTokens {
        /// How long after a rotation the parent gets another successor.
        grace: Duration,
    },
    /// Within the leeway after it was consumed, a used token gets another token *in addition to* the first, unless the
    /// first was consumed as well. Any other token revokes the family.
    Auth0 {
        /// How long a consumed token gets another successor.
        leeway: Duration,
    },
}

/// A token of a family, numbered in order of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(u8);

/// One login, as far as any of the designs stores it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenFamily {
    issued: Vec<Minted>,
    current: Serial,
    previous: Option<Serial>,
    /// Time of the last rotation. Supabase calls it `refreshed_at` and updates it with every response.
    rotated_at: Timestamp,
    /// When an access token issued with the current token was first used. Only Keyturn uses this.
    confirmed_at: Option<Timestamp>,
    revoked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Minted {
    parent: Option<Serial>,
    spent_at: Option<Timestamp>,
}

/// What a design does with a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Consumes it and issues its successor.
    Rotate,
    /// Issues another successor of the parent in place of the current token, which becomes invalid.
    Displace,
    /// Issues another successor in addition to the existing ones.
    Fork,
    /// Returns an existing token; writes nothing that affects others.
    Again(Serial),
    /// Returns no token and changes nothing: the client retries.
    Later,
    /// Signs the client out and does nothing else.
    Refuse,
    /// Signs the client out and revokes the family.
    Kill,
}

impl Design {
    /// Keyturn with its defaults.
    pub const KEYTURN: Self = Self::Keyturn {
        reuse_grace: Policy::KEYTURN.reuse_grace,
    };
    /// Keyturn without a grace period.
    pub const STRICT: Self = Self::Keyturn {
        reuse_grace: Policy::STRICT.reuse_grace,
    };
    /// The hosted product's interval; the default in the code is zero.
    pub const SUPABASE: Self = Self::Supabase {
        reuse_interval: Duration::from_secs(10),
    };
    /// `refresh_token_rotation_grace_period`.
    pub const SUPERTOKENS: Self = Self::SuperTokens {
        grace: Duration::from_secs(30),
    };
    /// The overlap period is off unless configured; without it every lost response revokes the family.
    pub const AUTH0: Self = Self::Auth0 {
        leeway: Duration::from_secs(10),
    };
    /// Every design with its defaults.
    pub const ALL: [Self; 6] = [
        Self::KEYTURN,
        Self::STRICT,
        Self::SimpleJwt,
        Self::SUPABASE,
        Self::SUPERTOKENS,
        Self::AUTH0,
    ];

    /// The name that people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keyturn { reuse_grace } if reuse_grace.is_zero() => "Strict",
            Self::Keyturn { .. } => "Keyturn",
            Self::SimpleJwt => "SimpleJWT",
            Self::Supabase { .. } => "Supabase",
            Self::SuperTokens { .. } => "SuperTokens",
            Self::Auth0 { .. } => "Auth0",
        }
    }

    /// Whether the verdict and its effects are atomic for other requests. If not, two requests may both be judged
    /// before the effects of either are written.
    pub const fn is_serialised(self) -> bool {
        !matches!(self, Self::SimpleJwt)
    }

    /// Judges a token. Pure: [`TokenFamily::apply`] applies the effects.
    pub fn judge(self, family: &TokenFamily, token: Serial, now: Timestamp) -> Verdict {
        if family.revoked {
            return Verdict::Refuse;
        }
        match self {
            Self::Keyturn { reuse_grace } => keyturn(family, token, now, reuse_grace),
            Self::SimpleJwt => match family.consumed_at(token) {
                None => Verdict::Rotate,
                Some(_) => Verdict::Refuse,
            },
            Self::Supabase { reuse_interval } => {
                if token == family.current {
                    Verdict::Rotate
                } else if family.previous == Some(token) || now.distance(family.rotated_at) < reuse_interval {
                    Verdict::Again(family.current)
                } else {
                    Verdict::Kill
                }
            }
            Self::SuperTokens { grace } => {
                if token == family.current {
                    Verdict::Rotate
                } else if family.previous == Some(token) && now <= family.rotated_at.saturating_add(grace) {
                    Verdict::Displace
                } else {
                    Verdict::Kill
                }
            }
            Self::Auth0 { leeway } => match family.consumed_at(token) {
                None => Verdict::Rotate,
                Some(at)
                    if !leeway.is_zero()
                        && now <= at.saturating_add(leeway)
                        && family.successors_are_unconsumed(token) =>
                {
                    Verdict::Fork
                }
                Some(_) => Verdict::Kill,
            },
        }
    }

    /// Judges a token and applies the verdict immediately. Returns the token that the client gets, if any.
    pub fn present(
        self,
        family: &mut TokenFamily,
        token: Serial,
        now: Timestamp,
    ) -> (Verdict, Option<Serial>) {
        let verdict = self.judge(family, token, now);
        (verdict, family.apply(self, token, verdict, now))
    }

    /// Signs out with a token. A deny-list blacklists only this token; every other design revokes the family.
    pub fn sign_out(self, family: &mut TokenFamily, token: Serial, now: Timestamp) {
        if self == Self::SimpleJwt {
            family.consume(token, now);
        } else {
            family.revoked = true;
        }
    }

    /// The length of the grace period after a rotation. Zero: none.
    pub const fn grace_period(self) -> Duration {
        match self {
            Self::SimpleJwt => Duration::ZERO,
            Self::Keyturn { reuse_grace: window }
            | Self::Supabase {
                reuse_interval: window,
            }
            | Self::SuperTokens { grace: window }
            | Self::Auth0 { leeway: window } => window,
        }
    }

    /// The same design with a grace period of this length, if it has one.
    #[must_use]
    pub const fn with_grace_period(self, window: Duration) -> Self {
        if self.grace_period().is_zero() {
            return self;
        }
        match self {
            Self::SimpleJwt => self,
            Self::Keyturn { .. } => Self::Keyturn { reuse_grace: window },
            Self::Supabase { .. } => Self::Supabase {
                reuse_interval: window,
            },
            Self::SuperTokens { .. } => Self::SuperTokens { grace: window },
            Self::Auth0 { .. } => Self::Auth0 { leeway: window },
        }
    }

    /// The tokens that would rotate now. Each is the end of a separate chain.
    pub fn live_tokens(self, family: &TokenFamily, now: Timestamp) -> Vec<Serial> {
        family
            .serials()
            .filter(|&token| self.judge(family, token, now) == Verdict::Rotate)
            .collect()
    }
}

impl TokenFamily {
    /// Opens a family: a login with the first token.
    pub fn open(now: Timestamp) -> Self {
        Self {
            issued: vec![Minted {
                parent: None,
                spent_at: None,
            }],
            current: Serial::FIRST,
            previous: None,
            rotated_at: now,
            confirmed_at: None,
            revoked: false,
        }
    }

    /// Whether the family is revoked.
    pub fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// All tokens so far, oldest first.
    pub fn serials(&self) -> impl Iterator<Item = Serial> + use<> {
        (0..u8::try_from(self.issued.len()).unwrap_or(u8::MAX)).map(Serial)
    }

    /// A token's position in its chain, counted from 1.
    pub fn generation(&self, token: Serial) -> u8 {
        let chain = std::iter::successors(Some(token), |&token| self.parent(token));
        u8::try_from(chain.count()).unwrap_or(u8::MAX)
    }

    /// The token that this one was issued for.
    pub fn parent(&self, token: Serial) -> Option<Serial> {
        self.issued.get(usize::from(token.0))?.parent
    }

    /// When a token was consumed, if it was.
    pub fn consumed_at(&self, token: Serial) -> Option<Timestamp> {
        self.issued.get(usize::from(token.0))?.spent_at
    }

    /// Records that an access token issued with this token was used.
    pub fn confirm(&mut self, token: Serial, now: Timestamp) {
        if token == self.current {
            self.confirmed_at.get_or_insert(now);
        }
    }

    /// Applies the effects of a verdict. Returns the token that the client gets, if any.
    pub fn apply(
        &mut self,
        design: Design,
        token: Serial,
        verdict: Verdict,
        now: Timestamp,
    ) -> Option<Serial> {
        match verdict {
            Verdict::Rotate => {
                self.consume(token, now);
                self.previous = Some(token);
                self.rotated_at = now;
                self.confirmed_at = None;
                self.current = self.issue_successor(token);
                Some(self.current)
            }
            Verdict::Displace => {
                self.current = self.issue_successor(token);
                Some(self.current)
            }
            Verdict::Fork => Some(self.issue_successor(token)),
            Verdict::Again(current) => {
                if matches!(design, Design::Supabase { .. }) {
                    self.rotated_at = now;
                }
                Some(current)
            }
            Verdict::Later | Verdict::Refuse => None,
            Verdict::Kill => {
                self.revoked = true;
                None
            }
        }
    }

    fn consume(&mut self, token: Serial, now: Timestamp) {
        if let Some(minted) = self.issued.get_mut(usize::from(token.0)) {
            minted.spent_at.get_or_insert(now);
        }
    }

    fn issue_successor(&mut self, parent: Serial) -> Serial {
        let serial = Serial(u8::try_from(self.issued.len()).unwrap_or(u8::MAX));
        self.issued.push(Minted {
            parent: Some(parent),
            spent_at: None,
        });
        serial
    }

    /// When the first of its successors was consumed.
    fn successor_consumed_at(&self, token: Serial) -> Option<Timestamp> {
        self.issued
            .iter()
            .filter(|minted| minted.parent == Some(token))
            .find_map(|minted| minted.spent_at)
    }

    /// Whether none of its successors was consumed.
    pub fn successors_are_unconsumed(&self, token: Serial) -> bool {
        self.issued
            .iter()
            .all(|minted| minted.parent != Some(token) || minted.spent_at.is_none())
    }
}

impl Serial {
    /// The token that a login issues.
    pub const FIRST: Self = Self(0);

    /// Counted from 1.
    pub const fn number(self) -> u8 {
        self.0.saturating_add(1)
    }
}

/// Calls the real [`decide`](crate::decide()). Its families never fork, so serial and generation are the same number.
fn keyturn(family: &TokenFamily, token: Serial, now: Timestamp, reuse_grace: Duration) -> Verdict {
    let policy = Policy {
        reuse_grace,
        ..Policy::KEYTURN
    };
    let end = now.saturating_add(policy.lifetimes.refresh_idle);
    let epoch = Timestamp::from_millis(0);
    let jti = |serial: Serial| Jti::new(epoch, [serial.0; 10]);
    let generation = |serial: Serial| Generation::new(u32::from(serial.number()));
    let session = Session {
        id: SessionId::new(epoch, [0; 10]),
        user_id: UserId::new(epoch, [0; 10]),
        token_epoch: 0,
        live_token: LiveToken {
            jti: jti(family.current),
            generation: generation(family.current),
            issued_at: family.rotated_at,
            expires_at: end,
            kid: KeyId::new("k"),
        },
        previous_jti: family.previous.map(jti),
        rotated_at: family.rotated_at,
        confirmed_at: family.confirmed_at,
        absolute_expires_at: end,
        created_at: epoch,
        last_used_at: family.rotated_at,
        remember: true,
        revocation: None,
    };
    let account = AccountState {
        token_epoch: 0,
        disabled: false,
        role: Role::User,
    };
    let snapshot = SessionSnapshot {
        session: Some((&session, account)),
        blacklisted: family.consumed_at(token).is_some(),
        successor_consumed_at: family.successor_consumed_at(token),
    };
    let presented = Presented {
        session: session.id,
        jti: jti(token),
        generation: generation(token),
        expires_at: end,
    };
    let params = SuccessorParams {
        jti: Jti::new(epoch, [u8::MAX; 10]),
        kid: KeyId::new("k"),
    };
    match decide(&snapshot, presented, &params, now, &policy) {
        // In this model no writes are lost.
        Decision::Rotate(_) | Decision::Recover(_) => Verdict::Rotate,
        Decision::Replay(_) => Verdict::Again(family.current),
        Decision::Stale => Verdict::Later,
        Decision::Reuse => Verdict::Kill,
        Decision::Ended(_) => Verdict::Refuse,
    }
}
