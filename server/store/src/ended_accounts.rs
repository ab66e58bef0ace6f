//! Ending all that was issued to an account, however much that is.
//!
//! The bump of the account's epoch is what ends everything: one row, and it commits at once. From then on no session
//! of an older epoch refreshes (`decide`), and no access token of one is accepted (below). Marking each session and
//! blacklisting its live token is bookkeeping that may take a while: it is done in batches, each a short transaction,
//! by the request itself for the first one and by [`Store::finish_ends`] for the rest. What is left to do stands in
//! `ended_accounts` (`pending`), so that a crash in between loses none of it.
//!
//! # Which access tokens die
//! An access token names its account and its session, not its epoch, and what it says about time was written by the
//! clock of the node that issued it: two clocks an hour apart would refuse a session that the new password has just
//! opened, or accept one that it has ended. So no clock is asked. A node that knows “account U ended at epoch E” asks
//! the database about each session of U that it meets, once: alive is what is not revoked and has the account's
//! present epoch. The answer is kept until U ends again. That is one query for each session, node and end, and none
//! for all other accounts; if the database cannot be asked, the answer is 503 and not a guess.

use rotation::{EndReason, SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement},
};

use crate::{
    Store, StoreError,
    entity::{ended_account, security_event, session, user},
    sessions, users,
    writing::Writing,
};

/// How many rows one transaction marks or deletes. Small enough that a refresh which waits for it does not notice.
const BATCH: u64 = 500;
/// Replaces the address of an account whose rows are still being deleted; no address looks like this.
const GONE: &str = "deleted:";

/// What is left to do of an account's end.
struct Pending {
    user: UserId,
    epoch: i32,
    /// As it is stored: that of a newer version will do.
    reason: String,
    ended_at: Timestamp,
}

impl Store {
    /// Marks one batch of sessions that ended with their account; `true` if there may be more to do.
    ///
    /// # Errors
    /// If the database is unavailable; the sessions are dead nevertheless.
    pub async fn finish_ends(&self) -> Result<bool, StoreError> {
        self.finish(None).await
    }

    /// Does the first batch for one account, so that an ordinary account is done when its owner gets the answer.
    /// A failure is reported only: the end is committed, and the rest will be done later.
    pub(crate) async fn finish_soon(&self, user: UserId) {
        if let Err(error) = self.finish(Some(user)).await {
            tracing::warn!(%error, "ended sessions not marked yet; retrying in the background");
        }
    }

    async fn finish(&self, only: Option<UserId>) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let Some(pending) = next_pending(&*tx, only, self.is_sqlite()).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        // Nodes of an older version know single sessions only. For the first batch, which is all of an ordinary
        // account, they are told.
        let is_told = only.is_some();
        let mut more = mark(&mut tx, &pending, is_told).await?;
        if !more && pending.reason == EndReason::Deleted.as_str() {
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
        // Another account may be waiting.
        Ok(more || only.is_none())
    }
}

/// Carries out `change` on the account, if its conditions hold, and ends all that was issued to it but `keep`. Answers
/// the new epoch; `None` if the conditions did not hold.
///
/// The kept sessions get the new epoch, which is what keeps them alive. The caller holds no lock yet, or the
/// account's; this takes the account's.
pub(crate) async fn end(
    tx: &mut Writing<'_>,
    user: UserId,
    change: UpdateMany<user::Entity>,
    keep: &[SessionId],
    reason: EndReason,
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

    // No session can have this epoch yet. One that does was edited by hand, and must not come to life by the bump.
    let ahead = session::Column::UserId
        .eq(user.uuid())
        .and(session::Column::TokenEpoch.eq(epoch));
    sessions::end(tx, ahead, reason, now).await?;
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

    // An epoch comes once, unless commits were lost; then what stands there is of a history that never was.
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
    let epoch = users::epoch_of(epoch);
    tx.ends_account(user, epoch);
    Ok(Some(epoch))
}

/// Turns an account into one that nobody can find, and whose address is free; its rows are deleted afterwards.
pub(crate) fn tombstone(user: UserId, change: UpdateMany<user::Entity>) -> UpdateMany<user::Entity> {
    use user::Column;

    change
        .col_expr(Column::Email, Expr::value(""))
        .col_expr(Column::EmailNormalised, Expr::value(format!("{GONE}{user}")))
        .col_expr(Column::Mailbox, Expr::value(format!("{GONE}{user}")))
        .col_expr(Column::PasswordHash, Expr::value(""))
        .col_expr(Column::DisplayName, Expr::value(Option::<String>::None))
        .filter(is_there())
}

/// That an account is not on its way out.
pub(crate) fn is_there() -> Expr {
    user::Column::EmailNormalised.not_like(format!("{GONE}%"))
}

