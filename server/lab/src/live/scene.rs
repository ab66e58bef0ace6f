//! The state of a play, and its next actions.

use lab_types::live::{Act, Design, Done, Hand, Held, Kind, Play as Seen, Tried};
use rotation::{Generation, designs::Verdict};
use store::StoreError;

use super::{
    NoAct,
    browser::{Jar, Refresh, Reply},
    issuer::{Issuer, Known},
    millis,
    tree::Exchange,
    words,
};
use crate::{Lab, runs::Person};

/// More than a scenario needs, and few enough for a readable tree.
const ACTS: usize = 40;

/// A session and everyone who holds a token of it.
pub(super) struct Scene {
    play: String,
    design: Design,
    issuer: Issuer,
    owner: Jar,
    thief: Jar,
    /// Every refresh token that was issued.
    tokens: Vec<Refresh>,
    exchanges: Vec<Exchange>,
    done: Vec<Done>,
    /// The tokens that everyone held before the last act, until the tables show whether that act ended the session.
    before: Option<[(Hand, Jar); 2]>,
    held_at_the_end: Option<[(Hand, Held); 2]>,
    fallout: Vec<Tried>,
}

impl Scene {
    /// Begins with a new account, and a response that arrives.
    ///
    /// # Errors
    /// If the sign-in fails.
    pub(super) async fn open(
        lab: &Lab,
        play: String,
        design: Design,
        person: &Person,
    ) -> Result<Self, NoAct> {
        let (issuer, reply) = Issuer::open(lab, design, person).await?;
        let mut scene = Self {
            play,
            design,
            issuer,
            owner: Jar::default(),
            thief: Jar::default(),
            tokens: Vec::new(),
            exchanges: Vec::new(),
            done: Vec::new(),
            before: None,
            held_at_the_end: None,
            fallout: Vec::new(),
        };
        let signed_in = Done {
            at_ms: millis(lab.ours.clock.now()),
            who: Hand::Owner,
            act: None,
            sent: None,
            given: None,
            answer: None,
            used: None,
            what: String::new(),
            said: String::new(),
        };
        scene.hear(lab, signed_in, reply, true).await?;
        Ok(scene)
    }

    /// Performs an act. If it ends the session, all tokens that anyone held are tried.
    ///
    /// # Errors
    /// If there is no such token, no act is left, or the tables cannot be read.
    pub(super) async fn perform(&mut self, lab: &Lab, act: Act) -> Result<(), NoAct> {
        if self.acts_left() == 0 {
            return Err(NoAct::Full);
        }
        // If the tables could not be read after an earlier act, the tokens held before that act count.
        let before = self.before.take();
        let hands = before.unwrap_or_else(|| {
            [
                (Hand::Owner, self.owner.clone()),
                (Hand::Thief, self.thief.clone()),
            ]
        });
        self.before = Some(hands.clone());
        self.act(lab, act).await?;
        let has_ended = self.issuer.has_ended(lab).await?;
        self.before = None;
        if has_ended && self.held_at_the_end.is_none() {
            self.held_at_the_end = Some([(hands[0].0, hands[0].1.held()), (hands[1].0, hands[1].1.held())]);
            for (who, jar) in hands {
                let tried = try_out(&mut self.issuer, lab, who, &jar).await?;
                self.fallout.extend(tried);
            }
        }
        Ok(())
    }

