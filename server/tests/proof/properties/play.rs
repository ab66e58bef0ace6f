//! Executes a history and compares the results.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;
use rotation::{Clock, Generation, Jti, LiveToken, Policy, SessionEnd, Timestamp};
use store::{RetentionCutoff, Store, StoreError, refresh::RefreshOutcome};
use web::{App, AppState, random::SystemRandom, tokens::TokenError};

use super::{
    model::{Model, ModelFamily, ModelOutcome, ResolvedAction},
    plan::{Device, PlannedAction, PlannedStep, Scenario, Which},
};
use crate::{
    open,
    people::{self, Opened},
    rows::{BlacklistRow, Rows, SessionRow, violations},
    services,
    support::{Db, TestApp, app::config},
};

const DAY: i64 = 24 * 60 * 60 * 1_000;
const START: i64 = 1_795_000_000_000;
const GRACE: i64 = 10_000;
const BOTH: [Device; 2] = [Device::Laptop, Device::Phone];

/// A database that all histories share, and the product over it.
pub(crate) struct TestWorld {
    _app: TestApp,
    /// The services before and after the keys were rotated.
    keys: [AppState; 2],
    store: Store,
    pub(crate) rows: Rows,
    /// The number of occurrences of each event.
    pub(crate) seen: BTreeMap<&'static str, u64>,
}

/// The browser's side of a session: all tokens it has received, oldest first.
struct CookieJar {
    opened: Opened,
    tokens: Vec<(Jti, String)>,
}

struct HistoryRun<'a> {
    world: &'a mut TestWorld,
    policy: Policy,
    keys: usize,
    now: Timestamp,
    model: Model,
    laptop: CookieJar,
    phone: CookieJar,
    /// The process that revoked something is gone.
    restarted: bool,
    pruned: bool,
}

impl TestWorld {
    pub(crate) async fn new(db: Db) -> Self {
        // Ten days, so that a history of a dozen steps reaches the absolute end.
        let app = TestApp::with(db, |sections| {
            sections.tokens.refresh_absolute_ttl = Duration::from_hours(10 * 24);
        })
        .await;
        let newer = config(&app.db.url, |sections| {
            let older = sections.secrets.master.take();
            let older = match older.expect("a secret") {
                web::config::OneOrMany::One(secret) => secret,
                web::config::OneOrMany::Many(_) => unreachable!("tests have one secret"),
            };
            let newest = "a newer secret, just as long and of other letters".to_owned();
            sections.secrets.master = Some(web::config::OneOrMany::Many(vec![newest.into(), older]));
        });
        let store = open(&newer).await;
        let clock = Arc::clone(&app.clock) as Arc<dyn Clock>;
        let after = services(newer, store.clone(), clock, Arc::new(SystemRandom::default())).await;
        Self {
            rows: Rows::open(&app.db.url).await,
            keys: [app.state.clone(), after],
            _app: app,
            store,
            seen: BTreeMap::new(),
        }
    }

    async fn restart(&mut self) {
        let next = open(&self.keys[0].config).await;
        let before = std::mem::replace(&mut self.store, next);
        before.close().await.expect("closes");
    }
}

/// Executes one history completely.
pub(crate) async fn play(world: &mut TestWorld, plan: &Scenario) -> Result<(), String> {
    let mut game = HistoryRun::begin(world, plan).await;
    for (number, step) in plan.steps.iter().enumerate() {
        game.step(step)
            .await
            .map_err(|why| format!("step {number}, {step:?}: {why}"))?;
    }
    game.compare_rows(std::slice::from_ref(&game.model)).await?;
    game.compare_ends().await
}

