//! Revoking everything issued to an account, however much that is.
//!
//! Incrementing the account's epoch revokes everything. It changes one row and commits immediately. From then on no
//! session of an older epoch refreshes (`decide`), and no access token of one is accepted (below). Marking each session
//! and blacklisting its live token may take longer, and nothing depends on it. It runs in batches, each a short
//! transaction: the request itself runs the first one, and [`Store::finish_account_revocations`] the rest. The table
//! `ended_accounts` records the remaining work (`pending`), so a crash in between loses none of it.
//!
//! # Which access tokens are revoked
//! An access token names its account and its session, but not its epoch. Its timestamps come from the clock of the node
//! that issued it. With two clocks an hour apart, comparing timestamps could refuse a session that the new password has
//! just opened, or accept one that it revoked. So no clock is used.
//!
//! A node that knows “account U was revoked at epoch E” asks the database once about each session of U that it sees. A
//! session is live if it is not revoked and has the account's current epoch. The node caches the result until U is
//! revoked again. That costs one query per session, node and revocation, and none for all other accounts. If the
//! database cannot be queried, the response is 503 and not a guess.

use rotation::{RevocationReason, SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement},
};

use crate::{
    Store, StoreError, columns,
    entity::{ended_account, security_event, session, user},
    revocation::sessions,
    users,
    write_transaction::WriteTransaction,
};

/// How many rows one transaction marks or deletes. Small enough that it does not noticeably delay a refresh.
const BATCH: u64 = 500;

/// The remaining work of an account's revocation.
struct PendingRevocation {
    user: UserId,
    epoch: i32,
    /// As stored, because a newer version may have written a reason unknown to this one.
    reason: String,
    ended_at: Timestamp,
}

impl Store {
    /// Marks one batch of sessions that were revoked with their account; `true` if there may be more to do.
    ///
    /// # Errors
    /// If the database is unavailable; the sessions are revoked nevertheless.
    pub async fn finish_account_revocations(&self) -> Result<bool, StoreError> {
        self.finish(None).await
    }

    /// Runs the first batch for one account, so that an ordinary account is done when its owner gets the response. A
    /// failure is only logged: the revocation is committed, and the background job does the rest later.
    pub(crate) async fn finish_first_batch(&self, user: UserId) {
        if let Err(error) = self.finish(Some(user)).await {
            tracing::warn!(%error, "revoked sessions not marked yet; retrying in the background");
        }
    }

    async fn finish(&self, only: Option<UserId>) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let Some(pending) = next_pending(&*tx, only, self.is_sqlite()).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        // Nodes of an older version understand only revocations of single sessions. They are notified of the first
        // batch, which covers all of an ordinary account.
        let is_told = only.is_some();
        let mut more = mark(&mut tx, &pending, is_told).await?;
        if !more && pending.reason == RevocationReason::Deleted.as_str() {
            more = !delete_rows(&*tx, pending.user).await?;
        }
        if !more {
            let done = Query::update()
                .table(ended_account::Entity)
                .value(ended_account::Column::Pending, false)
                .and_where(ended_account::Column::UserId.eq(pending.user.uuid()))
                .and_where(ended_account::Column::TokenEpoch.eq(pending.epoch))
                .take();
            tx.execute(&done).await?;
        }
        tx.commit(pending.ended_at).await?;
        // Another account may have pending work.
        Ok(more || only.is_none())
    }
}

