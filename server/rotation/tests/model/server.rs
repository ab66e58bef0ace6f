//! The server: the transaction of `store::Store::refresh` step by step, and the other operations that write.
//!
//! An operation that only reads responds in the same step. One that writes takes two steps, so that everything else can
//! happen between the read and the write. There is no step between commit and response. To all clients a crash there
//! looks like a lost response followed by a crash, and the model has both.

use rotation::{Decision, RevocationReason, Successor};
use stateright::Model;

use crate::{
    guard::Guard,
    judge::{judge, moment, policy, sign, timestamp},
    model::Keyturn,
    observer::{observe_grant, observe_recovery, observe_rotation},
    property::Invariant,
    state::{
        ClientKind, ClientRequest, Loaded, ModelAnswer, ModelRefusal, ModelToken, PendingExchange, ReasonNo,
        Replica, RequestPhase, Row, Saved, SessionNo, TokenNo, World,
    },
};

/// The same number of rounds as in `store::refresh`.
const ROUNDS: u8 = 4;

/// The process that receives a request. Only the first has seen the access tokens in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ModelNode {
    First,
    Second,
}

impl Keyturn {
    /// A request arrives: the checks that need no database, then the read.
    pub(crate) fn load(&self, world: &mut World, mut exchange: PendingExchange, node: ModelNode) {
        let lost_rounds = match exchange.phase {
            RequestPhase::Sent { lost_rounds } => lost_rounds,
            _ => 0,
        };
        match exchange.ask {
            ClientRequest::Forged(token) => {
                let before = (world.sessions.clone(), world.blacklist.clone());
                if self.missing.has(Guard::SignatureIsCheckedFirst) {
                    let loaded = self.read(world, token, node, lost_rounds);
                    self.decide_and_write(world, &mut exchange.clone(), token, &loaded);
                }
                let untouched = before == (world.sessions.clone(), world.blacklist.clone());
                world.broken.unless(untouched, Invariant::I11);
            }
            ClientRequest::SignIn(_) if world.disabled => {
                answer(world, exchange, ModelAnswer::Refused(ModelRefusal::WrongPassword));
            }
            ClientRequest::SignIn(_) => {
                exchange.phase = RequestPhase::Loaded(Box::new(Loaded {
                    lost_rounds,
                    now: world.now,
                    row: None,
                    epoch: world.epoch,
                    disabled: world.disabled,
                    blacklisted_at: None,
                    successor_consumed_at: None,
                    used_at: None,
                }));
                world.net.push(exchange);
            }
            ClientRequest::SignOut(session) => {
                self.before_write(world);
                self.end(world, session, RevocationReason::Logout);
                world.row_mut(session).left = true;
                answer(world, exchange, ModelAnswer::SignedOut);
            }
            ClientRequest::Refresh(token) => {
                let expired = world.token(token).expires_at <= world.now;
                if expired && !self.missing.has(Guard::ExpiryIsCheckedFirst) {
                    answer(world, exchange, ModelAnswer::Refused(ModelRefusal::Invalid));
                    return;
                }
                let loaded = self.read(world, token, node, lost_rounds);
                match judge(self.missing, world, token, &loaded) {
                    Decision::Rotate(_) | Decision::Recover(_) | Decision::Reuse => {
                        exchange.phase = RequestPhase::Loaded(Box::new(loaded));
                        world.net.push(exchange);
                    }
                    _ => self.decide_and_write(world, &mut exchange, token, &loaded),
                }
            }
        }
    }

    /// A transaction that has read now writes and responds.
    pub(crate) fn finish(&self, world: &mut World, mut exchange: PendingExchange) {
        let RequestPhase::Loaded(loaded) = exchange.phase.clone() else {
            return;
        };
        match exchange.ask {
            ClientRequest::Refresh(token) => self.decide_and_write(world, &mut exchange, token, &loaded),
            ClientRequest::SignIn(replaces) => self.open_session(world, exchange, replaces, &loaded),
            ClientRequest::SignOut(_) | ClientRequest::Forged(_) => {}
        }
    }

