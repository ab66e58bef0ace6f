//! A server in memory that uses the decisions of the real `rotation::decide`. It applies them as `store::refresh` does,
//! and responds as `routes::auth::refresh` does.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rotation::{
    AccountState, Decision, Generation, Jti, KeyId, LiveToken, Policy, Presented, Revocation,
    RevocationReason, Role, Session, SessionEnd, SessionId, SessionSnapshot, SuccessorParams, Timestamp,
    UserId, decide,
};
use uuid::Uuid;

use crate::shared::{
    FakeClock, ServerReply, SetCookie, TestServer,
    responses::{problem, problem_with_reason, token_response},
};

const POLICY: Policy = Policy::KEYTURN;

/// The possible outcomes of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObservedOutcome {
    Rotated,
    Replayed,
    Stale,
    Reuse,
    Ended,
    /// Lost on purpose, because the specification accepts that it would be treated as theft; see
    /// [`RotationServer::exclude_gaps`].
    Excluded(Gap),
}

/// A case that the specification does not cover; see `server/rotation/tests/model/gaps.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// The request was under way for longer than the grace period.
    Delayed,
    /// The response arrives after one with a newer token.
    Overtaken,
    /// The response arrives after another tab's sign-in, and is about the session before that.
    AfterSignIn,
}

pub(crate) struct RotationServer {
    clock: FakeClock,
    accounts: BTreeMap<UserId, Account>,
    rows: Vec<Session>,
    blacklist: BTreeMap<Jti, Timestamp>,
    /// The successor that was issued for each consumed token.
    successors: BTreeMap<Jti, Jti>,
    /// Consumed tokens whose successor has been used, or consumed as well.
    superseded: BTreeSet<Jti>,
    issued: u128,
    excludes_gaps: bool,
    pub(crate) outcomes: BTreeSet<ObservedOutcome>,
}

struct Account {
    name: String,
    epoch: u32,
}

impl RotationServer {
    /// From now on the network loses the messages that fall into a gap that the specification accepts.
    ///
    /// These are all the gaps. A token that is no longer live was in the jar when its request was sent. If it was
    /// consumed after that, and the request is not stuck, the grace period covers it. If it was consumed before, its
    /// successor was not in the jar yet, unless a response was overtaken. So the successor was unused, and while it
    /// stays unused the token is accepted. If the successor is used while the request is under way, that use was within
    /// the grace period.
    pub(crate) fn exclude_gaps(&mut self) {
        self.excludes_gaps = true;
    }

    /// Ends all sessions of this user, from another device.
    pub(crate) fn revoke_all_sessions(&mut self, name: &str) {
        let user = user_id(name);
        self.account(name).epoch += 1;
        for number in 0..self.rows.len() {
            if self.rows[number].user_id == user {
                self.end_row(number, RevocationReason::LogoutAll);
            }
        }
    }

    fn now(&self) -> Timestamp {
        timestamp(self.clock.get())
    }

    fn account(&mut self, name: &str) -> &mut Account {
        self.accounts.entry(user_id(name)).or_insert_with(|| Account {
            name: name.to_owned(),
            epoch: 1,
        })
    }

    fn fresh(&mut self) -> SuccessorParams {
        self.issued += 1;
        SuccessorParams {
            jti: Jti::from_uuid(Uuid::from_u128(self.issued)),
            kid: KeyId::new("key"),
        }
    }

    fn end_row(&mut self, number: usize, reason: RevocationReason) {
        let at = self.now();
        let row = &mut self.rows[number];
        if row.revocation.is_none() {
            row.revocation = Some(Revocation { at, reason });
            self.blacklist.entry(row.live_token.jti).or_insert(at);
        }
    }

    /// The reason why this refresh would be treated as theft although it is not one.
    fn gap(&self, sent_cookie: Presented, sent_at: Timestamp) -> Option<Gap> {
        self.owner(sent_cookie)?;
        let past_grace = |since: Timestamp| self.now().distance(since) > POLICY.reuse_grace;
        let consumed_at = self.blacklist.get(&sent_cookie.jti)?;
        let stuck =
            self.superseded.contains(&sent_cookie.jti) && past_grace(*consumed_at) && past_grace(sent_at);
        stuck.then_some(Gap::Delayed)
    }
}

