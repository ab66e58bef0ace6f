//! The simulation: steps and a design produce frames. Pure; the time is a number in each frame.
//!
//! The owner's tabs share one cookie jar, as tabs do. Steps without a time jump between them happen concurrently: each
//! tab sends the token that it had before any response arrived. After a time jump, all tabs have the token in the jar,
//! and each holder uses the access token that came with its refresh token.
//!
//! The server answers one request after the other, even if a design does not ensure that. The model checker covers what
//! may happen between a check and its write.

use std::time::Duration;

use rotation::{
    Timestamp,
    designs::{Design, Serial, TokenFamily, Verdict},
};

use super::scenario::{SimulatorScenario, SimulatorStep, TABS};

/// Longer than the grace period of every design.
const AFTER_EVERY_WINDOW: Duration = Duration::from_mins(1);

/// A token that was sent, and the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentToken {
    pub token: Serial,
    pub verdict: Verdict,
    pub given: Option<Serial>,
}

/// The design's failures so far, named as in the model checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flaws {
    /// The owner was signed out although nothing was stolen.
    pub orphan: bool,
    /// A used token was reused after every grace period, with its successor in use, and the attacker kept a valid
    /// token.
    pub parasite: bool,
    /// The family had more than one current token.
    pub fork: bool,
}

impl Flaws {
    pub fn any(self) -> bool {
        self.orphan || self.parasite || self.fork
    }
}

/// The state after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub design: Design,
    /// The time since the login.
    pub after: Duration,
    /// The step; `None` in the first frame.
    pub step: Option<SimulatorStep>,
    /// The request of this step.
    pub sent: Option<SentToken>,
    pub family: TokenFamily,
    /// The token in the owner's cookie jar.
    pub jar: Option<Serial>,
    /// The token that each tab would send.
    pub tabs: [Option<Serial>; TABS],
    /// The token that the attacker would send.
    pub thief: Option<Serial>,
    /// Every token that the attacker ever had.
    pub loot: Vec<Serial>,
    /// Used tokens that were presented again.
    pub replayed: Vec<Serial>,
    pub flaws: Flaws,
    /// Tokens that were sent, or whose access token was used.
    used: Vec<Serial>,
}

/// The state of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulatedTokenStatus {
    /// It would be rotated.
    Live,
    /// It was rotated, and the server would still return a token for it.
    Forgiven,
    /// It was rotated.
    Spent,
    /// A replacement has invalidated it.
    Displaced,
    /// Its family was revoked.
    Dead,
}

impl Frame {
    fn first(design: Design) -> Self {
        let token = Some(Serial::FIRST);
        Self {
            design,
            after: Duration::ZERO,
            step: None,
            sent: None,
            family: TokenFamily::open(moment(Duration::ZERO)),
            jar: token,
            tabs: [token; TABS],
            thief: None,
            loot: Vec::new(),
            replayed: Vec::new(),
            flaws: Flaws::default(),
            used: Vec::new(),
        }
    }

    pub fn status(&self, token: Serial) -> SimulatedTokenStatus {
        if self.family.is_revoked() {
            return SimulatedTokenStatus::Dead;
        }
        match (self.judge(token), self.family.consumed_at(token)) {
            (Verdict::Rotate, _) => SimulatedTokenStatus::Live,
            (verdict, Some(_)) if yields(verdict) => SimulatedTokenStatus::Forgiven,
            (_, Some(_)) => SimulatedTokenStatus::Spent,
            (_, None) => SimulatedTokenStatus::Displaced,
        }
    }

    /// Whether the attacker has this token, and would receive a token for it.
    pub fn is_good_for_thief(&self, token: Serial) -> bool {
        self.loot.contains(&token) && yields(self.judge(token))
    }

    pub fn thief_is_in(&self) -> bool {
        self.loot.iter().any(|&token| self.is_good_for_thief(token))
    }

    pub fn owner_is_in(&self) -> bool {
        self.jar.is_some_and(|token| yields(self.judge(token)))
    }

    /// The number of tokens that would be rotated.
    pub fn live(&self) -> usize {
        self.design.live_tokens(&self.family, self.now()).len()
    }

    fn now(&self) -> Timestamp {
        moment(self.after)
    }

    fn judge(&self, token: Serial) -> Verdict {
        self.design.judge(&self.family, token, self.now())
    }

