//! The invariants of the design, as properties of the model.
//!
//! Most describe steps and not states (“a rotation advances the generation by one”). An observer therefore checks each
//! step (`observer.rs`) and marks violations in the state. The property is that nothing is marked.
//!
//! Two invariants cannot be fully expressed here. The server's API tests cover the rest:
//! - Of I7, that access tokens are refused within a second. Here they are only used to confirm.
//! - Of I11, that *malformed* input writes nothing. Here a forged token represents everything that the signature check
//!   rejects.
//!
//! Others hold within the limits of this world. For two rotations in the same millisecond (I12) no time passes. N
//! parallel requests (I3) are at most four. “Told why” (L8) means the reason in the response.

use rotation::RevocationReason;
use stateright::Property;

use crate::{
    model::{BYSTANDER, Keyturn},
    observer::is_off_branch,
    state::{ModelAnswer, ModelRefusal, ReasonNo, RequestPhase, TokenNo, World},
};

/// An invariant of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invariant {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
    I9,
    I10,
    I11,
    I12,
    I13,
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    L7,
    L8,
    L9,
    L10,
}

/// A set of invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Broken(u32);

impl Broken {
    pub(crate) fn mark(&mut self, invariant: Invariant) {
        self.0 |= 1 << invariant as u32;
    }

    /// Marks the invariant unless `holds`.
    pub(crate) fn unless(&mut self, holds: bool, invariant: Invariant) {
        if !holds {
            self.mark(invariant);
        }
    }

    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    fn has(self, invariant: Invariant) -> bool {
        self.0 & (1 << invariant as u32) != 0
    }
}

impl Invariant {
    pub(crate) const ALL: [Self; 23] = [
        Self::I1,
        Self::I2,
        Self::I3,
        Self::I4,
        Self::I5,
        Self::I6,
        Self::I7,
        Self::I8,
        Self::I9,
        Self::I10,
        Self::I11,
        Self::I12,
        Self::I13,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
        Self::L5,
        Self::L6,
        Self::L7,
        Self::L8,
        Self::L9,
        Self::L10,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::I1 => "I1 one live token, and each rotation advances the generation by one",
            Self::I2 => "I2 all successful answers to one token carry the identical successor",
            Self::I3 => "I3 a token is consumed once however many present it, and no client gets a 500",
            Self::I4 => {
                "I4 an older ancestor never yields a token, and ends the session after its successor's grace"
            }
            Self::I5 => {
                "I5 the parent of a used successor yields nothing after the grace, and ends the session after the use's"
            }
            Self::I6 => "I6 after a logout was answered no refresh of the session succeeds",
            Self::I7 => "I7 nothing of an older epoch or of a disabled account refreshes or signs in",
            Self::I8 => "I8 reuse in one session touches no other",
            Self::I9 => "I9 no refresh at or after the token's end or the session's absolute end",
            Self::I10 => "I10 neither kind of token is accepted as the other, for at least two reasons",
            Self::I11 => "I11 what is not signed writes nothing",
            Self::I12 => "I12 a consumed token is never revived",
            Self::I13 => "I13 pruning makes nothing acceptable again",
            Self::L1 => "L1 lost answers sign no one out",
            Self::L2 => "L2 reloads sign no one out",
            Self::L3 => "L3 tabs that share a jar never sign each other out",
            Self::L4 => "L4 a crash signs no one out",
            Self::L5 => "L5 an unavailable database signs no one out",
            Self::L6 => "L6 a logout is never undone",
            Self::L7 => "L7 a late answer never destroys a newer sign-in",
            Self::L8 => "L8 after a theft was detected both parties are out, and are told why",
            Self::L9 => "L9 lost writes sign no user out, and the lost branch yields nothing",
            Self::L10 => "L10 concurrent requests are never treated as theft",
        }
    }

    /// A property's condition is a plain function, so there is one per invariant.
    fn condition(self) -> fn(&Keyturn, &World) -> bool {
        macro_rules! holds {
            ($($invariant:ident)*) => {
                match self {
                    $(Self::$invariant => |_, world| !world.broken.has(Self::$invariant),)*
                }
            };
        }
        holds!(I1 I2 I3 I4 I5 I6 I7 I8 I9 I10 I11 I12 I13 L1 L2 L3 L4 L5 L6 L7 L8 L9 L10)
    }

    pub(crate) fn property(self) -> Property<Keyturn> {
        Property::always(self.name(), self.condition())
    }
}

