//! A server of another design. It uses the same state machines that the simulator runs and the model checker checks,
//! with this server's clock and with tokens as text.

use std::time::Duration;

use lab_types::live::{Answer, Hand, Held, State, Token};
use rotation::{
    Generation, Jti, SessionId, SignedToken, Timestamp,
    designs::{Design, Serial, TokenFamily, Verdict},
};
use web::random::Random;

use super::{
    browser::{Access, Refresh, Reply},
    tree::{hands, short},
};

/// One session with such a server.
#[derive(Debug)]
pub(super) struct Model {
    design: Design,
    family: TokenFamily,
    session: SessionId,
    access_lifetime: Duration,
    /// Oldest first.
    minted: Vec<Minted>,
    access: Vec<Issued>,
    /// The token whose reuse ended the session.
    gave_away: Option<Serial>,
}

#[derive(Debug)]
struct Minted {
    serial: Serial,
    token: Refresh,
    /// The access token that was issued with it was accepted.
    was_used: bool,
    replays: u32,
}

#[derive(Debug)]
struct Issued {
    text: SignedToken,
    serial: Serial,
    expires_at: Timestamp,
}

/// What would happen to a token: now, and after the grace period of everything that was done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prospect {
    pub(super) now: Verdict,
    pub(super) later: Verdict,
}

impl Model {
    /// Signs in.
    pub(super) fn open(
        design: Design,
        access_lifetime: Duration,
        now: Timestamp,
        random: &dyn Random,
    ) -> (Self, Reply) {
        let mut model = Self {
            design,
            family: TokenFamily::open(now),
            session: SessionId::new(now, random.bytes()),
            access_lifetime,
            minted: Vec::new(),
            access: Vec::new(),
            gave_away: None,
        };
        let reply = model.give(Serial::FIRST, None, now, random);
        (model, reply)
    }

    pub(super) fn design(&self) -> Design {
        self.design
    }

    pub(super) fn is_over(&self) -> bool {
        self.family.is_revoked()
    }

    pub(super) fn renew(&mut self, token: Option<&Refresh>, now: Timestamp, random: &dyn Random) -> Reply {
        let Some(serial) = self.serial(token) else {
            return refusal(None);
        };
        let was_over = self.family.is_revoked();
        let (verdict, given) = self.design.present(&mut self.family, serial, now);
        if !was_over && verdict != Verdict::Rotate {
            self.note(serial, |minted| minted.replays += 1);
        }
        if verdict == Verdict::Kill {
            self.gave_away = Some(serial);
        }
        match given {
            Some(given) => self.give(given, Some(verdict), now, random),
            None => refusal(Some(verdict)),
        }
    }

    /// Responds like an API that checks only an access token's signature and expiry, which is common with these
    /// designs. Keyturn's own design is the exception.
    pub(super) fn read_account(&mut self, token: &Access, now: Timestamp) -> Reply {
        let mut issued = self.access.iter();
        let known = issued.find(|issued| issued.text.expose() == token.text.expose());
        let is_lost = self.is_over() && self.ends_access();
        let good = known.filter(|issued| now < issued.expires_at && !is_lost);
        let Some(serial) = good.map(|issued| issued.serial) else {
            return refusal(None);
        };
        self.family.confirm(serial, now);
        self.note(serial, |minted| minted.was_used = true);
        reply(200, None)
    }

    pub(super) fn sign_out(&mut self, token: Option<&Refresh>, now: Timestamp) -> Reply {
        if let Some(serial) = self.serial(token) {
            self.design.sign_out(&mut self.family, serial, now);
        }
        Reply {
            clears: true,
            ..reply(204, None)
        }
    }

    /// What would happen to this token.
    pub(super) fn prospect(&self, generation: u32, now: Timestamp) -> Option<Prospect> {
        let mut minted = self.minted.iter();
        let serial = minted
            .find(|minted| minted.token.generation.number() == generation)?
            .serial;
        let judge = |at| self.design.judge(&self.family, serial, at);
        Some(Prospect {
            now: judge(now),
            later: judge(
                now.saturating_add(self.design.grace_period())
                    .saturating_add(Duration::from_millis(1)),
            ),
        })
    }