impl<'a> HistoryRun<'a> {
    async fn begin(world: &'a mut TestWorld, plan: &Scenario) -> Self {
        let app = &world.keys[0];
        let now = Timestamp::from_millis(START + plan.fraction);
        let laptop = people::register(app, &world.store, now, plan.remember).await;
        let phone = people::log_in(app, &world.store, laptop.user, now).await;
        let grace = if plan.strict { 0 } else { GRACE };
        let idle = if plan.remember { 7 * DAY } else { DAY / 2 };
        Self {
            policy: Policy {
                reuse_grace: Duration::from_millis(grace.unsigned_abs()),
                ..app.config.policy
            },
            model: Model {
                grace,
                disabled: false,
                laptop: ModelFamily::new(now.millis(), idle, 10 * DAY),
                phone: ModelFamily::new(now.millis(), 7 * DAY, 10 * DAY),
            },
            laptop: CookieJar::new(laptop),
            phone: CookieJar::new(phone),
            keys: 0,
            restarted: false,
            pruned: false,
            now,
            world,
        }
    }

    async fn step(&mut self, step: &PlannedStep) -> Result<(), String> {
        match step {
            PlannedStep::One(device, act) => {
                let deed = self.deed(*device, *act);
                let (verdict, given) = self.done(*device, deed).await?;
                let (expected, why) = self.model.judge(*device, deed, self.now.millis());
                self.count(why);
                if verdict != expected {
                    return Err(format!(
                        "{deed:?} gave {verdict:?}; {expected:?} is right ({why})"
                    ));
                }
                self.keep(*device, verdict, given)?;
            }
            PlannedStep::AtOnce(acts) => self.at_once(acts).await?,
            PlannedStep::Wait(millis) => self.wait_until(self.now.millis() + millis),
            PlannedStep::WaitForIdleEnd(device, after) => {
                let family = self.model.family(*device);
                self.wait_until(family.tokens[family.live() - 1].expires_at + after);
            }
            PlannedStep::WaitForAbsoluteEnd(after) => self.wait_until(self.model.laptop.absolute_end + after),
            PlannedStep::SetBack(millis) => self.now = Timestamp::from_millis(self.now.millis() - millis),
            PlannedStep::Use(device) => {
                let generation = u32::try_from(self.model.family(*device).live()).expect("few");
                let session = self.jar(*device).opened.session;
                self.world
                    .store
                    .record_confirmation(session, Generation::new(generation), self.now);
                let now = self.now.millis();
                self.model.family_mut(*device).seen_at.get_or_insert(now);
            }
            PlannedStep::WriteUses => {
                self.world
                    .store
                    .flush_confirmations()
                    .await
                    .map_err(|why| why.to_string())?;
                for device in BOTH {
                    let family = self.model.family_mut(device);
                    // The first generation has no parent that could be presented again.
                    if family.live() > 1 && !family.forgotten {
                        family.confirmed_at = family.confirmed_at.or(family.seen_at);
                    }
                }
            }
            PlannedStep::Restart => {
                self.world.restart().await;
                self.restarted = true;
                for device in BOTH {
                    self.model.family_mut(device).seen_at = None;
                }
            }
            PlannedStep::Enable => {
                let enabled = self
                    .world
                    .store
                    .enable_user(self.laptop.opened.user, &self.context())
                    .await;
                if enabled.map_err(|why| why.to_string())? != self.model.disabled {
                    return Err("enabling says something else than was the case".to_owned());
                }
                self.model.disabled = false;
            }
            PlannedStep::Prune => self.prune().await?,
            PlannedStep::RollKeys => self.keys = 1,
        }
        Ok(())
    }

    /// Several actions together. Their verdicts and rows must match those of some order.
    async fn at_once(&mut self, acts: &[(Device, PlannedAction)]) -> Result<(), String> {
        self.count("at once");
        let deeds: Vec<_> = acts
            .iter()
            .map(|(device, act)| (*device, self.deed(*device, *act)))
            .collect();
        let answers = join_all(deeds.iter().map(|(device, deed)| self.done(*device, *deed))).await;
        let mut done = Vec::new();
        let mut given = Vec::new();
        for ((device, deed), answer) in deeds.into_iter().zip(answers) {
            let (verdict, live_token) = answer?;
            done.push((device, deed, verdict));
            given.push((device, verdict, live_token));
        }
        let explanations = self.model.explain(&done, self.now.millis());
        if explanations.is_empty() {
            return Err(format!("no order explains {done:?} after {:?}", self.model));
        }
        for (device, verdict, live_token) in given {
            self.keep(device, verdict, live_token)?;
        }
        let right = self.compare_rows(&explanations).await?;
        self.model = right;
        Ok(())
    }

