//! The actions that can happen next.

use stateright::{Model, Property};

use crate::{
    door::{Kind, reasons_against},
    guard::{Guard, Missing},
    property::{Broken, Invariant},
    scenario::Scenario,
    server::{Node, open},
    state::{Answer, Ask, Browser, Budget, Exchange, Phase, Ration, SessionNo, TokenNo, Use, Who, World},
};

/// The system under check: one scenario, with all or some of its guards.
#[derive(Debug, Clone)]
pub(crate) struct Keyturn {
    pub scenario: Scenario,
    pub missing: Missing,
}

/// Indexes refer to the exchanges in [`World::net`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    // The browser.
    Refresh(u8),
    SignIn(u8),
    SignOut(u8),
    /// Any tab uses the newest access token.
    Use,
    // The attacker.
    Steal,
    Present(TokenNo, Node),
    Forge(TokenNo),
    /// It, or the access token issued with it, is presented where the other kind is accepted.
    Confuse(TokenNo, Kind),
    // The network.
    Lose(usize),
    /// The client disconnects; its request continues.
    HangUp(usize),
    Repeat(usize),
    Deliver(usize),
    DeliverTwice(usize),
    // The server.
    Load(usize, Node),
    Finish(usize),
    Fail(usize),
    Flush,
    Save,
    Crash,
    NewKey,
    Prune,
    EpochBump,
    Disable,
    Restore,
    Replicate,
    FailOver,
    // Time.
    Minute,
    Days,
    StepBack,
    StepForth,
}

/// The session that the browser's tabs share at the start, and one of another device.
const OURS: SessionNo = 0;
pub(crate) const BYSTANDER: SessionNo = 1;
/// The number of tokens at the start.
const FIRST_TOKENS: TokenNo = 2;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The maximum number of exchanges in flight.
const NET: usize = 4;

impl Model for Keyturn {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut world = World {
            now: 0,
            epoch: 0,
            disabled: false,
            sessions: Vec::new(),
            tokens: Vec::new(),
            blacklist: std::collections::BTreeMap::new(),
            pruned: std::collections::BTreeSet::new(),
            pending: std::collections::BTreeMap::new(),
            newest_key: 0,
            browser: Browser {
                jar: None,
                newest: None,
                signed_out: false,
                session: OURS,
            },
            loot: std::collections::BTreeSet::new(),
            net: Vec::new(),
            unsaved: None,
            replica: None,
            budget: Budget::of(self.scenario.budget),
            broken: Broken::default(),
        };
        let token = open(&mut world, 0);
        world.browser.jar = Some(token);
        open(&mut world, 0);
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.broken.any() {
            return;
        }
        self.of_the_browser(world, actions);
        self.of_the_thief(world, actions);
        self.of_the_network(world, actions);
        self.of_the_server(world, actions);
        self.of_time(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        self.act(&mut world, action);
        self.observe_world(&mut world);
        world.net.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let invariants = Invariant::ALL.into_iter().map(Invariant::property);
        let sights = self.scenario.sights.iter().map(|sight| sight.property());
        invariants.chain(sights).collect()
    }
}

impl Keyturn {
    fn of_the_browser(&self, world: &World, actions: &mut Vec<Action>) {
        let budget = &world.budget;
        let busy = |tab| {
            let of_tab = |exchange: &Exchange| exchange.who == Who::Tab(tab) && !exchange.unheard;
            world.net.iter().any(of_tab)
        };
        let room = world.net.len() < NET;
        let queued = !self.missing.has(Guard::ClientQueues) && self.scenario.queue;
        let under_way = |wanted: fn(&Exchange) -> bool| {
            let of_kind = |exchange: &Exchange| exchange.is_honest() && wanted(exchange);
            world.net.iter().any(of_kind)
        };
        let refreshing = under_way(|exchange| matches!(exchange.ask, Ask::Refresh(_)));
        let waited_for = under_way(|exchange| matches!(exchange.ask, Ask::Refresh(_)) && !exchange.unheard);
        let changing = under_way(|exchange| !matches!(exchange.ask, Ask::Refresh(_)) && !exchange.unheard);

        let tells_something = world.browser.newest.is_some_and(|token| {
            let row = world.row_of(token);
            let session = world.token(token).session;
            row.leaf == token
                && row.confirmed_at.is_none()
                && row.ended.is_none()
                && !world.pending.contains_key(&session)
        });
        if budget.has(Ration::Use) && tells_something {
            actions.push(Action::Use);
        }
        // Tabs differ only in their names, so the first idle one always acts.
        let Some(tab) = (0..self.scenario.tabs).find(|&tab| !busy(tab)) else {
            return;
        };
        let waits = queued && changing || refreshing && self.scenario.one_at_a_time;
        if room && world.browser.jar.is_some() && budget.has(Ration::Refresh) && !waits {
            actions.push(Action::Refresh(tab));
        }
        if room && budget.has(Ration::SignIn) && !(queued && waited_for) && !changing {
            actions.push(Action::SignIn(tab));
        }
        if room && world.browser.jar.is_some() && budget.has(Ration::SignOut) && !changing {
            actions.push(Action::SignOut(tab));
        }
    }

