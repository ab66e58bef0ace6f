//! First use of each token generation, written in batches and off the request path.
//!
//! The first authenticated request of a generation proves that the client received the refresh response. From then on
//! the parent token no longer gets the same successor. The grace period begins, in which a refresh with the parent gets
//! a 409. Rotation checks this buffer first, so confirmations count before they are written.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rotation::{Generation, SessionId, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CaseStatement, Expr, LockBehavior, LockType},
};

use crate::{
    Store, StoreError,
    entity::session::{Column, Entity},
    sessions::to_i32,
};

/// How many generations one statement confirms.
const BATCH: usize = 200;

/// The first use of the newest generation of each session.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Two halves, so that old entries can be dropped without tracking their age: see [`Uses::turn`].
    recent: HashMap<SessionId, Use>,
    older: HashMap<SessionId, Use>,
    unwritten: HashSet<SessionId>,
}

/// The first use of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    generation: Generation,
    at: Timestamp,
}

impl Inner {
    fn newest(&self, session: SessionId) -> Option<Use> {
        let newest = self.recent.get(&session).or_else(|| self.older.get(&session));
        newest.copied()
    }
}

impl Uses {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, session: SessionId, generation: Generation, at: Timestamp) {
        let mut inner = self.lock();
        if inner
            .newest(session)
            .is_some_and(|known| known.generation >= generation)
        {
            return;
        }
        inner.recent.insert(session, Use { generation, at });
        // The first generation has no parent, so there is nothing to confirm.
        if generation > Generation::FIRST {
            inner.unwritten.insert(session);
        }
    }

    /// When this generation of the session was first used, as far as this process knows. A newer generation counts as
    /// well.
    pub(crate) fn first_use(&self, session: SessionId, generation: Generation) -> Option<Timestamp> {
        let newest = self.lock().newest(session)?;
        (newest.generation >= generation).then_some(newest.at)
    }

    fn take_unwritten(&self) -> Vec<(SessionId, Use)> {
        let mut inner = self.lock();
        let sessions = mem::take(&mut inner.unwritten);
        sessions
            .into_iter()
            .filter_map(|session| Some((session, inner.newest(session)?)))
            .collect()
    }

    fn put_back(&self, uses: &[(SessionId, Use)]) {
        let sessions = uses.iter().map(|(session, _)| *session);
        self.lock().unwritten.extend(sessions);
    }

    /// Drops entries that were neither seen since the last call nor still have to be written.
    fn turn(&self) {
        let mut inner = self.lock();
        let mut kept: HashMap<_, _> = mem::take(&mut inner.older);
        kept.retain(|session, _| inner.unwritten.contains(session));
        inner.older = mem::take(&mut inner.recent);
        for (session, first) in kept {
            inner.older.entry(session).or_insert(first);
        }
    }
}

impl Store {
    /// Records that an access token of this generation was accepted at `now`. Runs no query.
    pub fn note_use(&self, session: SessionId, generation: Generation, now: Timestamp) {
        self.uses().note(session, generation, now);
    }

    /// Writes the generations first used since the last call. Returns the number of changed rows.
    ///
    /// # Errors
    /// If the database is unavailable; the next call retries what this one could not write.
    pub async fn write_uses(&self) -> Result<u64, StoreError> {
        let uses = self.uses().take_unwritten();
        let mut confirmed = 0;
        for (index, batch) in uses.chunks(BATCH).enumerate() {
            match self.confirm(batch).await {
                Ok(rows) => confirmed += rows,
                Err(error) => {
                    self.uses().put_back(&uses[index * BATCH..]);
                    return Err(error);
                }
            }
        }
        Ok(confirmed)
    }

    /// Drops old entries. Call it about once per access token lifetime.
    pub fn forget_old_uses(&self) {
        self.uses().turn();
    }

    async fn confirm(&self, uses: &[(SessionId, Use)]) -> Result<u64, StoreError> {
        let mut these = Condition::any();
        let mut moment = CaseStatement::new();
        for (session, first) in uses {
            these = these.add(
                Condition::all()
                    .add(Column::Id.eq(session.uuid()))
                    .add(Column::Generation.eq(to_i32(first.generation))),
            );
            moment = moment.case(Column::Id.eq(session.uuid()), Expr::value(first.at.millis()));
        }
        let open = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(these.clone())
            .filter(Column::Confirmed.eq(false));
        let update = Entity::update_many()
            .col_expr(Column::Confirmed, Expr::value(true))
            .col_expr(Column::ConfirmedAt, moment.into());
        let update = if self.is_sqlite() {
            update.filter(these).filter(Column::Confirmed.eq(false))
        } else {
            // A locked row is being rotated, revoked, or confirmed by another node. Skipping it loses nothing, and
            // neither side ever waits for the other.
            let free = open
                .order_by_asc(Column::Id)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            update.filter(Column::Id.in_subquery(free.into_query()))
        };
        Ok(update.exec(self.background_writer()).await?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::new(Timestamp::from_secs(1_790_000_000), [number; 10])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + second)
    }

    fn unwritten(uses: &Uses) -> usize {
        uses.take_unwritten().len()
    }

    #[test]
    fn a_generation_is_written_once() {
        let uses = Uses::default();
        for second in 0..3 {
            uses.note(session(1), Generation::new(2), at(second));
        }
        let first = Use {
            generation: Generation::new(2),
            at: at(0),
        };
        assert_eq!(uses.take_unwritten(), [(session(1), first)]);
        uses.note(session(1), Generation::new(2), at(0));
        assert_eq!(unwritten(&uses), 0);
        uses.note(session(1), Generation::new(3), at(0));
        assert_eq!(unwritten(&uses), 1);
    }

    #[test]
    fn an_older_generation_never_hides_a_newer_one() {
        let uses = Uses::default();
        uses.note(session(1), Generation::new(3), at(0));
        uses.note(session(1), Generation::new(2), at(0));
        assert_eq!(uses.first_use(session(1), Generation::new(3)), Some(at(0)));
        assert_eq!(uses.first_use(session(1), Generation::new(4)), None);
        assert_eq!(uses.first_use(session(2), Generation::FIRST), None);
    }

    #[test]
    fn the_first_generation_has_nothing_to_confirm() {
        let uses = Uses::default();
        uses.note(session(1), Generation::FIRST, at(0));
        assert_eq!(unwritten(&uses), 0);
    }

    #[test]
    fn what_could_not_be_written_is_not_forgotten() {
        let uses = Uses::default();
        uses.note(session(1), Generation::new(2), at(0));
        let taken = uses.take_unwritten();
        uses.put_back(&taken);
        uses.turn();
        uses.turn();
        uses.turn();
        assert_eq!(uses.take_unwritten(), taken);
        uses.turn();
        assert_eq!(uses.first_use(session(1), Generation::new(2)), None);
    }
}
