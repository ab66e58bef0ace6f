//! Six designs in the same small world. Which of them sign honest users out, let attackers stay, or let a session fork?
//!
//! This world is smaller than that of `model.rs`, because it contains only what all designs share: a token family, tabs
//! that share a cookie jar, an attacker, and lost responses.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
};

use rotation::{
    Timestamp,
    designs::{Design, Serial, TokenFamily, Verdict},
};
use stateright::{Checker, Model, Path, Property};

use crate::trace::{assert_story, shortest};

#[derive(Debug, Clone, Copy)]
struct Trial {
    design: Design,
    tabs: u8,
    budget: Budget,
    /// See `Scenario::one_at_a_time`.
    one_at_a_time: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Budget {
    refreshes: u8,
    uses: u8,
    losses: u8,
    thefts: u8,
    attacks: u8,
    minutes: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DesignWorld {
    /// Minutes.
    now: u8,
    family: TokenFamily,
    jar: Option<Serial>,
    /// The newest token whose access token has arrived in the browser.
    newest: Option<Serial>,
    /// Tokens that were used, either presented or through their access token, with the minute of the first use.
    used: BTreeMap<Serial, u8>,
    loot: BTreeSet<Serial>,
    net: Vec<Call>,
    budget: Budget,
    flaws: Flaws,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Call {
    /// `None` is the attacker.
    tab: Option<u8>,
    token: Serial,
    phase: ClientPhase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ClientPhase {
    Sent,
    /// Only for designs in which the check and the write are not one step.
    Judged(DesignOutcome),
    Answered(DesignOutcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum DesignOutcome {
    WouldRotate,
    Token(Serial),
    Later,
    SignedOut,
}

/// The flaws seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Flaws {
    orphan: bool,
    parasite: bool,
    fork: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DesignStep {
    Refresh(u8),
    Use,
    Steal,
    Attack(Serial),
    Judge(usize),
    Write(usize),
    Deliver(usize),
    Lose(usize),
    Minute,
}

const ORPHAN: &str = "no orphan: without a thief no one is signed out";
const PARASITE: &str =
    "no parasite: after a used token returns late, its successor in use, no thief keeps a valid token";
const FORK: &str = "no fork: a family has one live token";

impl Model for Trial {
    type State = DesignWorld;
    type Action = DesignStep;

    fn init_states(&self) -> Vec<DesignWorld> {
        vec![DesignWorld {
            now: 0,
            family: TokenFamily::open(at(0)),
            jar: Some(Serial::FIRST),
            newest: None,
            used: BTreeMap::new(),
            loot: BTreeSet::new(),
            net: Vec::new(),
            budget: self.budget,
            flaws: Flaws::default(),
        }]
    }

    fn actions(&self, world: &DesignWorld, steps: &mut Vec<DesignStep>) {
        let budget = world.budget;
        let busy = |tab| world.net.iter().any(|call| call.tab == Some(tab));
        let browser_busy = world.net.iter().any(|call| call.tab.is_some());
        let idle = (0..self.tabs).find(|&tab| !busy(tab));
        let waits = self.one_at_a_time && browser_busy;
        if let Some(tab) = idle
            && world.jar.is_some()
            && budget.refreshes > 0
            && !waits
        {
            steps.push(DesignStep::Refresh(tab));
        }
        if budget.uses > 0 && world.newest.is_some_and(|token| !world.used.contains_key(&token)) {
            steps.push(DesignStep::Use);
        }
        if budget.thefts > 0 && world.jar.is_some_and(|token| !world.loot.contains(&token)) {
            steps.push(DesignStep::Steal);
        }
        if budget.attacks > 0 {
            steps.extend(world.loot.iter().map(|&token| DesignStep::Attack(token)));
        }
        for (index, call) in world.net.iter().enumerate() {
            match call.phase {
                ClientPhase::Sent => steps.push(DesignStep::Judge(index)),
                ClientPhase::Judged(_) => steps.push(DesignStep::Write(index)),
                ClientPhase::Answered(outcome) => {
                    if !is_overtaken(world, outcome) {
                        steps.push(DesignStep::Deliver(index));
                    }
                    if budget.losses > 0 {
                        steps.push(DesignStep::Lose(index));
                    }
                }
            }
        }
        if budget.minutes > 0 && !browser_busy {
            steps.push(DesignStep::Minute);
        }
    }

    fn next_state(&self, world: &DesignWorld, step: DesignStep) -> Option<DesignWorld> {
        let mut world = world.clone();
        match step {
            DesignStep::Refresh(tab) => {
                world.budget.refreshes -= 1;
                world.net.push(Call {
                    tab: Some(tab),
                    token: world.jar?,
                    phase: ClientPhase::Sent,
                });
            }
            DesignStep::Use => {
                world.budget.uses -= 1;
                let token = world.newest?;
                let now = world.now;
                world.used.entry(token).or_insert(now);
                world.family.confirm(token, at(world.now));
            }
            DesignStep::Steal => {
                world.budget.thefts -= 1;
                world.loot.extend(world.jar);
            }
            DesignStep::Attack(token) => {
                world.budget.attacks -= 1;
                let call = Call {
                    tab: None,
                    token,
                    phase: ClientPhase::Sent,
                };
                self.judge(&mut world, call);
            }
            DesignStep::Judge(index) => {
                let call = world.net.remove(index);
                self.judge(&mut world, call);
            }
            DesignStep::Write(index) => {
                let call = world.net.remove(index);
                self.carry_out(&mut world, call, Verdict::Rotate);
            }
            DesignStep::Deliver(index) => {
                let call = world.net.remove(index);
                receive(&mut world, call);
            }
            DesignStep::Lose(index) => {
                world.budget.losses -= 1;
                world.net.remove(index);
            }
            DesignStep::Minute => {
                world.budget.minutes -= 1;
                world.now += 1;
            }
        }
        world.flaws.fork |= self.design.live_tokens(&world.family, at(world.now)).len() > 1;
        world.net.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ORPHAN, |_, world: &DesignWorld| !world.flaws.orphan),
            Property::always(PARASITE, |_, world: &DesignWorld| !world.flaws.parasite),
            Property::always(FORK, |_, world: &DesignWorld| !world.flaws.fork),
        ]
    }
}

impl Trial {
    fn judge(&self, world: &mut DesignWorld, mut call: Call) {
        let verdict = self.design.judge(&world.family, call.token, at(world.now));
        if verdict == Verdict::Rotate && !self.design.is_serialised() {
            call.phase = ClientPhase::Judged(DesignOutcome::WouldRotate);
            world.net.push(call);
        } else {
            self.carry_out(world, call, verdict);
        }
    }

    fn carry_out(&self, world: &mut DesignWorld, mut call: Call, verdict: Verdict) {
        let now = at(world.now);
        let came_back = is_back(world, call.token);
        let given = world.family.apply(self.design, call.token, verdict, now);
        world.used.entry(call.token).or_insert(world.now);
        let outcome = match (given, verdict) {
            (Some(token), _) => DesignOutcome::Token(token),
            (None, Verdict::Later) => DesignOutcome::Later,
            (None, _) => DesignOutcome::SignedOut,
        };
        if call.tab.is_some() {
            call.phase = ClientPhase::Answered(outcome);
            world.net.push(call);
        } else {
            world.loot.extend(given);
        }
        if came_back {
            let yields = |&token: &Serial| {
                let verdict = self.design.judge(&world.family, token, now);
                matches!(verdict, Verdict::Rotate | Verdict::Again(_))
            };
            world.flaws.parasite |= world.loot.iter().any(yields);
        }
    }
}

/// A consumed token that returns. At least a minute has passed since it was consumed, since its successor was first
/// used, and since its successor was consumed, if it was. A design's grace period may begin at any of these times.
fn is_back(world: &DesignWorld, token: Serial) -> bool {
    let long_ago = |spent_at: Timestamp| spent_at < at(world.now);
    let heir_in_use = world.used.iter().any(|(&used, &first)| {
        world.family.parent(used) == Some(token)
            && first < world.now
            && world.family.consumed_at(used).is_none_or(long_ago)
    });
    heir_in_use && world.family.consumed_at(token).is_some_and(long_ago)
}

fn receive(world: &mut DesignWorld, call: Call) {
    let ClientPhase::Answered(outcome) = call.phase else {
        return;
    };
    match outcome {
        DesignOutcome::Token(token) => {
            world.jar = Some(token);
            world.newest = Some(token);
        }
        DesignOutcome::SignedOut => {
            world.jar = None;
            world.newest = None;
            world.flaws.orphan |= world.loot.is_empty();
        }
        DesignOutcome::Later | DesignOutcome::WouldRotate => {}
    }
}

/// See `Scenario::overtaking`; two responses of one generation may arrive in either order.
fn is_overtaken(world: &DesignWorld, outcome: DesignOutcome) -> bool {
    let (DesignOutcome::Token(token), Some(newest)) = (outcome, world.newest) else {
        return false;
    };
    world.family.generation(token) < world.family.generation(newest)
}

/// A minute is longer than the grace period of every design.
fn at(minute: u8) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + 60 * i64::from(minute))
}

/// Within every grace period: concurrent tabs, and a lost response.
const AT_ONCE: Budget = Budget {
    refreshes: 4,
    uses: 1,
    losses: 1,
    thefts: 0,
    attacks: 0,
    minutes: 0,
};
/// One request at a time, lost responses, and minutes between them.
const LATER: Budget = Budget {
    refreshes: 4,
    uses: 2,
    losses: 2,
    thefts: 0,
    attacks: 0,
    minutes: 2,
};
const THIEF: Budget = Budget {
    refreshes: 3,
    uses: 2,
    losses: 0,
    thefts: 1,
    attacks: 2,
    minutes: 2,
};

/// The flaws of a design, each with the shortest path to it.
fn flaws(design: Design) -> HashMap<&'static str, String> {
    let trials = [(AT_ONCE, 3, false), (LATER, 1, true), (THIEF, 2, false)];
    let mut found = HashMap::new();
    let mut states = 0;
    for (budget, tabs, one_at_a_time) in trials {
        let trial = Trial {
            design,
            tabs,
            budget,
            one_at_a_time,
        };
        let checker = trial.checker().spawn_bfs().join();
        states += checker.unique_state_count();
        for name in checker.discoveries().into_keys() {
            let Some(path) = shortest(&trial, name) else {
                continue;
            };
            let story = tell(&trial, path);
            let shortest = found.entry(name).or_insert_with(|| story.clone());
            if story.lines().count() < shortest.lines().count() {
                *shortest = story;
            }
        }
    }
    println!("{}: {states} states, {} flaws", design.name(), found.len());
    assert!(
        states > 1_000 || !found.is_empty(),
        "something has become unreachable"
    );
    found
}

fn assert_flaws(design: Design, expected: &[(&str, &str)]) {
    let mut found = flaws(design);
    for (name, file) in expected {
        assert_story(file, found.remove(name).as_deref());
    }
    assert!(found.is_empty(), "{} breaks more: {found:#?}", design.name());
}

#[test]
fn keyturn_has_none_of_the_flaws() {
    assert_flaws(Design::KEYTURN, &[]);
}

#[test]
fn strict_signs_honest_users_out() {
    assert_flaws(Design::STRICT, &[(ORPHAN, "strict-orphan")]);
}

#[test]
fn simple_jwt_has_all_of_them() {
    let expected = [
        (ORPHAN, "simplejwt-orphan"),
        (PARASITE, "simplejwt-parasite"),
        (FORK, "simplejwt-fork"),
    ];
    assert_flaws(Design::SimpleJwt, &expected);
}

#[test]
fn supabase_keeps_a_parasite() {
    assert_flaws(Design::SUPABASE, &[(PARASITE, "supabase-parasite")]);
}

#[test]
fn super_tokens_signs_honest_users_out() {
    assert_flaws(Design::SUPERTOKENS, &[(ORPHAN, "supertokens-orphan")]);
}

#[test]
fn auth0_signs_honest_users_out_and_forks() {
    let expected = [(ORPHAN, "auth0-orphan"), (FORK, "auth0-fork")];
    assert_flaws(Design::AUTH0, &expected);
}

fn tell(trial: &Trial, path: Path<DesignWorld, DesignStep>) -> String {
    let mut text = String::new();
    for (number, (world, step)) in path.into_vec().into_iter().enumerate() {
        let Some(step) = step else {
            continue;
        };
        let after = trial.next_state(&world, step);
        let sentence = sentence(&world, step, after.as_ref());
        let _ = writeln!(text, "{:>2}. {sentence}", number + 1);
    }
    text
}

fn sentence(world: &DesignWorld, step: DesignStep, after: Option<&DesignWorld>) -> String {
    let jar = || world.jar.map_or("nothing".into(), name);
    let call = |index: usize| {
        let call: Call = world.net[index];
        let who = call
            .tab
            .map_or("the thief's".into(), |tab| format!("tab {}'s", tab + 1));
        format!("{who} request with {}", name(call.token))
    };
    match step {
        DesignStep::Refresh(tab) => format!("tab {} sends refresh with {}", tab + 1, jar()),
        DesignStep::Use => format!(
            "a tab uses the access token that came with {}",
            world.newest.map_or("nothing".into(), name)
        ),
        DesignStep::Steal => format!("the thief copies the cookie: {}", jar()),
        DesignStep::Attack(token) => {
            let outcome = after.map_or(String::new(), |after| outcome(world, after));
            format!("the thief sends refresh with {}{outcome}", name(token))
        }
        DesignStep::Judge(index) | DesignStep::Write(index) => {
            let after = after.map_or(String::new(), |after| outcome(world, after));
            let does = match step {
                DesignStep::Write(_) => "writes the rotation for",
                _ => "looks at",
            };
            format!("the server {does} {}{after}", call(index))
        }
        DesignStep::Deliver(index) => {
            let answer = match world.net[index].phase {
                ClientPhase::Answered(DesignOutcome::Token(token)) => name(token),
                ClientPhase::Answered(DesignOutcome::SignedOut) => "401, sign in again".into(),
                _ => "409, ask again".into(),
            };
            format!("the answer to {} arrives: {answer}", call(index))
        }
        DesignStep::Lose(index) => format!("the answer to {} is lost", call(index)),
        DesignStep::Minute => "a minute passes".into(),
    }
}

fn outcome(before: &DesignWorld, after: &DesignWorld) -> String {
    let mut text = String::new();
    let known = before.family.serials().count();
    for token in after.family.serials().skip(known) {
        let _ = write!(text, "; {} is made", name(token));
    }
    if after.family.is_revoked() && !before.family.is_revoked() {
        text.push_str("; the session ends");
    }
    for call in after.net.iter().filter(|call| !before.net.contains(call)) {
        let answer = match call.phase {
            ClientPhase::Judged(_) => "it is valid".into(),
            ClientPhase::Answered(DesignOutcome::Token(token)) => format!("the answer is {}", name(token)),
            ClientPhase::Answered(DesignOutcome::SignedOut) => "the answer is 401".into(),
            _ => "the answer is 409".into(),
        };
        let _ = write!(text, "; {answer}");
    }
    for &token in after.loot.difference(&before.loot) {
        let _ = write!(text, "; the thief gets {}", name(token));
    }
    text
}

fn name(token: Serial) -> String {
    format!("token {}", token.number())
}
