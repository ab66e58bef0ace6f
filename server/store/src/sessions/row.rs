//! A session's row: reading it, and the condition that it is not revoked.

use rotation::{
    AccountState, Generation, Jti, KeyId, LiveToken, Revocation, RevocationReason, Session, SessionId,
    Timestamp, UserId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    StoreError, columns,
    entity::{
        session::{self, Column, Entity},
        user,
    },
    revocation, unreadable, users,
};

/// Loads a session and the state of its owner in one query.
pub(crate) async fn load(
    db: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<(Session, AccountState)>, StoreError> {
    match Entity::find_by_id(id.uuid())
        .find_also_related(user::Entity)
        .one(db)
        .await?
    {
        None => Ok(None),
        Some((row, Some(account))) => Ok(Some((session_of(row)?, users::account_state_of(&account)))),
        Some((row, None)) => Err(StoreError::inconsistent("sessions", "user_id", row.id)),
    }
}

/// A user's sessions that are not revoked, according to their rows and the account's epoch. They may have expired.
pub(super) fn is_not_revoked(user: UserId) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user.uuid()))
        .add(Column::RevokedAt.is_null())
        .add(Expr::col(Column::TokenEpoch).in_subquery(revocation::accounts::present_epoch(user)))
}

/// Converts a row to the domain type.
fn session_of(row: session::Model) -> Result<Session, StoreError> {
    let broken = |column| StoreError::inconsistent("sessions", column, row.id);
    // A revoked session stays revoked, whatever the reason. A newer version may have written a reason unknown to
    // this one.
    let revoked = row.revoked_at.map(|at| Revocation {
        at: Timestamp::from_millis(at),
        reason: row
            .revoke_reason
            .as_deref()
            .and_then(RevocationReason::parse)
            .unwrap_or_else(|| {
                unreadable::report("sessions", "revoke_reason", row.id);
                RevocationReason::Unknown
            }),
    });
    let generation = match u32::try_from(row.generation) {
        Ok(generation) => generation,
        // An ended session never rotates, so its generation does not matter.
        Err(_) if revoked.is_some() => 0,
        Err(_) => return Err(broken("generation")),
    };
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        token_epoch: columns::epoch_of(row.token_epoch),
        live_token: LiveToken {
            jti: Jti::from_uuid(row.current_jti),
            generation: Generation::new(generation),
            issued_at: Timestamp::from_millis(row.refresh_issued_at),
            expires_at: Timestamp::from_millis(row.refresh_expires_at),
            kid: KeyId::new(row.refresh_kid),
        },
        previous_jti: row.previous_jti.map(Jti::from_uuid),
        rotated_at: Timestamp::from_millis(row.rotated_at),
        // Rows confirmed by an older version have no timestamp: see the migration that added the column.
        confirmed_at: row
            .confirmed
            .then(|| Timestamp::from_millis(row.confirmed_at.unwrap_or(row.rotated_at))),
        absolute_expires_at: Timestamp::from_millis(row.absolute_expires_at),
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
        remember: row.remember,
        revocation: revoked,
    })
}
