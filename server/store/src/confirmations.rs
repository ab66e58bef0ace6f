//! First use of each token generation, written in batches and off the request path.
//!
//! The first authenticated request of a generation proves that the client received the refresh response. From then on
//! the parent token gets the same successor only within the grace period after the rotation. After that it gets a 409,
//! for one grace period since the confirmation, and then counts as reuse. `Store::refresh` reads the buffer too, so
//! confirmations count before they are written.

use rotation::{Generation, SessionId, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CaseStatement, Expr, LockBehavior, LockType},
};

use crate::{
    Store, StoreError,
    columns::generation_column,
    confirmation_buffer::Confirmation,
    entity::session::{Column, Entity},
};

/// How many generations one statement confirms.
const BATCH: usize = 200;

impl Store {
    /// Records that an access token of this generation was accepted at `now`. Runs no query.
    pub fn record_confirmation(&self, session: SessionId, generation: Generation, now: Timestamp) {
        self.confirmations().record(session, generation, now);
    }

    /// Writes the generations first used since the last call. Returns the number of changed rows.
    ///
    /// # Errors
    /// If the database is unavailable; the next call retries what this one could not write.
    pub async fn flush_confirmations(&self) -> Result<u64, StoreError> {
        let _writing = self.confirmations().writing.lock().await;
        let mut confirmed = 0;
        for batch in self.confirmations().unwritten().chunks(BATCH) {
            confirmed += self.confirm(batch).await?;
            self.confirmations().mark_written(batch);
        }
        Ok(confirmed)
    }

    /// Drops old entries. Call it about once per access token lifetime.
    pub fn drop_old_confirmations(&self) {
        self.confirmations().drop_older_half();
    }

    async fn confirm(&self, confirmations: &[(SessionId, Confirmation)]) -> Result<u64, StoreError> {
        let mut these = Condition::any();
        let mut moment = CaseStatement::new();
        for (session, first) in confirmations {
            these = these.add(
                Condition::all()
                    .add(Column::Id.eq(session.uuid()))
                    .add(Column::Generation.eq(generation_column(first.generation))),
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