/// A state that a scenario must reach at least once. Otherwise the scenario proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Rotated,
    Replayed,
    Stale,
    Reuse,
    Over,
    Unavailable,
    SignedOut,
    SignedIn,
    LostARound,
    Pruned,
    /// A failover lost a token that a browser or an attacker has.
    Behind,
    Recovered,
    LostBranchRefused,
}

impl Sight {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rotated => "a token is rotated",
            Self::Replayed => "a successor is replayed",
            Self::Stale => "a client is asked to retry",
            Self::Reuse => "reuse is detected",
            Self::Over => "a client finds the session ended",
            Self::Unavailable => "the database is unavailable",
            Self::SignedOut => "the user signs out",
            Self::SignedIn => "the user signs in again",
            Self::LostARound => "a rotation loses the row to another",
            Self::Pruned => "the blacklist is pruned",
            Self::Behind => "a row is older than a token of it",
            Self::Recovered => "a token newer than its row is adopted",
            Self::LostBranchRefused => "a token of a lost branch ends the session",
        }
    }

    fn condition(self) -> fn(&Keyturn, &World) -> bool {
        match self {
            Self::Rotated => |_, world| world.tokens.iter().any(|token| token.generation > 1),
            // It has arrived, and another response with it is in flight.
            Self::Replayed => |_, world| {
                let jar = world.browser.jar;
                jar.is_some_and(|token| world.answers(ModelAnswer::Granted(token)))
            },
            Self::Stale => |_, world| world.answers(ModelAnswer::Stale),
            Self::Reuse => |_, world| {
                let reuse = ReasonNo::of(RevocationReason::ReuseDetected);
                world.sessions.iter().any(|row| row.ended == Some(reuse))
            },
            Self::Over => |_, world| {
                [ModelRefusal::Over, ModelRefusal::OverAfterReuse]
                    .into_iter()
                    .any(|refusal| world.answers(ModelAnswer::Refused(refusal)))
            },
            Self::Unavailable => |_, world| world.answers(ModelAnswer::Unavailable),
            Self::SignedOut => |_, world| world.answers(ModelAnswer::SignedOut),
            Self::SignedIn => |_, world| world.browser.session > BYSTANDER,
            Self::LostARound => |_, world| {
                let starts_over =
                    |phase: &RequestPhase| matches!(phase, RequestPhase::Sent { lost_rounds: 1.. });
                world.net.iter().any(|exchange| starts_over(&exchange.phase))
            },
            Self::Pruned => |_, world| !world.pruned.is_empty(),
            Self::Behind => |_, world| {
                let jar = world.browser.jar;
                jar.is_some_and(|token| {
                    let live_token = world.row_of(token).live_token;
                    world.token(token).generation > world.token(live_token).generation
                })
            },
            Self::Recovered => |_, world| world.sessions.iter().any(|row| row.recovered),
            Self::LostBranchRefused => |_, world| {
                let reuse = ReasonNo::of(RevocationReason::ReuseDetected);
                world.sessions.iter().any(|row| {
                    let lost = |token: &TokenNo| is_off_branch(world, *token, row.live_token);
                    row.ended == Some(reuse) && world.loot.iter().any(lost)
                })
            },
        }
    }

    pub(crate) fn property(self) -> Property<Keyturn> {
        Property::sometimes(self.name(), self.condition())
    }
}

impl World {
    fn answers(&self, answer: ModelAnswer) -> bool {
        self.net
            .iter()
            .any(|exchange| exchange.phase == RequestPhase::Answered(answer))
    }
}