    fn read(&self, world: &World, token: TokenNo, node: ModelNode, lost_rounds: u8) -> Loaded {
        let session = world.token(token).session;
        let mut row = world.row(session).clone();
        let generation = world.token(row.live_token).generation;
        let known = world.pending.get(&session).filter(|_| node == ModelNode::First);
        let pending = known
            .filter(|first| first.generation >= generation)
            .map(|first| first.at);
        let used_at = row.confirmed_at.into_iter().chain(pending).min();
        if !self.missing.has(Guard::ConsultsPending) {
            row.confirmed_at = used_at;
        }
        // As in the store: the blacklist is queried only for tokens that are neither the live one nor its parent.
        let is_ancestor = row.live_token != token && row.previous != Some(token);
        let since = |token: &TokenNo| world.blacklist.get(token).copied();
        let blacklisted_at = since(&token).filter(|_| is_ancestor);
        let successor = world.token(token).successor.filter(|_| blacklisted_at.is_some());
        Loaded {
            lost_rounds,
            now: world.now,
            epoch: world.epoch,
            disabled: world.disabled,
            blacklisted_at,
            successor_consumed_at: successor.and_then(|issued| since(&issued)),
            row: Some(row),
            used_at,
        }
    }

    /// Deciding is pure, so deciding again on the same data gives the same decision.
    fn decide_and_write(
        &self,
        world: &mut World,
        exchange: &mut PendingExchange,
        token: TokenNo,
        loaded: &Loaded,
    ) {
        let session = world.token(token).session;
        let reply = match judge(self.missing, world, token, loaded) {
            Decision::Rotate(_) if !self.still_holds(world, session, loaded) => {
                self.start_over(world, exchange, loaded);
                return;
            }
            Decision::Rotate(successor) => {
                if world.blacklist.contains_key(&token) && !self.missing.has(Guard::InsertMustSucceed) {
                    // The rotation is rolled back; see the store.
                    self.end_after_reuse(world, session);
                    ModelAnswer::Refused(ModelRefusal::Reuse)
                } else {
                    self.before_write(world);
                    let issued = sign(world, session, &successor.token, token);
                    observe_rotation(world, session, token, issued, loaded);
                    advance(world, token, issued, &successor, loaded);
                    observe_grant(world, token, issued, loaded);
                    ModelAnswer::Granted(issued)
                }
            }
            Decision::Recover(successor) => {
                let is_new = !world.blacklist.contains_key(&token);
                if !self.still_behind(world, session, loaded)
                    || !(is_new || self.missing.has(Guard::InsertMustSucceed))
                {
                    self.start_over(world, exchange, loaded);
                    return;
                }
                self.before_write(world);
                let issued = sign(world, session, &successor.token, token);
                observe_recovery(world, session, token, issued, loaded);
                if !self.missing.has(Guard::RecoveryBlacklistsTheLeaf) {
                    let outdated = world.row(session).live_token;
                    world.blacklist.entry(outdated).or_insert(loaded.now);
                }
                advance(world, token, issued, &successor, loaded);
                observe_grant(world, token, issued, loaded);
                ModelAnswer::Granted(issued)
            }
            Decision::Replay(live_token) => {
                let issued = sign(world, session, &live_token, token);
                observe_grant(world, token, issued, loaded);
                ModelAnswer::Granted(issued)
            }
            Decision::Stale => ModelAnswer::Stale,
            Decision::Reuse => {
                if !self.missing.has(Guard::ReuseEndsTheSession) {
                    self.end_after_reuse(world, session);
                }
                ModelAnswer::Refused(ModelRefusal::Reuse)
            }
            Decision::Ended(_) if self.missing.has(Guard::EndNamesItsReason) => {
                ModelAnswer::Refused(ModelRefusal::Over)
            }
            Decision::Ended(ending) => ModelAnswer::Refused(ModelRefusal::of(ending)),
        };
        self.observe_reply(world, token, loaded, reply);
        answer(world, exchange.clone(), reply);
    }

    /// Another request won the row: decide again.
    #[expect(clippy::unused_self, reason = "a step of the server, like the others")]
    fn start_over(&self, world: &mut World, exchange: &mut PendingExchange, loaded: &Loaded) {
        let lost_rounds = loaded.lost_rounds + 1;
        if lost_rounds == ROUNDS {
            world.broken.mark(Invariant::I3);
            answer(world, exchange.clone(), ModelAnswer::Failed);
        } else {
            exchange.phase = RequestPhase::Sent { lost_rounds };
            world.net.push(exchange.clone());
        }
    }

    /// The `WHERE` clause of a recovery: that of a rotation, except for the idle expiry of the outdated token.
    fn still_behind(&self, world: &World, session: SessionNo, loaded: &Loaded) -> bool {
        let row = world.row(session);
        let Some(before) = &loaded.row else {
            return false;
        };
        let owner_agrees = world.epoch == before.epoch && !world.disabled;
        (row.live_token == before.live_token || self.missing.has(Guard::UpdateComparesLiveToken))
            && (row.ended.is_none() || self.missing.has(Guard::UpdateComparesEnd))
            && row.absolute_end > loaded.now
            && (owner_agrees || self.missing.has(Guard::UpdateComparesOwner))
    }

