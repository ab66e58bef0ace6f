//! Looks at each step and marks the invariants that it broke.

use rotation::EndReason;

use crate::{
    judge::grace,
    model::{BYSTANDER, Keyturn},
    property::Invariant,
    state::{Answer, EndReasonNo, Loaded, Refusal, SessionNo, TokenNo, World},
};

impl Keyturn {
    /// A token was answered, and what had to be written is written.
    pub(crate) fn observe_reply(&self, world: &mut World, token: TokenNo, loaded: &Loaded, answer: Answer) {
        let Some(before) = &loaded.row else {
            return;
        };
        let over = world.row_of(token).ended.is_some();
        let mut broken = world.broken;
        if before.ended.is_none() && !matches!(answer, Answer::Refused(Refusal::Over)) {
            let consumed_at = |token| world.token(token).consumed_at;
            // Mended, the grace of an ancestor starts when its heir is consumed too.
            let heir = world.token(token).heir.filter(|_| self.scenario.mended);
            let dead_since = consumed_at(token).max(heir.and_then(consumed_at));
            let long_ago = dead_since.is_some_and(|at| loaded.now.abs_diff(at) > grace());
            broken.unless(
                over || !long_ago || !is_older_ancestor(world, token, loaded),
                Invariant::I4,
            );
            broken.unless(over || !is_spent_parent(world, token, loaded), Invariant::I5);
        }
        if before.ended == Some(EndReasonNo::of(EndReason::ReuseDetected)) {
            broken.unless(answer == Answer::Refused(Refusal::OverAfterReuse), Invariant::L8);
        }
        world.broken = broken;
    }

    /// After every step.
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
        // Where nobody is at fault: whenever nothing is under way, what the jar holds opens the door.
        if !self.scenario.honest.is_empty() && !world.is_browser_busy() {
            let signed_in = browser.jar.is_some_and(|token| self.would_yield(world, token));
            for &invariant in self.scenario.honest {
                broken.unless(signed_in, invariant);
            }
        }
        world.broken = broken;
    }
}

/// Just before the row is written.
pub(crate) fn observe_rotation(
    world: &mut World,
    session: SessionNo,
    token: TokenNo,
    heir: TokenNo,
    loaded: &Loaded,
) {
    let row = world.row(session).clone();
    let advances = world.token(heir).generation == world.token(row.leaf).generation + 1;
    let first_time = world.token(token).consumed_at.is_none();
    let mut broken = world.broken;
    broken.unless(row.leaf == token && advances, Invariant::I1);
    broken.unless(first_time, Invariant::I3);
    broken.unless(first_time, Invariant::I12);
    broken.unless(!row.left, Invariant::I6);
    broken.unless(row.born_in == world.epoch && !world.disabled, Invariant::I7);
    broken.unless(loaded.now < row.absolute_end, Invariant::I9);
    world.broken = broken;
}

/// A token was answered with a token.
pub(crate) fn observe_grant(world: &mut World, token: TokenNo, heir: TokenNo, loaded: &Loaded) {
    let Some(row) = &loaded.row else {
        return;
    };
    let older = is_older_ancestor(world, token, loaded);
    let spent = is_spent_parent(world, token, loaded);
    let mut broken = world.broken;
    let presented = world.token(token);
    let known = presented.heir;
    broken.unless(known.is_none_or(|known| known == heir), Invariant::I2);
    broken.unless(!older, Invariant::I4);
    broken.unless(!spent, Invariant::I5);
    broken.unless(!row.left, Invariant::I6);
    broken.unless(row.born_in == loaded.epoch && !loaded.disabled, Invariant::I7);
    broken.unless(
        loaded.now < presented.expires_at && loaded.now < row.absolute_end,
        Invariant::I9,
    );
    broken.unless(world.token(heir).expires_at <= row.absolute_end, Invariant::I9);
    let acceptable = !older && !spent;
    broken.unless(acceptable || !world.pruned.contains(&token), Invariant::I13);
    broken.unless(
        row.ended != Some(EndReasonNo::of(EndReason::ReuseDetected)),
        Invariant::L8,
    );
    world.broken = broken;
    world.token_mut(token).heir.get_or_insert(heir);
}

fn has_signed_in_anew(world: &World) -> bool {
    world.browser.session > BYSTANDER && !world.browser.signed_out
}

fn is_older_ancestor(world: &World, token: TokenNo, loaded: &Loaded) -> bool {
    loaded.row.as_ref().is_some_and(|row| {
        row.leaf != token && world.token(token).generation + 1 < world.token(row.leaf).generation
    })
}

/// The parent, after the grace, of a leaf that was used.
fn is_spent_parent(world: &World, token: TokenNo, loaded: &Loaded) -> bool {
    loaded.row.as_ref().is_some_and(|row| {
        row.previous == Some(token) && loaded.used && loaded.now.abs_diff(row.rotated_at) > grace()
    }) && world.token(token).consumed_at.is_some()
}