    fn deed(&self, device: Device, act: PlannedAction) -> ResolvedAction {
        let live = self.model.family(device).live();
        match act {
            PlannedAction::LogOut => ResolvedAction::LogOut,
            PlannedAction::Revoke => ResolvedAction::Revoke,
            PlannedAction::RevokeOthers => ResolvedAction::RevokeOthers,
            PlannedAction::LogOutEverywhere => ResolvedAction::LogOutEverywhere,
            PlannedAction::SetPassword => ResolvedAction::SetPassword,
            PlannedAction::Disable => ResolvedAction::Disable,
            PlannedAction::Present(Which::Live) => ResolvedAction::Present(live),
            PlannedAction::Present(Which::Parent) => ResolvedAction::Present((live - 1).max(1)),
            PlannedAction::Present(Which::Ancestor(index)) => {
                ResolvedAction::Present(index % live.saturating_sub(2).max(1) + 1)
            }
        }
    }

    /// Executes an action as the routes do.
    async fn done(
        &self,
        device: Device,
        deed: ResolvedAction,
    ) -> Result<(ModelOutcome, Option<(LiveToken, String)>), String> {
        let (store, jar) = (&self.world.store, self.jar(device));
        let Opened { user, session, .. } = jar.opened;
        let act = self.context();
        let changed = match deed {
            ResolvedAction::Present(generation) => return self.present(&jar.tokens[generation - 1].1).await,
            ResolvedAction::LogOut => store.log_out(session, &act).await,
            ResolvedAction::Revoke => store.revoke_session(user, session, &act).await,
            ResolvedAction::RevokeOthers => store.revoke_other_sessions(user, session, &act).await,
            ResolvedAction::LogOutEverywhere => store.log_out_everywhere(user, &act).await,
            ResolvedAction::SetPassword => store.set_password(user, &people::no_hash(), &act).await,
            ResolvedAction::Disable => store.disable_user(user, &act).await,
        };
        Ok((ModelOutcome::Done(changed.map_err(|why| why.to_string())?), None))
    }

    fn context(&self) -> store::AuditContext {
        people::audit_context(&self.world.keys[self.keys], self.now)
    }

    async fn present(&self, token: &str) -> Result<(ModelOutcome, Option<(LiveToken, String)>), String> {
        let app: &App = &self.world.keys[self.keys];
        let claims = match app.tokens.verify_refresh(token, self.now) {
            Ok(claims) => claims,
            Err(TokenError::Expired) => return Ok((ModelOutcome::Expired, None)),
            Err(why) => return Err(format!("a token of ours is refused: {why}")),
        };
        let refreshed = self
            .world
            .store
            .refresh(
                claims.presented(),
                &app.successor_params(self.now),
                &self.policy,
                &self.context(),
            )
            .await
            .map_err(|why| why.to_string())?;
        Ok(match refreshed {
            RefreshOutcome::Rotated(granted)
            | RefreshOutcome::Replayed(granted)
            | RefreshOutcome::Recovered(granted) => {
                let session = &granted.session;
                let token = app
                    .tokens
                    .sign_refresh(session.user_id, session.id, &granted.token);
                let token = token.map_err(|why| why.to_string())?.expose().to_owned();
                let generation = granted.token.generation.number() as usize;
                (ModelOutcome::Granted(generation), Some((granted.token, token)))
            }
            RefreshOutcome::Stale => (ModelOutcome::Stale, None),
            RefreshOutcome::Reuse => (ModelOutcome::Reuse, None),
            RefreshOutcome::Ended(SessionEnd::Expired) => (ModelOutcome::Expired, None),
            RefreshOutcome::Ended(SessionEnd::Revoked(reason)) => (ModelOutcome::Over(reason.as_str()), None),
            RefreshOutcome::Ended(SessionEnd::UserDisabled) => (ModelOutcome::Disabled, None),
            RefreshOutcome::Ended(SessionEnd::Unknown) => (ModelOutcome::Unknown, None),
            // Every operation that bumps the epoch also stores the reason in the same transaction.
            RefreshOutcome::Ended(SessionEnd::EpochBehind) => {
                return Err("an epoch behind, for no reason".to_owned());
            }
        })
    }

