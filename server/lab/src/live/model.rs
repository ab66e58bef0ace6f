//! A server of another design. It uses the same state machines that the simulator runs and the model checker checks,
//! with this server's clock and with tokens as text.

use std::time::Duration;

use lab_types::live::{HeldTokens, ResponseSummary, TokenState, TokenView};
use rotation::{
    Generation, Jti, SessionId, SignedToken, Timestamp,
    designs::{Design, Serial, TokenFamily, Verdict},
};
use web::random::Random;

use super::{
    client::{ClientResponse, IssuedAccess, IssuedRefresh, PerActor},
    tree::{holders, short},
};

/// One session with such a server.
#[derive(Debug)]
pub(super) struct DesignModel {
    design: Design,
    family: TokenFamily,
    session: SessionId,
    access_lifetime: Duration,
    /// Oldest first.
    refresh: Vec<ModelRefresh>,
    access: Vec<ModelAccess>,
    /// The token whose reuse ended the session.
    reused: Option<Serial>,
}

#[derive(Debug)]
struct ModelRefresh {
    serial: Serial,
    token: IssuedRefresh,
    /// The access token that was issued with it was accepted.
    was_used: bool,
    replays: u32,
}

#[derive(Debug)]
struct ModelAccess {
    text: SignedToken,
    serial: Serial,
    expires_at: Timestamp,
}

/// What would happen to a token: now, and after the grace period of everything that was done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forecast {
    pub(super) now: Verdict,
    pub(super) later: Verdict,
}

impl DesignModel {
    /// Signs in.
    pub(super) fn open(
        design: Design,
        access_lifetime: Duration,
        now: Timestamp,
        random: &dyn Random,
    ) -> (Self, ClientResponse) {
        let mut model = Self {
            design,
            family: TokenFamily::open(now),
            session: SessionId::new(now, random.bytes()),
            access_lifetime,
            refresh: Vec::new(),
            access: Vec::new(),
            reused: None,
        };
        let response = model.issue(Serial::FIRST, None, now, random);
        (model, response)
    }

    pub(super) fn design(&self) -> Design {
        self.design
    }

    pub(super) fn has_ended(&self) -> bool {
        self.family.is_revoked()
    }

    pub(super) fn refresh(
        &mut self,
        token: Option<&IssuedRefresh>,
        now: Timestamp,
        random: &dyn Random,
    ) -> ClientResponse {
        let Some(serial) = self.serial(token) else {
            return refusal(None);
        };
        let had_ended = self.family.is_revoked();
        let (verdict, given) = self.design.present(&mut self.family, serial, now);
        if !had_ended && verdict != Verdict::Rotate {
            self.update(serial, |token| token.replays += 1);
        }
        if verdict == Verdict::Kill {
            self.reused = Some(serial);
        }
        match given {
            Some(given) => self.issue(given, Some(verdict), now, random),
            None => refusal(Some(verdict)),
        }
    }

    /// Responds like an API that checks only an access token's signature and expiry, which is common with these
    /// designs. Keyturn's own design is the exception.
    pub(super) fn read_account(&mut self, token: &IssuedAccess, now: Timestamp) -> ClientResponse {
        let mut issued = self.access.iter();
        let known = issued.find(|issued| issued.text.expose() == token.text.expose());
        let is_lost = self.has_ended() && self.ends_access();
        let good = known.filter(|issued| now < issued.expires_at && !is_lost);
        let Some(serial) = good.map(|issued| issued.serial) else {
            return refusal(None);
        };
        self.family.confirm(serial, now);
        self.update(serial, |issued| issued.was_used = true);
        response(200, None)
    }

    pub(super) fn sign_out(&mut self, token: Option<&IssuedRefresh>, now: Timestamp) -> ClientResponse {
        if let Some(serial) = self.serial(token) {
            self.design.sign_out(&mut self.family, serial, now);
        }
        ClientResponse {
            clears: true,
            ..response(204, None)
        }
    }