    /// The next frame.
    fn then(&self, step: SimulatorStep) -> Self {
        let mut next = self.clone();
        next.step = Some(step);
        next.sent = None;
        match step {
            SimulatorStep::Refresh(tab) => next.refresh(tab, true),
            SimulatorStep::Lose(tab) => next.refresh(tab, false),
            SimulatorStep::Steal => {
                if let Some(token) = next.jar {
                    next.loot(token);
                }
            }
            SimulatorStep::Thief => {
                if let Some(token) = next.thief {
                    next.attack(token);
                }
            }
            SimulatorStep::Replay(number) => {
                if let Some(token) = next.family.serials().find(|token| token.number() == number) {
                    next.attack(token);
                }
            }
            SimulatorStep::Wait(seconds) => next.wait(Duration::from_secs(seconds.into())),
        }
        next.flaws.fork |= next.live() > 1;
        next
    }

    fn refresh(&mut self, tab: usize, arrives: bool) {
        let Some(token) = self.tabs.get(tab).copied().flatten() else {
            return;
        };
        let came_back = self.comes_back(token);
        let SentToken { verdict, given, .. } = self.send(token);
        self.flaws.parasite |= came_back && self.thief_keeps_a_good_one();
        if !arrives || verdict == Verdict::Later {
            return;
        }
        // A refusal is a sign-out, and removes the cookie.
        self.jar = given;
        if let Some(held) = self.tabs.get_mut(tab) {
            *held = given;
        }
        self.flaws.orphan |= given.is_none() && self.loot.is_empty();
    }

    fn attack(&mut self, token: Serial) {
        self.loot(token);
        let came_back = self.comes_back(token);
        if let Some(given) = self.send(token).given {
            self.loot(given);
        }
        self.flaws.parasite |= came_back && self.thief_keeps_a_good_one();
    }

    fn loot(&mut self, token: Serial) {
        self.thief = Some(token);
        remember(&mut self.loot, token);
    }

    fn send(&mut self, token: Serial) -> SentToken {
        let now = self.now();
        if self.family.consumed_at(token).is_some() {
            remember(&mut self.replayed, token);
        }
        let (verdict, given) = self.design.present(&mut self.family, token, now);
        remember(&mut self.used, token);
        let sent = SentToken {
            token,
            verdict,
            given,
        };
        self.sent = Some(sent);
        sent
    }

    /// Whether a used token would be reused after every grace period, with its successor in use.
    fn comes_back(&self, token: Serial) -> bool {
        let heir_in_use = self
            .used
            .iter()
            .any(|&used| self.family.parent(used) == Some(token));
        let spent_at = self.family.consumed_at(token);
        heir_in_use && spent_at.is_some_and(|at| at.saturating_add(AFTER_EVERY_WINDOW) <= self.now())
    }

    /// The model checker's definition: a token that is valid itself, not because of another one.
    fn thief_keeps_a_good_one(&self) -> bool {
        let good = |&token: &Serial| matches!(self.judge(token), Verdict::Rotate | Verdict::Again(_));
        self.loot.iter().any(good)
    }

    fn wait(&mut self, time: Duration) {
        let now = self.now();
        for token in self.jar.into_iter().chain(self.thief) {
            self.family.confirm(token, now);
            remember(&mut self.used, token);
        }
        self.tabs = [self.jar; TABS];
        self.after += time;
    }
}

fn moment(after: Duration) -> Timestamp {
    Timestamp::from_secs(1_790_000_000).saturating_add(after)
}

fn remember(tokens: &mut Vec<Serial>, token: Serial) {
    if !tokens.contains(&token) {
        tokens.push(token);
    }
}

/// Whether the server returns a token.
fn yields(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Rotate | Verdict::Displace | Verdict::Fork | Verdict::Again(_)
    )
}