    /// Stores a granted token in the jar. All responses with the same generation must contain the same bytes (I2).
    fn keep(
        &mut self,
        device: Device,
        verdict: ModelOutcome,
        given: Option<(LiveToken, String)>,
    ) -> Result<(), String> {
        let (ModelOutcome::Granted(generation), Some((live_token, token))) = (verdict, given) else {
            return Ok(());
        };
        let jar = match device {
            Device::Laptop => &mut self.laptop,
            Device::Phone => &mut self.phone,
        };
        match jar.tokens.get(generation - 1) {
            Some((_, before)) if *before == token => Ok(()),
            Some(_) => Err(format!(
                "generation {generation} was given out with other bytes before"
            )),
            None if generation == jar.tokens.len() + 1 => {
                jar.tokens.push((live_token.jti, token));
                Ok(())
            }
            None => Err(format!("generation {generation} comes out of nowhere")),
        }
    }

    /// Returns the one of `models` that the rows match.
    async fn compare_rows(&self, models: &[Model]) -> Result<Model, String> {
        let (rows, user) = (&self.world.rows, self.laptop.opened.user);
        let jtis = BOTH.into_iter().flat_map(|device| &self.jar(device).tokens);
        let sessions = rows.sessions(user).await;
        let dead = rows.blacklisted(jtis.map(|(jti, _)| *jti)).await;
        let reuses = rows.reuses(user).await;
        let mut found = Vec::new();
        for device in BOTH {
            let id = self.jar(device).opened.session.uuid();
            let Some(row) = sessions.iter().find(|row| row.id == id) else {
                if self.model.family(device).forgotten {
                    continue;
                }
                return Err("a session is gone".to_owned());
            };
            let dead: Vec<_> = dead.iter().filter(|dead| dead.session == id).cloned().collect();
            let reuses = reuses.iter().filter(|session| **session == id).count();
            let wrong = violations(row, &dead, reuses, self.pruned);
            if !wrong.is_empty() {
                return Err(wrong.join("\n"));
            }
            found.push((device, row, dead));
        }
        let mut wrong = Vec::new();
        for model in models {
            let disagreement = found.iter().find_map(|(device, row, dead)| {
                disagreement(model.family(*device), &self.jar(*device).tokens, row, dead)
            });
            match disagreement {
                None => return Ok(model.clone()),
                Some(why) => wrong.push(format!("{why}\nexpected {model:#?}")),
            }
        }
        Err(format!(
            "the rows are not as they should be: {}\nfound {found:#?}",
            wrong.join("\nor ")
        ))
    }