/// Whether an account's session is alive.
pub(crate) async fn is_alive(
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

/// Why a session ended that only its epoch says is over.
pub(crate) async fn reason_of(
    db: &impl ConnectionTrait,
    user: UserId,
    session_epoch: u32,
) -> Result<Option<EndReason>, StoreError> {
    let query = ended_account::Entity::find()
        .select_only()
        .column(ended_account::Column::Reason)
        .filter(ended_account::Column::UserId.eq(user.uuid()))
        .filter(ended_account::Column::TokenEpoch.eq(users::epoch_column(session_epoch.wrapping_add(1))))
        .into_query();
    let Some(row) = db.query_one(&query).await? else {
        return Ok(None);
    };
    let reason: String = row.try_get("", "reason")?;
    Ok(EndReason::parse(&reason))
}

/// Whether everything that ended the account since this epoch spared sign-ins: then a sign-in that began before it may
/// go on.
pub(crate) async fn only_sessions_ended_since(
    db: &impl ConnectionTrait,
    user: UserId,
    since: u32,
    until: u32,
) -> Result<bool, StoreError> {
    let mut epoch = since;
    // A handful at most: a sign-in lasts for a second.
    for _ in 0..10 {
        if epoch == until {
            return Ok(true);
        }
        let spares = [EndReason::RevokedByUser, EndReason::SessionLimit];
        match reason_of(db, user, epoch).await? {
            Some(reason) if spares.contains(&reason) => epoch = epoch.wrapping_add(1),
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Forgets ends that no living access token can belong to, and that nothing is left to do for.
pub(crate) async fn prune(db: &impl ConnectionTrait, before: Timestamp) -> Result<u64, StoreError> {
    let delete = Query::delete()
        .from_table(ended_account::Entity)
        .and_where(ended_account::Column::EndedAt.lt(before.millis()))
        .and_where(ended_account::Column::Pending.eq(false))
        .take();
    Ok(db.execute(&delete).await?.rows_affected())
}

/// The epoch that an account's sessions must have to be alive.
pub(crate) fn present_epoch(user: UserId) -> SelectStatement {
    Query::select()
        .column(user::Column::TokenEpoch)
        .from(user::Entity)
        .and_where(user::Column::Id.eq(user.uuid()))
        .take()
}

/// The epoch after the present one. Epochs are only compared for equality, so after the last number comes the first:
/// a number that does not fit must not keep an account's sessions alive.
fn next_epoch() -> Expr {
    Expr::case(Expr::col(user::Column::TokenEpoch).eq(i32::MAX), i32::MIN)
        .finally(Expr::col(user::Column::TokenEpoch).add(1))
        .into()
}

/// The oldest end that something is left to do for. On PostgreSQL it stays locked until the commit, and one that
/// another node works on is passed over.
async fn next_pending(
    db: &impl ConnectionTrait,
    only: Option<UserId>,
    is_sqlite: bool,
) -> Result<Option<Pending>, StoreError> {
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
    Ok(Some(Pending {
        user: UserId::from_uuid(row.try_get("", "user_id")?),
        epoch: row.try_get("", "token_epoch")?,
        reason: row.try_get("", "reason")?,
        ended_at: Timestamp::from_millis(row.try_get("", "ended_at")?),
    }))
}

/// Marks a batch of an account's sessions that are dead by their epoch; `true` if it was a full one.
async fn mark(tx: &mut Writing<'_>, pending: &Pending, is_told: bool) -> Result<bool, StoreError> {
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
    // Those that were alive until this end, …
    let just_before = some_of(Column::TokenEpoch.eq(pending.epoch.wrapping_sub(1)));
    // … and, once they are done, whatever else has an epoch that is not the account's. Unless the account has ended
    // again since: then those are for that end to mark, with its reason.
    let is_latest = Expr::val(pending.epoch).in_subquery(present_epoch(pending.user));
    let any = some_of(
        Expr::col(Column::TokenEpoch)
            .not_in_subquery(present_epoch(pending.user))
            .and(is_latest),
    );
    for batch in [just_before, any] {
        let these = Condition::all().add(Column::Id.in_subquery(batch));
        let (ended, rows) = sessions::end_quietly(tx, these, &pending.reason, pending.ended_at).await?;
        if is_told {
            for session in &ended {
                tx.ends(session.id);
            }
        }
        if rows as u64 >= BATCH {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes a batch of what belongs to a deleted account, and at last the account; `true` if nothing is left.
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
        .filter(user::Column::EmailNormalised.like(format!("{GONE}%")))
        .exec(db)
        .await?;
    Ok(true)
}