/// Applies `change` to the account if its conditions hold, and revokes everything issued to it except `keep`. Returns
/// the new epoch, or `None` if the conditions did not hold.
///
/// The kept sessions get the new epoch, which keeps them live. The caller holds no lock yet, or only the account's;
/// this takes the account's.
pub(crate) async fn revoke(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    change: UpdateMany<user::Entity>,
    keep: &[SessionId],
    reason: RevocationReason,
    now: Timestamp,
) -> Result<Option<u32>, StoreError> {
    use ended_account::Column;

    let bump = change
        .col_expr(user::Column::TokenEpoch, next_epoch())
        .filter(user::Column::Id.eq(user.uuid()))
        .into_query()
        .returning(Query::returning().column(user::Column::TokenEpoch))
        .take();
    let Some(row) = tx.query_one(&bump).await? else {
        return Ok(None);
    };
    let epoch: i32 = row.try_get("", "token_epoch")?;

    // No session can have this epoch yet. A row that does was edited by hand, and the bump must not make it live.
    let ahead = session::Column::UserId
        .eq(user.uuid())
        .and(session::Column::TokenEpoch.eq(epoch));
    sessions::revoke(tx, ahead, reason, now).await?;
    if !keep.is_empty() {
        let kept = Query::update()
            .table(session::Entity)
            .value(session::Column::TokenEpoch, epoch)
            .and_where(session::Column::UserId.eq(user.uuid()))
            .and_where(session::Column::Id.is_in(keep.iter().map(|id| id.uuid())))
            .and_where(session::Column::RevokedAt.is_null())
            .and_where(session::Column::TokenEpoch.eq(epoch.wrapping_sub(1)))
            .take();
        tx.execute(&kept).await?;
    }

    // Each epoch occurs once, unless commits were lost. Then an existing row belongs to a discarded history.
    let of_another_history = Query::delete()
        .from_table(ended_account::Entity)
        .and_where(Column::UserId.eq(user.uuid()))
        .and_where(Column::TokenEpoch.eq(epoch))
        .take();
    tx.execute(&of_another_history).await?;
    let insert = Query::insert()
        .into_table(ended_account::Entity)
        .columns([
            Column::UserId,
            Column::TokenEpoch,
            Column::Reason,
            Column::EndedAt,
            Column::Pending,
        ])
        .values_panic([
            user.uuid().into(),
            epoch.into(),
            reason.as_str().into(),
            now.millis().into(),
            true.into(),
        ])
        .take();
    tx.execute(&insert).await?;
    let epoch = columns::epoch_of(epoch);
    tx.record_account_revocation(user, epoch);
    Ok(Some(epoch))
}

/// Whether a session of an account is live.
pub(crate) async fn is_live(
    db: &impl ConnectionTrait,
    user: UserId,
    session: SessionId,
) -> Result<bool, StoreError> {
    let query = session::Entity::find_by_id(session.uuid())
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(user.uuid()))
        .filter(session::Column::RevokedAt.is_null())
        .filter(Expr::col(session::Column::TokenEpoch).in_subquery(present_epoch(user)))
        .into_query();
    Ok(db.query_one(&query).await?.is_some())
}

/// The reason of a session that ended only by its epoch.
pub(crate) async fn reason_of(
    db: &impl ConnectionTrait,
    user: UserId,
    session_epoch: u32,
) -> Result<Option<RevocationReason>, StoreError> {
    let query = ended_account::Entity::find()
        .select_only()
        .column(ended_account::Column::Reason)
        .filter(ended_account::Column::UserId.eq(user.uuid()))
        .filter(ended_account::Column::TokenEpoch.eq(columns::epoch_column(session_epoch.wrapping_add(1))))
        .into_query();
    let Some(row) = db.query_one(&query).await? else {
        return Ok(None);
    };
    let reason: String = row.try_get("", "reason")?;
    Ok(RevocationReason::parse(&reason))
}