/// The result of each step, with the login first.
pub fn frames(scenario: &SimulatorScenario) -> Vec<Frame> {
    let mut frames = vec![Frame::first(scenario.design)];
    for &step in &scenario.steps {
        if let Some(next) = frames.last().map(|last| last.then(step)) {
            frames.push(next);
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(design: Design, steps: &str) -> Frame {
        let scenario = SimulatorScenario::from_query(Some(design.name()), Some(steps));
        frames(&scenario).pop().expect("there is always a first one")
    }

    fn verdicts(design: Design, steps: &str) -> Vec<Verdict> {
        let scenario = SimulatorScenario::from_query(Some(design.name()), Some(steps));
        let sent = frames(&scenario).into_iter().filter_map(|frame| frame.sent);
        sent.map(|sent| sent.verdict).collect()
    }

    fn flaws(steps: &str) -> Vec<(&'static str, Flaws)> {
        let all = Design::ALL.into_iter();
        all.map(|design| (design.name(), last(design, steps).flaws))
            .collect()
    }

    const NONE: Flaws = Flaws {
        orphan: false,
        parasite: false,
        fork: false,
    };
    const ORPHAN: Flaws = Flaws { orphan: true, ..NONE };
    const PARASITE: Flaws = Flaws {
        parasite: true,
        ..NONE
    };
    const FORK: Flaws = Flaws { fork: true, ..NONE };

    const THEFT: &str = "s.w5.r1.w3600.t";
    const THIEF_FIRST: &str = "s.w5.t.w3600.r1.w5.t";
    const LOST: &str = "l1.w15.r1";
    const AT_ONCE: &str = "r1.r2.r3.w5";

    #[test]
    fn thief_refreshes_first() {
        let expected = [
            ("Keyturn", NONE),
            ("Strict", NONE),
            ("SimpleJWT", PARASITE),
            ("Supabase", PARASITE),
            ("SuperTokens", NONE),
            ("Auth0", NONE),
        ];
        assert_eq!(flaws(THIEF_FIRST), expected);
        let simple = last(Design::SimpleJwt, THIEF_FIRST);
        assert!(simple.thief_is_in() && !simple.owner_is_in());
        // Supabase returns the attacker's token to the owner: both are signed in.
        let supabase = last(Design::SUPABASE, THIEF_FIRST);
        assert!(supabase.thief_is_in() && supabase.owner_is_in());
        for design in [Design::KEYTURN, Design::STRICT] {
            let frame = last(design, THIEF_FIRST);
            assert!(frame.family.is_revoked() && !frame.thief_is_in() && !frame.owner_is_in());
            assert_eq!(
                verdicts(design, THIEF_FIRST),
                [Verdict::Rotate, Verdict::Kill, Verdict::Refuse]
            );
        }
    }

    #[test]
    fn thief_refreshes_second() {
        for (name, found) in flaws(THEFT) {
            let expected = if name == "Supabase" { PARASITE } else { NONE };
            assert_eq!(found, expected, "{name}");
        }
        assert!(last(Design::KEYTURN, THEFT).family.is_revoked());
        let simple = last(Design::SimpleJwt, THEFT);
        assert!(simple.owner_is_in() && !simple.thief_is_in());
    }

    #[test]
    fn a_response_is_lost() {
        let expected = [
            ("Keyturn", NONE),
            ("Strict", ORPHAN),
            ("SimpleJWT", ORPHAN),
            ("Supabase", NONE),
            ("SuperTokens", NONE),
            // The retry comes after its leeway of 10 s.
            ("Auth0", ORPHAN),
        ];
        assert_eq!(flaws(LOST), expected);
        assert!(last(Design::KEYTURN, LOST).owner_is_in());
        assert!(!last(Design::STRICT, LOST).owner_is_in());
    }

    #[test]
    fn three_tabs_refresh_at_once() {
        let expected = [
            ("Keyturn", NONE),
            ("Strict", ORPHAN),
            ("SimpleJWT", ORPHAN),
            ("Supabase", NONE),
            ("SuperTokens", NONE),
            ("Auth0", FORK),
        ];
        assert_eq!(flaws(AT_ONCE), expected);
        assert_eq!(last(Design::AUTH0, AT_ONCE).live(), 3);
        // Later they refresh one after the other, with the token in the jar.
        let keyturn = last(Design::KEYTURN, "r1.r2.r3.w3600.r2.w3600.r3");
        assert_eq!(keyturn.flaws, NONE);
        assert_eq!(keyturn.family.generation(keyturn.jar.expect("it is in")), 4);
    }

    #[test]
    fn each_state_of_a_token_is_reported() {
        let at = |design, steps, number| {
            let frame = last(design, steps);
            let token = frame.family.serials().find(|token| token.number() == number);
            frame.status(token.expect("it was minted"))
        };
        assert_eq!(at(Design::KEYTURN, "", 1), SimulatedTokenStatus::Live);
        assert_eq!(at(Design::KEYTURN, "r1", 1), SimulatedTokenStatus::Forgiven);
        assert_eq!(at(Design::KEYTURN, "r1.w15", 1), SimulatedTokenStatus::Spent);
        assert_eq!(at(Design::KEYTURN, "r1.w15.p1", 2), SimulatedTokenStatus::Dead);
        assert_eq!(
            at(Design::SUPERTOKENS, "r1.r2", 2),
            SimulatedTokenStatus::Displaced
        );
        let replayed = last(Design::KEYTURN, "r1.w15.p1").replayed;
        assert_eq!(replayed, [Serial::FIRST]);
    }

    #[test]
    fn impossible_steps_change_nothing() {
        for steps in ["t", "p9"] {
            let frame = last(Design::KEYTURN, steps);
            assert_eq!((frame.sent, frame.flaws), (None, NONE), "{steps}");
            assert!(frame.owner_is_in());
        }
        // A signed-out owner has nothing to send.
        assert_eq!(
            verdicts(Design::STRICT, "r1.r2.w5.r1.r2"),
            [Verdict::Rotate, Verdict::Kill]
        );
    }
}