    /// What would happen to this token.
    pub(super) fn forecast(&self, generation: u32, now: Timestamp) -> Option<Forecast> {
        let mut tokens = self.refresh.iter();
        let serial = tokens
            .find(|issued| issued.token.generation.number() == generation)?
            .serial;
        let judge = |at| self.design.judge(&self.family, serial, at);
        Some(Forecast {
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
        held: PerActor<HeldTokens>,
        held_at_end: Option<PerActor<HeldTokens>>,
        now: Timestamp,
    ) -> Vec<TokenView> {
        let view = |issued: &ModelRefresh| {
            let number = issued.token.generation.number();
            let is_lost = |held: HeldTokens| {
                held.refresh == Some(number) || (self.ends_access() && held.access == Some(number))
            };
            TokenView {
                generation: number,
                parent: self
                    .family
                    .parent(issued.serial)
                    .map(|parent| parent.number().into()),
                jti: short(issued.token.jti),
                state: Some(self.state(issued, now)),
                blacklisted: self.blacklisted(issued.serial).map(str::to_owned),
                replays: issued.replays,
                gave_away: self.reused == Some(issued.serial),
                holders: holders(held, |held| held.refresh == Some(number)),
                lost_by: held_at_end.map_or_else(Vec::new, |held| holders(held, is_lost)),
            }
        };
        self.refresh.iter().map(view).collect()
    }

    fn state(&self, issued: &ModelRefresh, now: Timestamp) -> TokenState {
        let serial = issued.serial;
        let is_spent = self.family.consumed_at(serial).is_some();
        if self.family.is_revoked() {
            return match self.design {
                // Keyturn blacklists the live token together with its session.
                Design::Keyturn { .. } if !is_spent => TokenState::Blacklisted,
                _ => TokenState::Ended,
            };
        }
        if is_spent {
            return match self.design {
                Design::SimpleJwt => TokenState::Blacklisted,
                _ if self.family.successors_are_unconsumed(serial) => TokenState::Rotated,
                _ => TokenState::Superseded,
            };
        }
        match self.design.judge(&self.family, serial, now) {
            Verdict::Rotate if issued.was_used => TokenState::Active,
            Verdict::Rotate => TokenState::Issued,
            _ => TokenState::Displaced,
        }
    }

    /// Why a token is on the blacklist, in designs that have one.
    fn blacklisted(&self, serial: Serial) -> Option<&'static str> {
        let is_spent = self.family.consumed_at(serial).is_some();
        match self.design {
            Design::SimpleJwt => is_spent.then_some("yes"),
            Design::Keyturn { .. } if is_spent => Some("rotated"),
            Design::Keyturn { .. } if !self.family.is_revoked() => None,
            Design::Keyturn { .. } if self.reused.is_some() => Some("reuse_detected"),
            Design::Keyturn { .. } => Some("logout"),
            _ => None,
        }
    }

    /// Whether an access token ends with its session.
    fn ends_access(&self) -> bool {
        matches!(self.design, Design::Keyturn { .. })
    }

    fn update(&mut self, serial: Serial, change: impl FnOnce(&mut ModelRefresh)) {
        let mut tokens = self.refresh.iter_mut();
        if let Some(token) = tokens.find(|token| token.serial == serial) {
            change(token);
        }
    }

    fn serial(&self, token: Option<&IssuedRefresh>) -> Option<Serial> {
        let text = token?.text.expose();
        let mut tokens = self.refresh.iter();
        Some(tokens.find(|issued| issued.token.text.expose() == text)?.serial)
    }

    /// Issues a refresh token and an access token.
    fn issue(
        &mut self,
        serial: Serial,
        verdict: Option<Verdict>,
        now: Timestamp,
        random: &dyn Random,
    ) -> ClientResponse {
        let generation = Generation::new(serial.number().into());
        let mut known = self.refresh.iter();
        let known = known.find(|issued| issued.serial == serial);
        let refresh = if let Some(issued) = known {
            issued.token.clone()
        } else {
            let token = IssuedRefresh {
                session: self.session,
                generation,
                jti: Jti::new(now, random.bytes()),
                text: text(random),
            };
            self.refresh.push(ModelRefresh {
                serial,
                token: token.clone(),
                was_used: false,
                replays: 0,
            });
            token
        };
        let access = IssuedAccess {
            generation,
            text: text(random),
        };
        self.access.push(ModelAccess {
            text: access.text.clone(),
            serial,
            expires_at: now.saturating_add(self.access_lifetime),
        });
        ClientResponse {
            refresh: Some(refresh),
            access: Some(access),
            ..response(200, verdict)
        }
    }
}

fn text(random: &dyn Random) -> SignedToken {
    SignedToken::new(random.name())
}

fn response(status: u16, verdict: Option<Verdict>) -> ClientResponse {
    ClientResponse {
        answer: ResponseSummary {
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
fn refusal(verdict: Option<Verdict>) -> ClientResponse {
    ClientResponse {
        clears: true,
        ..response(401, verdict)
    }
}
