//! Checks each step and marks the invariants that it violated.

use rotation::RevocationReason;

use crate::{
    judge::grace,
    model::{BYSTANDER, Keyturn},
    property::Invariant,
    state::{Loaded, ModelAnswer, ModelRefusal, Moment, ReasonNo, SessionNo, TokenNo, World},
};

impl Keyturn {
    /// Runs after a response to a token, when everything that had to be written is written.
    #[expect(clippy::unused_self, reason = "a step of the server, like the others")]
    pub(crate) fn observe_reply(
        &self,
        world: &mut World,
        token: TokenNo,
        loaded: &Loaded,
        answer: ModelAnswer,
    ) {
        let Some(before) = &loaded.row else {
            return;
        };
        let over = world.row_of(token).ended.is_some();
        let mut broken = world.broken;
        if before.ended.is_none() && !matches!(answer, ModelAnswer::Refused(ModelRefusal::Over)) {
            let long_ago = |at: Moment| loaded.now.abs_diff(at) > grace();
            let issued = world.token(token).successor;
            let outlived = issued
                .and_then(|issued| world.token(issued).consumed_at)
                .is_some_and(long_ago);
            broken.unless(
                over || !outlived || !is_older_ancestor(world, token, loaded),
                Invariant::I4,
            );
            let in_use = loaded.used_at.is_some_and(long_ago);
            broken.unless(
                over || !in_use || !is_spent_parent(world, token, loaded),
                Invariant::I5,
            );
            broken.unless(
                over || !is_off_branch(world, token, before.live_token),
                Invariant::L9,
            );
        }
        if before.ended == Some(ReasonNo::of(RevocationReason::ReuseDetected)) {
            broken.unless(
                answer == ModelAnswer::Refused(ModelRefusal::OverAfterReuse),
                Invariant::L8,
            );
        }
        world.broken = broken;
    }

    /// Runs after every step.
    pub(crate) fn observe_world(&self, world: &mut World) {
        let browser = &world.browser;
        let mut broken = world.broken;
        if browser.signed_out {
            let undone = browser.jar.is_some_and(|token| self.would_yield(world, token));
            broken.unless(!undone, Invariant::L6);
        }
        if has_signed_in_anew(world) && world.row(browser.session).ended.is_none() {
            let kept = browser
                .jar
                .is_some_and(|token| world.token(token).session == browser.session);
            broken.unless(kept, Invariant::L7);
        }
        // Without an attacker or a fault of the client: whenever nothing is in flight, the token in the jar is
        // accepted.
        if !self.scenario.honest.is_empty() && !world.is_browser_busy() {
            let signed_in = browser.jar.is_some_and(|token| self.would_yield(world, token));
            // Or the user was away for longer than the idle lifetime.
            let mut ours = world
                .tokens
                .iter()
                .filter(|token| token.session == browser.session);
            let signed_in = signed_in || ours.all(|token| token.expires_at <= world.now);
            for &invariant in self.scenario.honest {
                broken.unless(signed_in, invariant);
            }
        }
        world.broken = broken;
    }
}

/// Runs just before a rotation writes the row.
pub(crate) fn observe_rotation(
    world: &mut World,
    session: SessionNo,
    token: TokenNo,
    issued: TokenNo,
    loaded: &Loaded,
) {
    let row = world.row(session).clone();
    let advances = world.token(issued).generation == world.token(row.live_token).generation + 1;
    let first_time = world.token(token).consumed_at.is_none();
    let mut broken = world.broken;
    broken.unless(row.live_token == token && advances, Invariant::I1);
    broken.unless(first_time, Invariant::I3);
    broken.unless(first_time, Invariant::I12);
    broken.unless(!row.left, Invariant::I6);
    broken.unless(row.born_in == world.epoch && !world.disabled, Invariant::I7);
    broken.unless(loaded.now < row.absolute_end, Invariant::I9);
    world.broken = broken;
}

/// Like [`observe_rotation`], for a token that is newer than the row.
pub(crate) fn observe_recovery(
    world: &mut World,
    session: SessionNo,
    token: TokenNo,
    issued: TokenNo,
    loaded: &Loaded,
) {
    let row = world.row(session).clone();
    let generation = world.token(token).generation;
    let is_newer = generation > world.token(row.live_token).generation;
    let advances = world.token(issued).generation == generation + 1;
    let first_time = world.token(token).consumed_at.is_none();
    let mut broken = world.broken;
    broken.unless(is_newer && advances, Invariant::I1);
    broken.unless(first_time, Invariant::I3);
    broken.unless(first_time, Invariant::I12);
    broken.unless(!row.left, Invariant::I6);
    broken.unless(row.born_in == world.epoch && !world.disabled, Invariant::I7);
    broken.unless(loaded.now < row.absolute_end, Invariant::I9);
    world.broken = broken;
    // From now on the outdated token is as dead as a consumed one.
    world
        .token_mut(row.live_token)
        .consumed_at
        .get_or_insert(loaded.now);
    world.row_mut(session).recovered = true;
}

/// Runs after a response that contains a token.
pub(crate) fn observe_grant(world: &mut World, token: TokenNo, issued: TokenNo, loaded: &Loaded) {
    let Some(row) = &loaded.row else {
        return;
    };
    let older = is_older_ancestor(world, token, loaded);
    let spent = is_spent_parent(world, token, loaded);
    let mut broken = world.broken;
    let presented = world.token(token);
    let known = presented.successor;
    broken.unless(known.is_none_or(|known| known == issued), Invariant::I2);
    broken.unless(!older, Invariant::I4);
    broken.unless(!spent, Invariant::I5);
    broken.unless(!is_off_branch(world, token, row.live_token), Invariant::L9);
    broken.unless(!row.left, Invariant::I6);
    broken.unless(row.born_in == loaded.epoch && !loaded.disabled, Invariant::I7);
    broken.unless(
        loaded.now < presented.expires_at && loaded.now < row.absolute_end,
        Invariant::I9,
    );
    broken.unless(world.token(issued).expires_at <= row.absolute_end, Invariant::I9);
    let acceptable = !older && !spent;
    broken.unless(acceptable || !world.pruned.contains(&token), Invariant::I13);
    broken.unless(
        row.ended != Some(ReasonNo::of(RevocationReason::ReuseDetected)),
        Invariant::L8,
    );
    world.broken = broken;
    world.token_mut(token).successor.get_or_insert(issued);
}

fn has_signed_in_anew(world: &World) -> bool {
    world.browser.session > BYSTANDER && !world.browser.signed_out
}

/// A token of a lost branch: not newer than the live token, and neither the live token nor an ancestor of it.
pub(crate) fn is_off_branch(world: &World, token: TokenNo, live_token: TokenNo) -> bool {
    let mut branch = std::iter::successors(Some(live_token), |&each| world.token(each).parent);
    world.token(token).session == world.token(live_token).session
        && world.token(token).generation <= world.token(live_token).generation
        && !branch.any(|each| each == token)
}

fn is_older_ancestor(world: &World, token: TokenNo, loaded: &Loaded) -> bool {
    loaded.row.as_ref().is_some_and(|row| {
        row.live_token != token && world.token(token).generation + 1 < world.token(row.live_token).generation
    })
}

/// The parent of a used token, after the grace period.
fn is_spent_parent(world: &World, token: TokenNo, loaded: &Loaded) -> bool {
    loaded.row.as_ref().is_some_and(|row| {
        row.previous == Some(token)
            && loaded.used_at.is_some()
            && loaded.now.abs_diff(row.rotated_at) > grace()
    }) && world.token(token).consumed_at.is_some()
}
