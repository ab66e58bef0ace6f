//! How Keyturn and four others answer a presented refresh token: one small machine each, to be run side by side.
//!
//! For the lab, which shows what each design does, and for the model checker, which finds out what each of them gets
//! wrong. The server uses none of it. What is modelled is the mechanism; lifetimes are configuration and left out, and
//! so is everything about users and keys. Each is as its authors' code or documentation has it, read in 2026.
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
    Decision, Fresh, Generation, Jti, KeyId, Leaf, Owner, Policy, Presented, Role, Session, SessionId,
    Situation, Timestamp, UserId, decide,
};

/// A way to rotate refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// This crate's [`decide`](crate::decide()).
    Keyturn { reuse_grace: Duration },
    /// A deny-list: a token is good unless it was blacklisted. Checked and written in separate statements, without a
    /// lock, and `get_or_create` hides from the second writer that it is the second. A blacklisted token is refused
    /// and that is all: there are no families that could be ended.
    SimpleJwt,
    /// A counter per session. The token one behind the counter always gets the current token, without any limit of
    /// time (“fail to save”); one further behind gets it within the interval after the last refresh, and each such
    /// answer extends the interval. Anything else ends the session.
    Supabase { reuse_interval: Duration },
    /// The row knows the current token and its parent. The parent gets, within the grace after the rotation, a *new*
    /// token in place of the current one, which thereby dies. Anything else ends the session.
    SuperTokens { grace: Duration },
    /// A spent token gets, within the leeway after it was spent, another token *beside* the first, unless that one
    /// was spent as well. Anything else ends the family.
    Auth0 { leeway: Duration },
}

/// A token of a family, numbered as they were minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(u8);

/// One login, as far as any of the designs remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Family {
    minted: Vec<Minted>,
    current: Serial,
    previous: Option<Serial>,
    /// When the last rotation was; Supabase calls it `refreshed_at` and moves it on with every answer.
    rotated_at: Timestamp,
    /// When an access token that came with the current token was first used. Only Keyturn looks at this.
    confirmed_at: Option<Timestamp>,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Minted {
    parent: Option<Serial>,
    spent_at: Option<Timestamp>,
}

/// What a design does with a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Spends it and mints its heir.
    Rotate,
    /// Mints another heir of the parent in place of the current token, which dies.
    Displace,
    /// Mints another heir beside those that there are.
    Fork,
    /// Gives a token that exists already; writes nothing that matters to others.
    Again(Serial),
    /// Gives nothing and harms nothing: ask again.
    Later,
    /// Signs the client out and does nothing else.
    Refuse,
    /// Signs the client out and ends the family.
    Kill,
}

impl Design {
    pub const KEYTURN: Self = Self::Keyturn {
        reuse_grace: Policy::KEYTURN.reuse_grace,
    };
    pub const STRICT: Self = Self::Keyturn {
        reuse_grace: Policy::STRICT.reuse_grace,
    };
    /// The hosted product's interval; the code's own default is zero.
    pub const SUPABASE: Self = Self::Supabase {
        reuse_interval: Duration::from_secs(10),
    };
    /// `refresh_token_rotation_grace_period`.
    pub const SUPERTOKENS: Self = Self::SuperTokens {
        grace: Duration::from_secs(30),
    };
    /// The overlap period is off unless configured; without it every lost answer ends the family.
    pub const AUTH0: Self = Self::Auth0 {
        leeway: Duration::from_secs(10),
    };
    pub const ALL: [Self; 6] = [
        Self::KEYTURN,
        Self::STRICT,
        Self::SimpleJwt,
        Self::SUPABASE,
        Self::SUPERTOKENS,
        Self::AUTH0,
    ];

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

    /// Whether a verdict and what follows from it are one step for everybody else. Where they are not, two requests
    /// may both be judged before either is carried out.
    pub const fn is_serialised(self) -> bool {
        !matches!(self, Self::SimpleJwt)
    }