impl TestServer for RotationServer {
    type Cookie = Presented;

    fn new(clock: FakeClock) -> Self {
        Self {
            clock,
            accounts: BTreeMap::new(),
            rows: vec![],
            blacklist: BTreeMap::new(),
            successors: BTreeMap::new(),
            superseded: BTreeSet::new(),
            issued: 0,
            excludes_gaps: false,
            outcomes: BTreeSet::new(),
        }
    }

    fn begin(&mut self, name: &str) -> Presented {
        let now = self.now();
        let absolute_expires_at = POLICY.lifetimes.absolute_expiry(now);
        let SuccessorParams { jti, kid } = self.fresh();
        let row = Session {
            id: SessionId::from_uuid(Uuid::from_u128(self.rows.len() as u128)),
            user_id: user_id(name),
            token_epoch: self.account(name).epoch,
            live_token: LiveToken {
                jti,
                generation: Generation::FIRST,
                issued_at: now.floor_to_secs(),
                expires_at: POLICY.lifetimes.refresh_expiry(now, absolute_expires_at, true),
                kid,
            },
            previous_jti: None,
            rotated_at: now,
            confirmed_at: None,
            absolute_expires_at,
            created_at: now,
            last_used_at: now,
            remember: true,
            revocation: None,
        };
        let cookie = cookie_of(&row);
        self.rows.push(row);
        cookie
    }

    fn end(&mut self, cookie: Presented, reason: &'static str) {
        let reason = RevocationReason::parse(reason).expect("a reason that the server knows");
        self.end_row(number_of(cookie.session), reason);
    }

    fn end_by_token(&mut self, token: &str) {
        let number = token.split('-').nth(1).and_then(|number| number.parse().ok());
        if let Some(number) = number {
            self.end_row(number, RevocationReason::Logout);
        }
    }

    fn refresh(&mut self, cookie: Presented) -> ServerReply<Presented> {
        let (now, fresh) = (self.now(), self.fresh());
        let number = number_of(cookie.session);
        let row = &mut self.rows[number];
        let account = AccountState {
            token_epoch: self.accounts[&row.user_id].epoch,
            disabled: false,
            role: Role::User,
        };
        let snapshot = SessionSnapshot {
            session: Some((row, account)),
            blacklisted: self.blacklist.contains_key(&cookie.jti),
            successor_consumed_at: self
                .successors
                .get(&cookie.jti)
                .and_then(|successor| self.blacklist.get(successor))
                .copied(),
        };
        let decision = decide(&snapshot, cookie, &fresh, now, &POLICY);
        self.outcomes.insert(match decision {
            Decision::Rotate(_) => ObservedOutcome::Rotated,
            Decision::Replay(_) => ObservedOutcome::Replayed,
            Decision::Recover(_) => unreachable!("this server loses no writes"),
            Decision::Stale => ObservedOutcome::Stale,
            Decision::Reuse => ObservedOutcome::Reuse,
            Decision::Ended(_) => ObservedOutcome::Ended,
        });
        match decision {
            Decision::Rotate(successor) => {
                self.superseded.extend(row.previous_jti);
                self.successors.insert(row.live_token.jti, successor.token.jti);
                self.blacklist.insert(row.live_token.jti, now);
                row.previous_jti = Some(row.live_token.jti);
                row.live_token = successor.token;
                row.rotated_at = successor.rotated_at;
                row.confirmed_at = None;
            }
            Decision::Replay(_) | Decision::Recover(_) => {}
            Decision::Stale => return (problem(409, "refresh_superseded"), SetCookie::No),
            Decision::Reuse => {
                self.end_row(number, RevocationReason::ReuseDetected);
                return (problem(401, "refresh_reused"), SetCookie::Delete);
            }
            Decision::Ended(ending) => return (ended_response(ending), SetCookie::Delete),
        }
        let successor = cookie_of(&self.rows[number]);
        (token_response(&self.token(successor)), SetCookie::To(successor))
    }

