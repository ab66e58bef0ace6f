//! The limit of live sessions for each account.

use rotation::{RevocationReason, SessionId, UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::row::is_not_revoked;
use crate::{
    Actor, AuditContext, EventId, StoreError,
    entity::{
        session::{Column, Entity},
        user,
    },
    events::{self, EventKind},
    revocation::{self, sessions::revoke},
    write_transaction::WriteTransaction,
};

/// How many live sessions an account may have. Beyond that, a new session revokes the least recently used ones.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimit {
    /// At least 1.
    pub max: u32,
    /// The id of the event that tells the owner about sessions revoked by the limit.
    pub event: EventId,
}

/// How many sessions one sign-in revokes individually to make room. An account that exceeds its limit by more (from
/// before there was a limit) gets a new epoch instead.
const MAX_INDIVIDUAL_REVOCATIONS: u64 = 200;

/// Revokes the least recently used sessions of an account that has reached its limit, to make room for one more. The
/// caller holds the lock on the account's row. Returns the epoch for the new session, and whether rows remain to be
/// marked.
pub(super) async fn enforce_session_limit(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    epoch: u32,
    limit: SessionLimit,
    context: &AuditContext,
) -> Result<(u32, bool), StoreError> {
    let now = context.now;
    let stay = u64::from(limit.max.saturating_sub(1));
    let by_use = || {
        Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(is_not_revoked(user))
            .filter(Column::RefreshExpiresAt.gt(now.millis()))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
    };
    let beyond = || {
        by_use()
            .offset(stay)
            .limit(MAX_INDIVIDUAL_REVOCATIONS + 1)
            .into_query()
    };
    let surplus = tx.query_all(&beyond()).await?.len() as u64;
    if surplus == 0 {
        return Ok((epoch, false));
    }
    let reason = RevocationReason::SessionLimit;
    let (epoch, left_over) = if surplus <= MAX_INDIVIDUAL_REVOCATIONS {
        revoke(tx, Column::Id.in_subquery(beyond()), reason, now).await?;
        (epoch, false)
    } else {
        let kept = tx.query_all(&by_use().limit(stay).into_query()).await?;
        let kept = kept.iter().filter_map(|row| row.try_get("", "id").ok());
        let kept: Vec<_> = kept.map(SessionId::from_uuid).collect();
        let nothing_else = user::Entity::update_many();
        let bumped = revocation::accounts::revoke(tx, user, nothing_else, &kept, reason, now).await?;
        (bumped.unwrap_or(epoch), true)
    };
    let by_system = AuditContext {
        event: limit.event,
        actor: Actor::System,
        ..context.clone()
    };
    events::insert(&**tx, EventKind::SessionLimit, user, None, &by_system).await?;
    Ok((epoch, left_over))
}