    /// The `WHERE` clause of a rotation.
    fn still_holds(&self, world: &World, session: SessionNo, loaded: &Loaded) -> bool {
        let row = world.row(session);
        let Some(before) = &loaded.row else {
            return false;
        };
        let same_live_token = row.live_token == before.live_token;
        let not_ended = row.ended.is_none();
        let not_expired = world.token(row.live_token).expires_at > loaded.now;
        let owner_agrees = world.epoch == before.epoch && !world.disabled;
        (same_live_token || self.missing.has(Guard::UpdateComparesLiveToken))
            && (not_ended || self.missing.has(Guard::UpdateComparesEnd))
            && (not_expired || self.missing.has(Guard::UpdateComparesExpiry))
            && (owner_agrees || self.missing.has(Guard::UpdateComparesOwner))
    }

    /// A login whose password was right when it was checked.
    fn open_session(
        &self,
        world: &mut World,
        exchange: PendingExchange,
        replaces: Option<SessionNo>,
        loaded: &Loaded,
    ) {
        let unchanged = world.epoch == loaded.epoch && !world.disabled;
        if !unchanged && !self.missing.has(Guard::SignInChecksAgain) {
            answer(world, exchange, ModelAnswer::Refused(ModelRefusal::WrongPassword));
            return;
        }
        self.before_write(world);
        if let Some(replaced) = replaces {
            self.end(world, replaced, RevocationReason::Replaced);
        }
        let token = open(world, loaded.epoch);
        answer(world, exchange, ModelAnswer::SignedIn(token));
    }

    /// Logout everywhere, password change, disabling: one transaction.
    pub(crate) fn bump_epoch(&self, world: &mut World, disable: bool) {
        world.epoch += 1;
        world.disabled |= disable;
        if !self.missing.has(Guard::EpochBumpEndsSessions) {
            for session in 0..world.sessions.len() {
                self.end(
                    world,
                    u8::try_from(session).unwrap_or(0),
                    RevocationReason::LogoutAll,
                );
            }
        }
    }

    fn end(&self, world: &mut World, session: SessionNo, reason: RevocationReason) {
        let now = world.now;
        let row = world.row_mut(session);
        if row.ended.is_some() {
            return;
        }
        row.ended = Some(ReasonNo::of(reason));
        let live_token = row.live_token;
        world.pending.remove(&session);
        if !self.missing.has(Guard::EndBlacklistsTheLeaf) {
            world.blacklist.entry(live_token).or_insert(now);
        }
    }

    fn end_after_reuse(&self, world: &mut World, session: SessionNo) {
        let others = |world: &World| {
            let mut rows = world.sessions.clone();
            rows.remove(usize::from(session));
            rows
        };
        let before = others(world);
        self.end(world, session, RevocationReason::ReuseDetected);
        if self.missing.has(Guard::ReuseEndsOnlyThisSession) {
            for other in 0..world.sessions.len() {
                self.end(
                    world,
                    u8::try_from(other).unwrap_or(0),
                    RevocationReason::ReuseDetected,
                );
            }
        }
        let untouched = before == others(world);
        world.broken.unless(untouched, Invariant::I8);
    }

    /// Where the commit comes after the response, a crash restores the previous state.
    fn before_write(&self, world: &mut World) {
        if self.missing.has(Guard::CommitComesFirst) && world.unsaved.is_none() {
            world.unsaved = Some(Box::new(Saved {
                sessions: world.sessions.clone(),
                blacklist: world.blacklist.clone(),
            }));
        }
    }

    /// SIGKILL and a restart. Committed data stays; transactions and the process's memory are lost.
    pub(crate) fn crash(&self, world: &mut World) {
        world.net.retain(|exchange| {
            !matches!(
                exchange.phase,
                RequestPhase::Loaded(_) | RequestPhase::Sent { lost_rounds: 1.. }
            )
        });
        world.pending.clear();
        if self.missing.has(Guard::BlacklistOutlivesTheProcess) {
            world.blacklist.clear();
        }
        if let Some(saved) = world.unsaved.take() {
            for (row, before) in world.sessions.iter_mut().zip(saved.sessions) {
                let left = row.left;
                *row = Row { left, ..before };
            }
            world.blacklist = saved.blacklist;
        }
    }

    pub(crate) fn prune(&self, world: &mut World) {
        let spares = !self.missing.has(Guard::PruneSparesTheUnexpired);
        let World {
            blacklist,
            tokens,
            pruned,
            now,
            ..
        } = world;
        blacklist.retain(|&token, _| {
            let keep = spares && tokens[usize::from(token)].expires_at > *now;
            if !keep {
                pruned.insert(token);
            }
            keep
        });
    }