    /// The current state.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(super) async fn seen(&self, lab: &Lab) -> Result<Seen, StoreError> {
        let held = [(Hand::Owner, self.owner.held()), (Hand::Thief, self.thief.held())];
        let told = self
            .issuer
            .tell(
                lab,
                Known {
                    exchanges: &self.exchanges,
                    held,
                    held_at_the_end: self.held_at_the_end,
                    fallout: &self.fallout,
                },
            )
            .await?;
        let window = self.issuer.window(lab);
        Ok(Seen {
            id: self.play.clone(),
            design: self.design,
            started_at_ms: self.done.first().map_or(0, |done| done.at_ms),
            grace_ms: u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
            acts_left: u32::try_from(self.acts_left()).unwrap_or(u32::MAX),
            session: told.session,
            tokens: told.tokens,
            owner: self.owner.held(),
            thief: self.thief.held(),
            done: self.done.clone(),
            fallout: self.fallout.clone(),
            outcome: told.outcome,
        })
    }

    fn acts_left(&self) -> usize {
        // The first entry is the sign-in.
        (ACTS + 1).saturating_sub(self.done.len())
    }

    fn jar(&mut self, who: Hand) -> &mut Jar {
        match who {
            Hand::Owner => &mut self.owner,
            Hand::Thief => &mut self.thief,
        }
    }

    async fn act(&mut self, lab: &Lab, act: Act) -> Result<(), NoAct> {
        let mut done = Done {
            at_ms: millis(lab.ours.clock.now()),
            who: hand_of(act),
            act: Some(act),
            sent: None,
            given: None,
            answer: None,
            used: None,
            what: String::new(),
            said: String::new(),
        };
        match act {
            Act::Renew { who } => {
                let token = self.jar(who).refresh.clone();
                self.renew(lab, done, token).await
            }
            Act::LoseAnswer {} => {
                let token = self.owner.refresh.clone();
                self.renew(lab, done, token).await
            }
            Act::Replay { generation } => {
                let mut tokens = self.tokens.iter();
                let token = tokens
                    .find(|token| token.generation.number() == generation)
                    .cloned();
                let token = token.ok_or(NoAct::NoSuchToken)?;
                // To present a token is to have it.
                self.thief.refresh.get_or_insert_with(|| token.clone());
                self.renew(lab, done, Some(token)).await
            }
            Act::Steal {} => {
                if let Some(copy) = &self.owner.refresh {
                    let stolen = copy.generation.number();
                    done.given = Some(stolen);
                    // A thief who already has a newer one keeps it.
                    if number(self.thief.refresh.as_ref()).is_none_or(|held| held <= stolen) {
                        self.thief.refresh = Some(copy.clone());
                    }
                }
                self.note(done, false, None);
                Ok(())
            }
            Act::SignOut {} => {
                let token = self.owner.refresh.clone();
                let reply = self.issuer.sign_out(lab, token.as_ref()).await?;
                done.sent = number(token.as_ref());
                done.answer = Some(reply.answer);
                self.put(Hand::Owner, reply);
                self.note(done, false, None);
                Ok(())
            }
        }
    }

    /// Without a token the request is sent all the same, as a browser would.
    async fn renew(&mut self, lab: &Lab, mut done: Done, token: Option<Refresh>) -> Result<(), NoAct> {
        let reply = self.issuer.renew(lab, done.who, token.as_ref()).await?;
        done.sent = number(token.as_ref());
        let arrives = done.act != Some(Act::LoseAnswer {});
        self.hear(lab, done, reply, arrives).await
    }

    /// Applies a response, and immediately uses the new access token, as a page does. That use confirms that the
    /// response arrived, and ends the grace period of its parent.
    async fn hear(&mut self, lab: &Lab, mut done: Done, reply: Reply, arrives: bool) -> Result<(), NoAct> {
        let mut again = false;
        if let Some(new) = &reply.refresh {
            let mut known = self.tokens.iter();
            again = known.any(|token| token.generation == new.generation);
            if !again {
                self.tokens.push(new.clone());
            }
        }
        if let (true, Some(access)) = (arrives, &reply.access) {
            let account = self.issuer.read_account(lab, done.who, access).await?;
            done.used = Some(account.answer);
        }
        done.given = number(reply.refresh.as_ref());
        done.answer = Some(reply.answer);
        self.exchanges.push(Exchange {
            sent: done.sent.map(Generation::new),
            given: reply.refresh.as_ref().map(|token| (token.generation, token.jti)),
            code: reply.answer.code,
            used: done.used.is_some_and(|answer| answer.status == 200),
        });
        let verdict = reply.verdict;
        if arrives {
            self.put(done.who, reply);
        }
        self.note(done, again, verdict);
        Ok(())
    }

    fn note(&mut self, mut done: Done, again: bool, verdict: Option<Verdict>) {
        done.what = words::what(&done);
        done.said = words::said(&done, again, verdict);
        self.done.push(done);
    }

    /// A browser deletes the cookie when told to, and its page clears its memory. A thief keeps every copy.
    fn put(&mut self, who: Hand, reply: Reply) {
        let jar = self.jar(who);
        if reply.clears && who == Hand::Owner {
            *jar = Jar::default();
        }
        if reply.refresh.is_some() {
            jar.refresh = reply.refresh;
        }
        if reply.access.is_some() {
            jar.access = reply.access;
        }
    }
}

fn hand_of(act: Act) -> Hand {
    match act {
        Act::Renew { who } => who,
        Act::LoseAnswer {} | Act::SignOut {} => Hand::Owner,
        Act::Steal {} | Act::Replay { .. } => Hand::Thief,
    }
}

fn number(token: Option<&Refresh>) -> Option<u32> {
    token.map(|token| token.generation.number())
}

/// Tries all tokens that someone held. The session has ended, so this consumes nothing.
async fn try_out(issuer: &mut Issuer, lab: &Lab, who: Hand, jar: &Jar) -> Result<Vec<Tried>, NoAct> {
    let mut tried = Vec::new();
    let mut note = |kind, generation: Generation, reply: Reply| {
        tried.push(Tried {
            who,
            kind,
            generation: generation.number(),
            answer: reply.answer,
        });
    };
    if let Some(token) = &jar.refresh {
        let reply = issuer.renew(lab, who, Some(token)).await?;
        note(Kind::Refresh, token.generation, reply);
    }
    if let Some(token) = &jar.access {
        let reply = issuer.read_account(lab, who, token).await?;
        note(Kind::Access, token.generation, reply);
    }
    Ok(tried)
}
