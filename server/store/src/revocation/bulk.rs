//! Revokes the sessions of all accounts for an operator, in batches so small that no refresh has to wait for one.

use std::collections::HashSet;

use rotation::{RevocationReason, SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{LockBehavior, LockType},
};

use crate::{
    AuditContext, Store, StoreError,
    entity::session::{Column, Entity},
    events::{self, EventKind},
    revocation::sessions,
};

/// How many sessions one transaction revokes.
const BATCH: u64 = 500;

/// The result of one pass over all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevocationCount {
    /// Sessions that this pass revoked.
    pub revoked: u64,
    /// Sessions that were skipped because another transaction held them. Another pass finds them.
    pub skipped: u64,
}

impl Store {
    /// Revokes all sessions that were opened before a moment, or all sessions, in one pass. Each account gets one event
    /// on its timeline; `context` creates these events.
    ///
    /// Rows are selected by id and never parsed, so a row that this version cannot read is revoked like any other.
    ///
    /// # Errors
    /// If the database is unavailable. Sessions revoked until then stay revoked, and the next call continues from
    /// there.
    pub async fn revoke_sessions_before(
        &self,
        signed_in_before: Option<Timestamp>,
        context: impl Fn() -> AuditContext,
    ) -> Result<RevocationCount, StoreError> {
        let mut these = Condition::all().add(Column::RevokedAt.is_null());
        if let Some(before) = signed_in_before {
            these = these.add(Column::CreatedAt.lt(before.millis()));
        }
        let begun = context().now;
        let mut notified = HashSet::new();
        let (mut revoked, mut after) = (0, None);
        while let Some(last) = self
            .revoke_batch(&these, after, &context, &mut notified, &mut revoked)
            .await?
        {
            after = Some(last);
        }
        // Sign-ins during the pass do not extend it.
        let left = Entity::find()
            .filter(these.add(Column::CreatedAt.lte(begun.millis())))
            .count(self.writer())
            .await?;
        Ok(RevocationCount {
            revoked,
            skipped: left,
        })
    }

    /// Revokes one batch. Returns its last session, or `None` if there was none.
    async fn revoke_batch(
        &self,
        these: &Condition,
        after: Option<SessionId>,
        context: impl Fn() -> AuditContext,
        notified: &mut HashSet<UserId>,
        count: &mut u64,
    ) -> Result<Option<SessionId>, StoreError> {
        let mut batch = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(these.clone())
            .order_by_asc(Column::Id)
            .limit(BATCH);
        if let Some(after) = after {
            batch = batch.filter(Column::Id.gt(after.uuid()));
        }
        if !self.is_sqlite() {
            // Never waits for a row, so it cannot deadlock with transactions that revoke an account's sessions in
            // another order.
            batch = batch.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let mut tx = self.begin().await?;
        let now = context().now;
        let which = Column::Id.in_subquery(batch.into_query());
        let revoked = sessions::revoke(&mut tx, which, RevocationReason::RevokedByOperator, now).await?;
        for session in &revoked {
            if notified.insert(session.user) {
                events::insert(&*tx, EventKind::SessionRevoked, session.user, None, &context()).await?;
            }
        }
        tx.commit(now).await?;
        *count += revoked.len() as u64;
        Ok(revoked.iter().map(|session| session.id).max())
    }
}