    fn of_the_thief(&self, world: &World, actions: &mut Vec<Action>) {
        let budget = &world.budget;
        if budget.has(Ration::Theft)
            && world
                .browser
                .jar
                .is_some_and(|token| !world.loot.contains(&token))
        {
            actions.push(Action::Steal);
        }
        for &token in &world.loot {
            if budget.has(Ration::Attack) && world.net.len() < NET {
                actions.push(Action::Present(token, Node::First));
                if self.scenario.two_nodes && !world.pending.is_empty() {
                    actions.push(Action::Present(token, Node::Second));
                }
            }
            if budget.has(Ration::Forgery) {
                actions.push(Action::Forge(token));
            }
            if budget.has(Ration::Confusion) {
                actions.push(Action::Confuse(token, Kind::Access));
                actions.push(Action::Confuse(token, Kind::Refresh));
            }
        }
    }

    fn of_the_network(&self, world: &World, actions: &mut Vec<Action>) {
        let budget = &world.budget;
        for (index, exchange) in world.net.iter().enumerate() {
            // Equal exchanges lead to equal worlds.
            if index > 0 && world.net[index - 1] == *exchange {
                continue;
            }
            let unsent = matches!(exchange.phase, Phase::Sent { lost_rounds: 0 });
            let answered = matches!(exchange.phase, Phase::Answered(_));
            if answered && self.may_arrive(world, exchange) {
                actions.push(Action::Deliver(index));
                if budget.has(Ration::Duplicate) {
                    actions.push(Action::DeliverTwice(index));
                }
            }
            if budget.has(Ration::Loss) && (unsent || answered) {
                actions.push(Action::Lose(index));
            }
            if budget.has(Ration::Loss) && unsent && !exchange.unheard {
                actions.push(Action::HangUp(index));
            }
            if budget.has(Ration::Duplicate) && unsent && world.net.len() < NET {
                actions.push(Action::Repeat(index));
            }
        }
    }

    /// Without overtaking, a response does not arrive after one with a newer token.
    fn may_arrive(&self, world: &World, exchange: &Exchange) -> bool {
        let (Phase::Answered(Answer::Granted(token)), Some(newest)) = (&exchange.phase, world.browser.newest)
        else {
            return true;
        };
        let (token, newest) = (world.token(*token), world.token(newest));
        self.scenario.overtaking || token.session != newest.session || token.generation >= newest.generation
    }

    fn of_the_server(&self, world: &World, actions: &mut Vec<Action>) {
        let budget = &world.budget;
        for (index, exchange) in world.net.iter().enumerate() {
            if index > 0 && world.net[index - 1] == *exchange {
                continue;
            }
            match &exchange.phase {
                Phase::Sent { .. } => {
                    actions.push(Action::Load(index, Node::First));
                    if self.scenario.two_nodes && !world.pending.is_empty() {
                        actions.push(Action::Load(index, Node::Second));
                    }
                    if budget.has(Ration::Outage) {
                        actions.push(Action::Fail(index));
                    }
                }
                Phase::Loaded(_) => {
                    actions.push(Action::Finish(index));
                    if budget.has(Ration::Outage) {
                        actions.push(Action::Fail(index));
                    }
                }
                Phase::Answered(_) => {}
            }
        }
        let matters = self.scenario.two_nodes || budget.has(Ration::Crash);
        if matters && !world.pending.is_empty() {
            actions.push(Action::Flush);
        }
        if world.unsaved.is_some() {
            actions.push(Action::Save);
        }
        let rationed = [
            (Ration::Crash, Action::Crash),
            (Ration::NewKey, Action::NewKey),
            (Ration::EpochBump, Action::EpochBump),
            (Ration::Disable, Action::Disable),
            (Ration::Restore, Action::Restore),
            (Ration::FailOver, Action::FailOver),
        ];
        for (ration, action) in rationed {
            if budget.has(ration) {
                actions.push(action);
            }
        }
        // A replica with nothing new is equivalent to the one before.
        if budget.has(Ration::Replicate) && budget.has(Ration::FailOver) && world.next_token() > FIRST_TOKENS
        {
            actions.push(Action::Replicate);
        }
        if budget.has(Ration::Prune) && !world.blacklist.is_empty() {
            actions.push(Action::Prune);
        }
    }

    fn of_time(&self, world: &World, actions: &mut Vec<Action>) {
        // On a fast network no request or response of the browser is in flight for longer than the grace period.
        let still = self.scenario.slow || !world.is_browser_busy();
        if still && world.budget.has(Ration::Minute) {
            actions.push(Action::Minute);
        }
        if still && world.budget.has(Ration::Days) {
            actions.push(Action::Days);
        }
        if world.budget.has(Ration::ClockStep) {
            actions.push(Action::StepBack);
            actions.push(Action::StepForth);
        }
    }

