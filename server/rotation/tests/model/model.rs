//! The actions that can happen next.

use stateright::{Model, Property};

use crate::{
    endpoint::{TokenKind, reasons_against},
    guard::{Guard, Missing},
    property::{Broken, Invariant},
    scenario::Scenario,
    server::{ModelNode, open},
    state::{
        Budget, ClientKind, ClientRequest, ModelAnswer, ModelBrowser, PendingExchange, Ration, RequestPhase,
        SessionNo, TokenNo, Use, World,
    },
};

/// The system under check: one scenario, with all or some of its guards.
#[derive(Debug, Clone)]
pub(crate) struct Keyturn {
    pub scenario: Scenario,
    pub missing: Missing,
}

/// Indexes refer to the exchanges in [`World::net`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ModelAction {
    // The browser.
    Refresh(u8),
    SignIn(u8),
    SignOut(u8),
    /// Any tab uses the newest access token.
    Use,
    // The attacker.
    Steal,
    Present(TokenNo, ModelNode),
    Forge(TokenNo),
    /// It, or the access token issued with it, is presented where the other kind is accepted.
    Confuse(TokenNo, TokenKind),
    // The network.
    Lose(usize),
    /// The client disconnects; its request continues.
    HangUp(usize),
    Repeat(usize),
    Deliver(usize),
    DeliverTwice(usize),
    // The server.
    Load(usize, ModelNode),
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
    type Action = ModelAction;

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
            browser: ModelBrowser {
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

    fn actions(&self, world: &World, actions: &mut Vec<ModelAction>) {
        if world.broken.any() {
            return;
        }
        self.of_the_browser(world, actions);
        self.of_the_thief(world, actions);
        self.of_the_network(world, actions);
        self.of_the_server(world, actions);
        self.of_time(world, actions);
    }

    fn next_state(&self, world: &World, action: ModelAction) -> Option<World> {
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
    fn of_the_browser(&self, world: &World, actions: &mut Vec<ModelAction>) {
        let budget = &world.budget;
        let busy = |tab| {
            let of_tab =
                |exchange: &PendingExchange| exchange.who == ClientKind::Tab(tab) && !exchange.unheard;
            world.net.iter().any(of_tab)
        };
        let room = world.net.len() < NET;
        let queued = !self.missing.has(Guard::ClientQueues) && self.scenario.queue;
        let under_way = |wanted: fn(&PendingExchange) -> bool| {
            let of_kind = |exchange: &PendingExchange| exchange.is_honest() && wanted(exchange);
            world.net.iter().any(of_kind)
        };
        let refreshing = under_way(|exchange| matches!(exchange.ask, ClientRequest::Refresh(_)));
        let waited_for =
            under_way(|exchange| matches!(exchange.ask, ClientRequest::Refresh(_)) && !exchange.unheard);
        let changing =
            under_way(|exchange| !matches!(exchange.ask, ClientRequest::Refresh(_)) && !exchange.unheard);

        let tells_something = world.browser.newest.is_some_and(|token| {
            let row = world.row_of(token);
            let session = world.token(token).session;
            row.live_token == token
                && row.confirmed_at.is_none()
                && row.ended.is_none()
                && !world.pending.contains_key(&session)
        });
        if budget.has(Ration::Use) && tells_something {
            actions.push(ModelAction::Use);
        }
        // Tabs differ only in their names, so the first idle one always acts.
        let Some(tab) = (0..self.scenario.tabs).find(|&tab| !busy(tab)) else {
            return;
        };
        let waits = queued && changing || refreshing && self.scenario.one_at_a_time;
        if room && world.browser.jar.is_some() && budget.has(Ration::Refresh) && !waits {
            actions.push(ModelAction::Refresh(tab));
        }
        if room && budget.has(Ration::SignIn) && !(queued && waited_for) && !changing {
            actions.push(ModelAction::SignIn(tab));
        }
        if room && world.browser.jar.is_some() && budget.has(Ration::SignOut) && !changing {
            actions.push(ModelAction::SignOut(tab));
        }
    }

    fn of_the_thief(&self, world: &World, actions: &mut Vec<ModelAction>) {
        let budget = &world.budget;
        if budget.has(Ration::Theft)
            && world
                .browser
                .jar
                .is_some_and(|token| !world.loot.contains(&token))
        {
            actions.push(ModelAction::Steal);
        }
        for &token in &world.loot {
            if budget.has(Ration::Attack) && world.net.len() < NET {
                actions.push(ModelAction::Present(token, ModelNode::First));
                if self.scenario.two_nodes && !world.pending.is_empty() {
                    actions.push(ModelAction::Present(token, ModelNode::Second));
                }
            }
            if budget.has(Ration::Forgery) {
                actions.push(ModelAction::Forge(token));
            }
            if budget.has(Ration::Confusion) {
                actions.push(ModelAction::Confuse(token, TokenKind::Access));
                actions.push(ModelAction::Confuse(token, TokenKind::Refresh));
            }
        }
    }

    fn of_the_network(&self, world: &World, actions: &mut Vec<ModelAction>) {
        let budget = &world.budget;
        for (index, exchange) in world.net.iter().enumerate() {
            // Equal exchanges lead to equal worlds.
            if index > 0 && world.net[index - 1] == *exchange {
                continue;
            }
            let unsent = matches!(exchange.phase, RequestPhase::Sent { lost_rounds: 0 });
            let answered = matches!(exchange.phase, RequestPhase::Answered(_));
            if answered && self.may_arrive(world, exchange) {
                actions.push(ModelAction::Deliver(index));
                if budget.has(Ration::Duplicate) {
                    actions.push(ModelAction::DeliverTwice(index));
                }
            }
            if budget.has(Ration::Loss) && (unsent || answered) {
                actions.push(ModelAction::Lose(index));
            }
            if budget.has(Ration::Loss) && unsent && !exchange.unheard {
                actions.push(ModelAction::HangUp(index));
            }
            if budget.has(Ration::Duplicate) && unsent && world.net.len() < NET {
                actions.push(ModelAction::Repeat(index));
            }
        }
    }

    /// Without overtaking, a response does not arrive after one with a newer token.
    fn may_arrive(&self, world: &World, exchange: &PendingExchange) -> bool {
        let (RequestPhase::Answered(ModelAnswer::Granted(token)), Some(newest)) =
            (&exchange.phase, world.browser.newest)
        else {
            return true;
        };
        let (token, newest) = (world.token(*token), world.token(newest));
        self.scenario.overtaking || token.session != newest.session || token.generation >= newest.generation
    }

    fn of_the_server(&self, world: &World, actions: &mut Vec<ModelAction>) {
        let budget = &world.budget;
        for (index, exchange) in world.net.iter().enumerate() {
            if index > 0 && world.net[index - 1] == *exchange {
                continue;
            }
            match &exchange.phase {
                RequestPhase::Sent { .. } => {
                    actions.push(ModelAction::Load(index, ModelNode::First));
                    if self.scenario.two_nodes && !world.pending.is_empty() {
                        actions.push(ModelAction::Load(index, ModelNode::Second));
                    }
                    if budget.has(Ration::Outage) {
                        actions.push(ModelAction::Fail(index));
                    }
                }
                RequestPhase::Loaded(_) => {
                    actions.push(ModelAction::Finish(index));
                    if budget.has(Ration::Outage) {
                        actions.push(ModelAction::Fail(index));
                    }
                }
                RequestPhase::Answered(_) => {}
            }
        }
        let matters = self.scenario.two_nodes || budget.has(Ration::Crash);
        if matters && !world.pending.is_empty() {
            actions.push(ModelAction::Flush);
        }
        if world.unsaved.is_some() {
            actions.push(ModelAction::Save);
        }
        let rationed = [
            (Ration::Crash, ModelAction::Crash),
            (Ration::NewKey, ModelAction::NewKey),
            (Ration::EpochBump, ModelAction::EpochBump),
            (Ration::Disable, ModelAction::Disable),
            (Ration::Restore, ModelAction::Restore),
            (Ration::FailOver, ModelAction::FailOver),
        ];
        for (ration, action) in rationed {
            if budget.has(ration) {
                actions.push(action);
            }
        }
        // A replica with nothing new is equivalent to the one before.
        if budget.has(Ration::Replicate) && budget.has(Ration::FailOver) && world.next_token() > FIRST_TOKENS
        {
            actions.push(ModelAction::Replicate);
        }
        if budget.has(Ration::Prune) && !world.blacklist.is_empty() {
            actions.push(ModelAction::Prune);
        }
    }

    fn of_time(&self, world: &World, actions: &mut Vec<ModelAction>) {
        // On a fast network no request or response of the browser is in flight for longer than the grace period.
        let still = self.scenario.slow || !world.is_browser_busy();
        if still && world.budget.has(Ration::Minute) {
            actions.push(ModelAction::Minute);
        }
        if still && world.budget.has(Ration::Days) {
            actions.push(ModelAction::Days);
        }
        if world.budget.has(Ration::ClockStep) {
            actions.push(ModelAction::StepBack);
            actions.push(ModelAction::StepForth);
        }
    }

    fn act(&self, world: &mut World, action: ModelAction) {
        match action {
            ModelAction::Refresh(tab) => {
                world.budget.spend(Ration::Refresh);
                if let Some(token) = world.browser.jar {
                    world.net.push(PendingExchange::new(
                        ClientKind::Tab(tab),
                        ClientRequest::Refresh(token),
                    ));
                }
            }
            ModelAction::SignIn(tab) => {
                world.budget.spend(Ration::SignIn);
                let replaces = world.browser.jar.map(|token| world.token(token).session);
                world.net.push(PendingExchange::new(
                    ClientKind::Tab(tab),
                    ClientRequest::SignIn(replaces),
                ));
            }
            ModelAction::SignOut(tab) => {
                world.budget.spend(Ration::SignOut);
                if let Some(token) = world.browser.jar {
                    let session = world.token(token).session;
                    world.net.push(PendingExchange::new(
                        ClientKind::Tab(tab),
                        ClientRequest::SignOut(session),
                    ));
                }
            }
            ModelAction::Use => {
                world.budget.spend(Ration::Use);
                if let Some(token) = world.browser.newest {
                    let session = world.token(token).session;
                    let generation = world.token(token).generation;
                    let at = world.now;
                    world.pending.insert(session, Use { generation, at });
                }
            }
            ModelAction::Steal => {
                world.budget.spend(Ration::Theft);
                world.loot.extend(world.browser.jar);
            }
            ModelAction::Present(token, node) => {
                world.budget.spend(Ration::Attack);
                self.load(
                    world,
                    PendingExchange::new(ClientKind::Thief, ClientRequest::Refresh(token)),
                    node,
                );
            }
            ModelAction::Forge(token) => {
                world.budget.spend(Ration::Forgery);
                self.load(
                    world,
                    PendingExchange::new(ClientKind::Thief, ClientRequest::Forged(token)),
                    ModelNode::First,
                );
            }
            ModelAction::Confuse(token, kind) => {
                world.budget.spend(Ration::Confusion);
                let reasons = reasons_against(self.missing, world, token, kind);
                world.broken.unless(reasons >= 2, Invariant::I10);
            }
            ModelAction::Lose(index) => {
                world.budget.spend(Ration::Loss);
                world.net.remove(index);
            }
            ModelAction::HangUp(index) => {
                world.budget.spend(Ration::Loss);
                world.net[index].unheard = true;
            }
            ModelAction::Repeat(index) => {
                world.budget.spend(Ration::Duplicate);
                let again = world.net[index].clone();
                world.net.push(again);
            }
            ModelAction::Deliver(index) => {
                let exchange = world.net.remove(index);
                self.receive(world, &exchange);
            }
            ModelAction::DeliverTwice(index) => {
                world.budget.spend(Ration::Duplicate);
                let exchange = world.net[index].clone();
                self.receive(world, &exchange);
            }
            ModelAction::Load(index, node) => {
                let exchange = world.net.remove(index);
                self.load(world, exchange, node);
            }
            ModelAction::Finish(index) => {
                let exchange = world.net.remove(index);
                self.finish(world, exchange);
            }
            ModelAction::Fail(index) => {
                world.budget.spend(Ration::Outage);
                if world.net[index].is_honest() && !world.net[index].unheard {
                    world.net[index].phase = RequestPhase::Answered(ModelAnswer::Unavailable);
                } else {
                    world.net.remove(index);
                }
            }
            ModelAction::Flush => self.flush(world),
            ModelAction::Save => world.unsaved = None,
            ModelAction::Crash => {
                world.budget.spend(Ration::Crash);
                self.crash(world);
            }
            ModelAction::NewKey => {
                world.budget.spend(Ration::NewKey);
                world.newest_key += 1;
            }
            ModelAction::Prune => {
                world.budget.spend(Ration::Prune);
                self.prune(world);
            }
            ModelAction::EpochBump => {
                world.budget.spend(Ration::EpochBump);
                self.bump_epoch(world, false);
            }
            ModelAction::Disable => {
                world.budget.spend(Ration::Disable);
                self.bump_epoch(world, true);
            }
            ModelAction::Restore => {
                world.budget.spend(Ration::Restore);
                let mut old = self.init_states().remove(0);
                let left = world.row(OURS).left;
                world.sessions[usize::from(OURS)] = old.sessions.swap_remove(usize::from(OURS));
                world.row_mut(OURS).left = left;
            }
            ModelAction::Replicate => {
                world.budget.spend(Ration::Replicate);
                self.replicate(world);
            }
            ModelAction::FailOver => {
                world.budget.spend(Ration::FailOver);
                self.fail_over(world);
            }
            ModelAction::Minute => self.pass(world, Ration::Minute, MINUTE),
            ModelAction::Days => self.pass(world, Ration::Days, 4 * DAY),
            ModelAction::StepBack => {
                world.budget.spend(Ration::ClockStep);
                world.now -= HOUR;
            }
            ModelAction::StepForth => {
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