    fn token(&self, cookie: Presented) -> String {
        let end = self.now().saturating_add(POLICY.lifetimes.access);
        format!(
            "token-{}-{}-{}",
            number_of(cookie.session),
            cookie.generation,
            end.millis()
        )
    }

    fn accept(&mut self, token: &str) -> Option<String> {
        let mut parts = token.split('-').skip(1);
        let number: usize = parts.next()?.parse().ok()?;
        let generation: u32 = parts.next()?.parse().ok()?;
        let ends_at: i64 = parts.next()?.parse().ok()?;
        let now = self.now();
        let row = &mut self.rows[number];
        if row.revocation.is_some() || ends_at <= now.millis() {
            return None;
        }
        if row.live_token.generation == Generation::new(generation) {
            row.confirmed_at.get_or_insert(now);
            self.superseded.extend(row.previous_jti);
        }
        Some(self.accounts[&row.user_id].name.clone())
    }

    fn owner(&self, cookie: Presented) -> Option<String> {
        let row = &self.rows[number_of(cookie.session)];
        let account = &self.accounts[&row.user_id];
        row.revocation.is_none().then(|| account.name.clone())
    }

    fn active_sessions(&self) -> usize {
        self.rows.iter().filter(|row| row.revocation.is_none()).count()
    }

    fn loses_request(&mut self, sent_cookie: Presented, sent_at: Duration) -> bool {
        let gap = self
            .gap(sent_cookie, timestamp(sent_at))
            .filter(|_| self.excludes_gaps);
        self.outcomes.extend(gap.map(ObservedOutcome::Excluded));
        gap.is_some()
    }

    fn loses_response(
        &mut self,
        jar_change: SetCookie<Presented>,
        sent_cookie: Option<Presented>,
        in_jar: Option<Presented>,
    ) -> bool {
        let about = match jar_change {
            SetCookie::No => None,
            SetCookie::Delete => sent_cookie,
            SetCookie::To(cookie) => Some(cookie),
        };
        let gap = about.zip(in_jar).and_then(|(about, in_jar)| {
            let order = about.session.cmp(&in_jar.session);
            match order.then(about.generation.cmp(&in_jar.generation)) {
                Ordering::Less if order.is_lt() => Some(Gap::AfterSignIn),
                Ordering::Less if jar_change != SetCookie::Delete => Some(Gap::Overtaken),
                _ => None,
            }
        });
        let gap = gap.filter(|_| self.excludes_gaps);
        self.outcomes.extend(gap.map(ObservedOutcome::Excluded));
        gap.is_some()
    }
}

fn ended_response(ending: SessionEnd) -> session_client::ApiResponse {
    let revoked = |reason: RevocationReason| problem_with_reason(401, "session_revoked", reason.as_str());
    match ending {
        SessionEnd::Expired => problem(401, "refresh_expired"),
        SessionEnd::UserDisabled => problem(401, "account_disabled"),
        SessionEnd::Unknown => problem_with_reason(401, "session_revoked", "unknown"),
        SessionEnd::EpochBehind => revoked(RevocationReason::LogoutAll),
        SessionEnd::Revoked(reason) => revoked(reason),
    }
}

fn cookie_of(row: &Session) -> Presented {
    Presented {
        session: row.id,
        jti: row.live_token.jti,
        generation: row.live_token.generation,
        expires_at: row.live_token.expires_at,
    }
}

/// A session's id is the number of its row.
fn number_of(session: SessionId) -> usize {
    usize::try_from(session.uuid().as_u128()).expect("few sessions")
}

fn user_id(name: &str) -> UserId {
    let initial = name.bytes().next().unwrap_or_default();
    UserId::from_uuid(Uuid::from_u128(initial.into()))
}

/// The browser's clock starts at zero when it is opened; the server's does not.
fn timestamp(now: Duration) -> Timestamp {
    Timestamp::from_secs(1_790_000_000).saturating_add(now)
}