    /// Prunes, and reads from the rows what was deleted: only expired rows may be missing (I13).
    async fn prune(&mut self) -> Result<(), String> {
        let lifetimes = self.policy.lifetimes;
        let store = &self.world.store;
        let prune = async {
            while !store
                .prune(RetentionCutoff::new(self.now, &lifetimes))
                .await?
                .is_empty()
            {}
            Ok::<_, StoreError>(())
        };
        prune.await.map_err(|why| why.to_string())?;
        self.pruned = true;

        let (rows, now) = (&self.world.rows, self.now.millis());
        let sessions = rows.sessions(self.laptop.opened.user).await;
        for device in BOTH {
            let jar = self.jar(device);
            let kept = rows.blacklisted(jar.tokens.iter().map(|(jti, _)| *jti)).await;
            let row_is_gone = sessions.iter().all(|row| row.id != jar.opened.session.uuid());
            let jtis: Vec<_> = jar.tokens.iter().map(|(jti, _)| jti.uuid()).collect();
            let family = self.model.family_mut(device);
            if row_is_gone && !family.forgotten {
                if family.absolute_end > now {
                    return Err(format!("the {device:?}'s session was pruned before its end"));
                }
                family.forgotten = true;
                *self.world.seen.entry("session pruned").or_default() += 1;
            }
            let over = family.over.is_some();
            for (token, jti) in family.tokens.iter_mut().zip(jtis) {
                let dead = token.consumed_at.is_some() || over;
                if dead && !token.forgotten && kept.iter().all(|dead| dead.jti != jti) {
                    if token.expires_at > now {
                        return Err(format!("{jti} was pruned before it expired"));
                    }
                    token.forgotten = true;
                    *self.world.seen.entry("token pruned").or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// The process that revoked a session refuses its access tokens from then on, and no others (I7).
    async fn compare_ends(&self) -> Result<(), String> {
        for device in BOTH {
            let family = self.model.family(device);
            let Opened { user, session, .. } = self.jar(device).opened;
            let known = self.world.store.is_revoked(user, session).await;
            let known = known.map_err(|why| why.to_string())?;
            // A pruned row belonged to an expired session, whose access tokens have expired too.
            if known && family.over.is_none() && !family.forgotten {
                return Err(format!(
                    "the {device:?}'s access tokens are refused, and its session is not over"
                ));
            }
            if !known && family.over.is_some() && !self.restarted {
                return Err(format!("the {device:?}'s access tokens are not refused"));
            }
        }
        Ok(())
    }

    fn wait_until(&mut self, moment: i64) {
        self.now = self.now.max(Timestamp::from_millis(moment));
    }

    fn jar(&self, device: Device) -> &CookieJar {
        match device {
            Device::Laptop => &self.laptop,
            Device::Phone => &self.phone,
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.world.seen.entry(what).or_default() += 1;
    }
}

impl CookieJar {
    fn new(opened: Opened) -> Self {
        Self {
            tokens: vec![(opened.live_token.jti, opened.token.clone())],
            opened,
        }
    }
}

/// The first difference between a session's rows and the model.
fn disagreement(
    family: &ModelFamily,
    tokens: &[(Jti, String)],
    row: &SessionRow,
    dead: &[BlacklistRow],
) -> Option<String> {
    let live = family.live();
    if tokens.len() != live {
        return Some(format!("{} tokens were given out, not {live}", tokens.len()));
    }
    let jti = |generation: usize| tokens[generation - 1].0.uuid();
    let expected = SessionRow {
        id: row.id,
        generation: i32::try_from(live).expect("few"),
        current_jti: jti(live),
        previous_jti: (live > 1).then(|| jti(live - 1)),
        rotated_at: family.rotated_at,
        confirmed: family.confirmed_at.is_some(),
        confirmed_at: family.confirmed_at,
        refresh_expires_at: family.tokens[live - 1].expires_at,
        absolute_expires_at: family.absolute_end,
        revoke_reason: family.over.map(|over| over.why.to_owned()),
    };
    if *row != expected {
        return Some(format!("the session is {row:?}, not {expected:?}"));
    }
    let buried = family.tokens.iter().enumerate().filter_map(|(index, token)| {
        if token.forgotten {
            return None;
        }
        let (reason, at) = match (token.consumed_at, family.over) {
            (Some(at), _) => ("rotated", at),
            (None, Some(over)) => (over.why, over.at),
            (None, None) => return None,
        };
        Some(BlacklistRow {
            jti: jti(index + 1),
            session: row.id,
            generation: i32::try_from(index + 1).expect("few"),
            reason: reason.to_owned(),
            blacklisted_at: at,
            expires_at: token.expires_at,
        })
    });
    let buried: Vec<_> = buried.collect();
    (dead != buried).then(|| format!("blacklisted is {dead:?}, not {buried:?}"))
}