    fn act(&self, world: &mut World, action: Action) {
        match action {
            Action::Refresh(tab) => {
                world.budget.spend(Ration::Refresh);
                if let Some(token) = world.browser.jar {
                    world.net.push(Exchange::new(Who::Tab(tab), Ask::Refresh(token)));
                }
            }
            Action::SignIn(tab) => {
                world.budget.spend(Ration::SignIn);
                let replaces = world.browser.jar.map(|token| world.token(token).session);
                world
                    .net
                    .push(Exchange::new(Who::Tab(tab), Ask::SignIn(replaces)));
            }
            Action::SignOut(tab) => {
                world.budget.spend(Ration::SignOut);
                if let Some(token) = world.browser.jar {
                    let session = world.token(token).session;
                    world
                        .net
                        .push(Exchange::new(Who::Tab(tab), Ask::SignOut(session)));
                }
            }
            Action::Use => {
                world.budget.spend(Ration::Use);
                if let Some(token) = world.browser.newest {
                    let session = world.token(token).session;
                    let generation = world.token(token).generation;
                    let at = world.now;
                    world.pending.insert(session, Use { generation, at });
                }
            }
            Action::Steal => {
                world.budget.spend(Ration::Theft);
                world.loot.extend(world.browser.jar);
            }
            Action::Present(token, node) => {
                world.budget.spend(Ration::Attack);
                self.load(world, Exchange::new(Who::Thief, Ask::Refresh(token)), node);
            }
            Action::Forge(token) => {
                world.budget.spend(Ration::Forgery);
                self.load(world, Exchange::new(Who::Thief, Ask::Forged(token)), Node::First);
            }
            Action::Confuse(token, kind) => {
                world.budget.spend(Ration::Confusion);
                let reasons = reasons_against(self.missing, world, token, kind);
                world.broken.unless(reasons >= 2, Invariant::I10);
            }
            Action::Lose(index) => {
                world.budget.spend(Ration::Loss);
                world.net.remove(index);
            }
            Action::HangUp(index) => {
                world.budget.spend(Ration::Loss);
                world.net[index].unheard = true;
            }
            Action::Repeat(index) => {
                world.budget.spend(Ration::Duplicate);
                let again = world.net[index].clone();
                world.net.push(again);
            }
            Action::Deliver(index) => {
                let exchange = world.net.remove(index);
                self.receive(world, &exchange);
            }
            Action::DeliverTwice(index) => {
                world.budget.spend(Ration::Duplicate);
                let exchange = world.net[index].clone();
                self.receive(world, &exchange);
            }
            Action::Load(index, node) => {
                let exchange = world.net.remove(index);
                self.load(world, exchange, node);
            }
            Action::Finish(index) => {
                let exchange = world.net.remove(index);
                self.finish(world, exchange);
            }
            Action::Fail(index) => {
                world.budget.spend(Ration::Outage);
                if world.net[index].is_honest() && !world.net[index].unheard {
                    world.net[index].phase = Phase::Answered(Answer::Unavailable);
                } else {
                    world.net.remove(index);
                }
            }
            Action::Flush => self.flush(world),
            Action::Save => world.unsaved = None,
            Action::Crash => {
                world.budget.spend(Ration::Crash);
                self.crash(world);
            }
            Action::NewKey => {
                world.budget.spend(Ration::NewKey);
                world.newest_key += 1;
            }
            Action::Prune => {
                world.budget.spend(Ration::Prune);
                self.prune(world);
            }
            Action::EpochBump => {
                world.budget.spend(Ration::EpochBump);
                self.bump_epoch(world, false);
            }
            Action::Disable => {
                world.budget.spend(Ration::Disable);
                self.bump_epoch(world, true);
            }
            Action::Restore => {
                world.budget.spend(Ration::Restore);
                let mut old = self.init_states().remove(0);
                let left = world.row(OURS).left;
                world.sessions[usize::from(OURS)] = old.sessions.swap_remove(usize::from(OURS));
                world.row_mut(OURS).left = left;
            }
            Action::Replicate => {
                world.budget.spend(Ration::Replicate);
                self.replicate(world);
            }
            Action::FailOver => {
                world.budget.spend(Ration::FailOver);
                self.fail_over(world);
            }
            Action::Minute => self.pass(world, Ration::Minute, MINUTE),
            Action::Days => self.pass(world, Ration::Days, 4 * DAY),
            Action::StepBack => {
                world.budget.spend(Ration::ClockStep);
                world.now -= HOUR;
            }
            Action::StepForth => {
                world.budget.spend(Ration::ClockStep);
                world.now += HOUR;
            }
        }
    }

    /// Pending first uses are written within a second.
    fn pass(&self, world: &mut World, ration: Ration, seconds: i64) {
        world.budget.spend(ration);
        self.flush(world);
        world.now += seconds;
    }
}