    /// The tokens that were issued, oldest first.
    pub(super) fn tokens(
        &self,
        held: [(Hand, Held); 2],
        held_at_the_end: Option<[(Hand, Held); 2]>,
        now: Timestamp,
    ) -> Vec<Token> {
        let token = |minted: &Minted| {
            let number = minted.token.generation.number();
            let is_lost = |held: Held| {
                held.refresh == Some(number) || (self.ends_access() && held.access == Some(number))
            };
            Token {
                generation: number,
                parent: self
                    .family
                    .parent(minted.serial)
                    .map(|parent| parent.number().into()),
                jti: short(minted.token.jti),
                state: Some(self.state(minted, now)),
                blacklisted: self.blacklisted(minted.serial).map(str::to_owned),
                replays: minted.replays,
                gave_away: self.gave_away == Some(minted.serial),
                holders: hands(held, |held| held.refresh == Some(number)),
                lost_by: held_at_the_end.map_or_else(Vec::new, |held| hands(held, is_lost)),
            }
        };
        self.minted.iter().map(token).collect()
    }

    fn state(&self, minted: &Minted, now: Timestamp) -> State {
        let serial = minted.serial;
        let is_spent = self.family.consumed_at(serial).is_some();
        if self.family.is_revoked() {
            return match self.design {
                // Keyturn blacklists the live token together with its session.
                Design::Keyturn { .. } if !is_spent => State::Blacklisted,
                _ => State::Ended,
            };
        }
        if is_spent {
            return match self.design {
                Design::SimpleJwt => State::Blacklisted,
                _ if self.family.successors_are_unconsumed(serial) => State::Rotated,
                _ => State::Superseded,
            };
        }
        match self.design.judge(&self.family, serial, now) {
            Verdict::Rotate if minted.was_used => State::Active,
            Verdict::Rotate => State::Issued,
            _ => State::Displaced,
        }
    }

    /// Why a token is on the blacklist, in designs that have one.
    fn blacklisted(&self, serial: Serial) -> Option<&'static str> {
        let is_spent = self.family.consumed_at(serial).is_some();
        match self.design {
            Design::SimpleJwt => is_spent.then_some("yes"),
            Design::Keyturn { .. } if is_spent => Some("rotated"),
            Design::Keyturn { .. } if !self.family.is_revoked() => None,
            Design::Keyturn { .. } if self.gave_away.is_some() => Some("reuse_detected"),
            Design::Keyturn { .. } => Some("logout"),
            _ => None,
        }
    }

    /// Whether an access token ends with its session.
    fn ends_access(&self) -> bool {
        matches!(self.design, Design::Keyturn { .. })
    }

    fn note(&mut self, serial: Serial, note: impl FnOnce(&mut Minted)) {
        let mut minted = self.minted.iter_mut();
        if let Some(minted) = minted.find(|minted| minted.serial == serial) {
            note(minted);
        }
    }

    fn serial(&self, token: Option<&Refresh>) -> Option<Serial> {
        let text = token?.text.expose();
        let mut minted = self.minted.iter();
        Some(minted.find(|minted| minted.token.text.expose() == text)?.serial)
    }

    /// Issues a refresh token and an access token.
    fn give(
        &mut self,
        serial: Serial,
        verdict: Option<Verdict>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Reply {
        let generation = Generation::new(serial.number().into());
        let mut known = self.minted.iter();
        let known = known.find(|minted| minted.serial == serial);
        let refresh = if let Some(minted) = known {
            minted.token.clone()
        } else {
            let token = Refresh {
                session: self.session,
                generation,
                jti: Jti::new(now, random.bytes()),
                text: text(random),
            };
            self.minted.push(Minted {
                serial,
                token: token.clone(),
                was_used: false,
                replays: 0,
            });
            token
        };
        let access = Access {
            generation,
            text: text(random),
        };
        self.access.push(Issued {
            text: access.text.clone(),
            serial,
            expires_at: now.saturating_add(self.access_lifetime),
        });
        Reply {
            refresh: Some(refresh),
            access: Some(access),
            ..reply(200, verdict)
        }
    }
}

fn text(random: &dyn Random) -> SignedToken {
    SignedToken::new(random.name())
}

fn reply(status: u16, verdict: Option<Verdict>) -> Reply {
    Reply {
        answer: Answer {
            status,
            code: None,
            reason: None,
        },
        refresh: None,
        access: None,
        clears: false,
        verdict,
    }
}

/// In all these designs clients sign out after this response.
fn refusal(verdict: Option<Verdict>) -> Reply {
    Reply {
        clears: true,
        ..reply(401, verdict)
    }
}