/// Whether every revocation of the account since this epoch allows concurrent sign-ins. If so, a sign-in that began
/// earlier may continue.
pub(crate) async fn only_sessions_revoked_since(
    db: &impl ConnectionTrait,
    user: UserId,
    since: u32,
    until: u32,
) -> Result<bool, StoreError> {
    let mut epoch = since;
    // In practice a handful at most, because a sign-in takes about a second.
    for _ in 0..10 {
        if epoch == until {
            return Ok(true);
        }
        let spares = [RevocationReason::RevokedByUser, RevocationReason::SessionLimit];
        match reason_of(db, user, epoch).await? {
            Some(reason) if spares.contains(&reason) => epoch = epoch.wrapping_add(1),
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Deletes revocations that no valid access token can belong to and that have no pending work.
pub(crate) async fn prune(db: &impl ConnectionTrait, before: Timestamp) -> Result<u64, StoreError> {
    let delete = Query::delete()
        .from_table(ended_account::Entity)
        .and_where(ended_account::Column::EndedAt.lt(before.millis()))
        .and_where(ended_account::Column::Pending.eq(false))
        .take();
    Ok(db.execute(&delete).await?.rows_affected())
}

/// Subquery: the epoch that an account's sessions must have to be live.
pub(crate) fn present_epoch(user: UserId) -> SelectStatement {
    Query::select()
        .column(user::Column::TokenEpoch)
        .from(user::Entity)
        .and_where(user::Column::Id.eq(user.uuid()))
        .take()
}

/// The epoch after the current one. Epochs are only compared for equality, so they wrap around after the last number. A
/// number that does not fit must not keep an account's sessions live.
fn next_epoch() -> Expr {
    Expr::case(Expr::col(user::Column::TokenEpoch).eq(i32::MAX), i32::MIN)
        .finally(Expr::col(user::Column::TokenEpoch).add(1))
        .into()
}

/// The oldest revocation with pending work. On PostgreSQL it stays locked until the commit, and a row that another node
/// holds is skipped.
async fn next_pending(
    db: &impl ConnectionTrait,
    only: Option<UserId>,
    is_sqlite: bool,
) -> Result<Option<PendingRevocation>, StoreError> {
    use ended_account::Column;

    let mut query = Query::select()
        .columns([
            Column::UserId,
            Column::TokenEpoch,
            Column::Reason,
            Column::EndedAt,
        ])
        .from(ended_account::Entity)
        .and_where(Column::Pending.eq(true))
        .order_by(Column::EndedAt, sea_orm::Order::Asc)
        .limit(1)
        .take();
    if let Some(user) = only {
        query.and_where(Column::UserId.eq(user.uuid()));
    }
    if !is_sqlite {
        query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let Some(row) = db.query_one(&query).await? else {
        return Ok(None);
    };
    Ok(Some(PendingRevocation {
        user: UserId::from_uuid(row.try_get("", "user_id")?),
        epoch: row.try_get("", "token_epoch")?,
        reason: row.try_get("", "reason")?,
        ended_at: Timestamp::from_millis(row.try_get("", "ended_at")?),
    }))
}

/// Marks a batch of an account's sessions that are revoked by their epoch; `true` if the batch was full.
async fn mark(
    tx: &mut WriteTransaction<'_>,
    pending: &PendingRevocation,
    is_told: bool,
) -> Result<bool, StoreError> {
    use session::Column;

    let some_of = |these: Expr| {
        Query::select()
            .column(Column::Id)
            .from(session::Entity)
            .and_where(Column::UserId.eq(pending.user.uuid()))
            .and_where(Column::RevokedAt.is_null())
            .and_where(these)
            .limit(BATCH)
            .take()
    };
    // Those that were live until this revocation, …
    let just_before = some_of(Column::TokenEpoch.eq(pending.epoch.wrapping_sub(1)));
    // … and then every other session whose epoch is not the account's. Skipped if the account was revoked again since:
    // that revocation marks them, with its own reason.
    let is_latest = Expr::val(pending.epoch).in_subquery(present_epoch(pending.user));
    let any = some_of(
        Expr::col(Column::TokenEpoch)
            .not_in_subquery(present_epoch(pending.user))
            .and(is_latest),
    );
    for batch in [just_before, any] {
        let these = Condition::all().add(Column::Id.in_subquery(batch));
        let (revoked, rows) =
            sessions::revoke_without_notice(tx, these, &pending.reason, pending.ended_at).await?;
        if is_told {
            for session in &revoked {
                tx.record_revocation(session.id);
            }
        }
        if rows as u64 >= BATCH {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes a batch of a deleted account's rows, and finally the account itself; `true` if nothing is left.
async fn delete_rows(db: &impl ConnectionTrait, user: UserId) -> Result<bool, StoreError> {
    let sessions = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(user.uuid()))
        .limit(BATCH)
        .into_query();
    let sessions = session::Entity::delete_many()
        .filter(session::Column::Id.in_subquery(sessions))
        .exec(db)
        .await?;
    let events = security_event::Entity::find()
        .select_only()
        .column(security_event::Column::Id)
        .filter(security_event::Column::UserId.eq(user.uuid()))
        .limit(BATCH)
        .into_query();
    let events = security_event::Entity::delete_many()
        .filter(security_event::Column::Id.in_subquery(events))
        .exec(db)
        .await?;
    if sessions.rows_affected >= BATCH || events.rows_affected >= BATCH {
        return Ok(false);
    }
    user::Entity::delete_many()
        .filter(user::Column::Id.eq(user.uuid()))
        .filter(users::is_deleted())
        .exec(db)
        .await?;
    Ok(true)
}