    /// Judges a token. Pure: what follows from it is [`Family::carry_out`].
    pub fn judge(self, family: &Family, token: Serial, now: Timestamp) -> Verdict {
        if family.over {
            return Verdict::Refuse;
        }
        match self {
            Self::Keyturn { reuse_grace } => keyturn(family, token, now, reuse_grace),
            Self::SimpleJwt => match family.spent_at(token) {
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
                } else if family.previous == Some(token) && now <= family.rotated_at.plus(grace) {
                    Verdict::Displace
                } else {
                    Verdict::Kill
                }
            }
            Self::Auth0 { leeway } => match family.spent_at(token) {
                None => Verdict::Rotate,
                Some(at)
                    if !leeway.is_zero() && now <= at.plus(leeway) && family.heirs_are_unspent(token) =>
                {
                    Verdict::Fork
                }
                Some(_) => Verdict::Kill,
            },
        }
    }

    /// Judges a token and carries it out at once; the token that the client is given, if any.
    pub fn present(self, family: &mut Family, token: Serial, now: Timestamp) -> (Verdict, Option<Serial>) {
        let verdict = self.judge(family, token, now);
        (verdict, family.carry_out(self, token, verdict, now))
    }

    /// Signs out with a token. A deny-list takes this one and knows of no others; everywhere else the family is over.
    pub fn sign_out(self, family: &mut Family, token: Serial, now: Timestamp) {
        if self == Self::SimpleJwt {
            family.spend(token, now);
        } else {
            family.over = true;
        }
    }

    /// For how long after a rotation anything is forgiven that would not be later. Zero: never.
    pub const fn window(self) -> Duration {
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

    /// The same with a window of this length, where it has one.
    #[must_use]
    pub const fn with_window(self, window: Duration) -> Self {
        if self.window().is_zero() {
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

    /// The tokens that would be rotated now, each the end of a chain of its own.
    pub fn live_leaves(self, family: &Family, now: Timestamp) -> Vec<Serial> {
        family
            .serials()
            .filter(|&token| self.judge(family, token, now) == Verdict::Rotate)
            .collect()
    }
}

impl Family {
    /// A login, and the first token.
    pub fn open(now: Timestamp) -> Self {
        Self {
            minted: vec![Minted {
                parent: None,
                spent_at: None,
            }],
            current: Serial::FIRST,
            previous: None,
            rotated_at: now,
            confirmed_at: None,
            over: false,
        }
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    /// All tokens so far, oldest first.
    pub fn serials(&self) -> impl Iterator<Item = Serial> + use<> {
        (0..u8::try_from(self.minted.len()).unwrap_or(u8::MAX)).map(Serial)
    }

    /// How many rotations lie behind a token, counted from 1.
    pub fn generation(&self, token: Serial) -> u8 {
        let chain = std::iter::successors(Some(token), |&token| self.parent(token));
        u8::try_from(chain.count()).unwrap_or(u8::MAX)
    }

    /// The token that another one was minted for.
    pub fn parent(&self, heir: Serial) -> Option<Serial> {
        self.minted.get(usize::from(heir.0))?.parent
    }

    pub fn spent_at(&self, token: Serial) -> Option<Timestamp> {
        self.minted.get(usize::from(token.0))?.spent_at
    }

    /// An access token that came with this token was used.
    pub fn confirm(&mut self, token: Serial, now: Timestamp) {
        if token == self.current {
            self.confirmed_at.get_or_insert(now);
        }
    }

    /// Does what follows from a verdict; the token that the client is given, if any.
    pub fn carry_out(
        &mut self,
        design: Design,
        token: Serial,
        verdict: Verdict,
        now: Timestamp,
    ) -> Option<Serial> {
        match verdict {
            Verdict::Rotate => {
                self.spend(token, now);
                self.previous = Some(token);
                self.rotated_at = now;
                self.confirmed_at = None;
                self.current = self.mint(token);
                Some(self.current)
            }
            Verdict::Displace => {
                self.current = self.mint(token);
                Some(self.current)
            }
            Verdict::Fork => Some(self.mint(token)),
            Verdict::Again(current) => {
                if matches!(design, Design::Supabase { .. }) {
                    self.rotated_at = now;
                }
                Some(current)
            }
            Verdict::Later | Verdict::Refuse => None,
            Verdict::Kill => {
                self.over = true;
                None
            }
        }
    }

    fn spend(&mut self, token: Serial, now: Timestamp) {
        if let Some(minted) = self.minted.get_mut(usize::from(token.0)) {
            minted.spent_at.get_or_insert(now);
        }
    }

    fn mint(&mut self, parent: Serial) -> Serial {
        let serial = Serial(u8::try_from(self.minted.len()).unwrap_or(u8::MAX));
        self.minted.push(Minted {
            parent: Some(parent),
            spent_at: None,
        });
        serial
    }

    /// When a token that was minted for it was spent first.
    fn heir_spent_at(&self, token: Serial) -> Option<Timestamp> {
        self.minted
            .iter()
            .filter(|minted| minted.parent == Some(token))
            .find_map(|minted| minted.spent_at)
    }

    /// Whether nothing that was minted for it was spent.
    pub fn heirs_are_unspent(&self, token: Serial) -> bool {
        self.minted
            .iter()
            .all(|minted| minted.parent != Some(token) || minted.spent_at.is_none())
    }
}

impl Serial {
    pub const FIRST: Self = Self(0);

    /// Counted from 1.
    pub const fn number(self) -> u8 {
        self.0.saturating_add(1)
    }
}

/// Asks the real thing. Its families never fork, so that serial and generation are the same number.
fn keyturn(family: &Family, token: Serial, now: Timestamp, reuse_grace: Duration) -> Verdict {
    let policy = Policy {
        reuse_grace,
        ..Policy::KEYTURN
    };
    let end = now.plus(policy.lifetimes.refresh_idle);
    let epoch = Timestamp::from_millis(0);
    let jti = |serial: Serial| Jti::new(epoch, [serial.0; 10]);
    let generation = |serial: Serial| Generation::new(u32::from(serial.number()));
    let session = Session {
        id: SessionId::new(epoch, [0; 10]),
        user_id: UserId::new(epoch, [0; 10]),
        token_epoch: 0,
        leaf: Leaf {
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
        ended: None,
    };
    let owner = Owner {
        token_epoch: 0,
        disabled: false,
        role: Role::User,
    };
    let situation = Situation {
        session: Some((&session, owner)),
        blacklisted: family.spent_at(token).is_some(),
        successor_consumed_at: family.heir_spent_at(token),
    };
    let presented = Presented {
        session: session.id,
        jti: jti(token),
        generation: generation(token),
        expires_at: end,
    };
    let fresh = Fresh {
        jti: Jti::new(epoch, [u8::MAX; 10]),
        kid: KeyId::new("k"),
    };
    match decide(&situation, presented, &fresh, now, &policy) {
        // No design loses writes here.
        Decision::Rotate(_) | Decision::Recover(_) => Verdict::Rotate,
        Decision::Replay(_) => Verdict::Again(family.current),
        Decision::Stale => Verdict::Later,
        Decision::Reuse => Verdict::Kill,
        Decision::Ended(_) => Verdict::Refuse,
    }
}