    /// Writes pending first uses to the rows.
    #[expect(clippy::unused_self, reason = "a step of the server, like the others")]
    pub(crate) fn flush(&self, world: &mut World) {
        for (session, first) in std::mem::take(&mut world.pending) {
            let generation = world.token(world.row(session).live_token).generation;
            if first.generation == generation {
                world.row_mut(session).confirmed_at.get_or_insert(first.at);
            }
        }
    }

    /// The replica, or a backup, receives everything committed until now.
    #[expect(clippy::unused_self, reason = "a step of the server, like the others")]
    pub(crate) fn replicate(&self, world: &mut World) {
        world.replica = Some(Box::new(Replica {
            sessions: world.sessions.clone(),
            blacklist: world.blacklist.clone(),
            tokens: world.tokens.clone(),
        }));
    }

    /// The replica takes over. Everything committed after it is lost, and requests in progress fail.
    pub(crate) fn fail_over(&self, world: &mut World) {
        let replica = world.replica.clone().unwrap_or_else(|| {
            let first = self.init_states().remove(0);
            Box::new(Replica {
                sessions: first.sessions,
                blacklist: first.blacklist,
                tokens: first.tokens,
            })
        });
        let Replica {
            sessions,
            blacklist,
            tokens,
        } = *replica;
        for (number, token) in world.tokens.iter_mut().enumerate() {
            let before = tokens.get(number);
            token.consumed_at = before.and_then(|before| before.consumed_at);
            token.successor = before.and_then(|before| before.successor);
        }
        world.sessions = sessions;
        world.blacklist = blacklist;
        world.net.retain_mut(|exchange| {
            let is_inside = matches!(
                exchange.phase,
                RequestPhase::Loaded(_) | RequestPhase::Sent { lost_rounds: 1.. }
            );
            if is_inside {
                exchange.phase = RequestPhase::Answered(ModelAnswer::Unavailable);
            }
            !is_inside || exchange.is_honest() && !exchange.unheard
        });
    }

    /// Whether presenting this token now would yield a token.
    pub(crate) fn would_yield(&self, world: &World, token: TokenNo) -> bool {
        let loaded = self.read(world, token, ModelNode::First, 0);
        world.token(token).expires_at > world.now
            && matches!(
                judge(self.missing, world, token, &loaded),
                Decision::Rotate(_) | Decision::Replay(_) | Decision::Recover(_)
            )
    }
}

/// The common part of rotation and recovery: the row's next token, and the consumed token's blacklist entry.
fn advance(world: &mut World, token: TokenNo, issued: TokenNo, successor: &Successor, loaded: &Loaded) {
    let session = world.token(token).session;
    let row = world.row_mut(session);
    row.previous = Some(token);
    row.live_token = issued;
    row.rotated_at = moment(successor.rotated_at);
    row.confirmed_at = None;
    world.blacklist.entry(token).or_insert(loaded.now);
    let generation = world.token(issued).generation;
    if world
        .pending
        .get(&session)
        .is_some_and(|first| first.generation < generation)
    {
        world.pending.remove(&session);
    }
    world.token_mut(token).consumed_at.get_or_insert(loaded.now);
}

/// A new session and its first token.
pub(crate) fn open(world: &mut World, epoch: u8) -> TokenNo {
    let session = u8::try_from(world.sessions.len()).expect("few sessions");
    let lifetimes = policy().lifetimes;
    let now = timestamp(world.now);
    let absolute_end = lifetimes.absolute_expiry(now);
    let token = world.next_token();
    world.tokens.push(ModelToken {
        session,
        generation: 1,
        issued_at: world.now,
        expires_at: moment(lifetimes.refresh_expiry(now, absolute_end, true)),
        key: world.newest_key,
        consumed_at: None,
        successor: None,
        parent: None,
    });
    world.sessions.push(Row {
        epoch,
        live_token: token,
        previous: None,
        rotated_at: world.now,
        confirmed_at: None,
        absolute_end: moment(absolute_end),
        ended: None,
        born_in: epoch,
        left: false,
        recovered: false,
    });
    token
}

/// Sends the response. The attacker receives it immediately.
fn answer(world: &mut World, mut exchange: PendingExchange, answer: ModelAnswer) {
    match exchange.who {
        ClientKind::Thief => {
            if let ModelAnswer::Granted(token) = answer {
                world.loot.insert(token);
            }
        }
        ClientKind::Tab(_) if exchange.unheard => {}
        ClientKind::Tab(_) => {
            exchange.phase = RequestPhase::Answered(answer);
            world.net.push(exchange);
        }
    }
}
