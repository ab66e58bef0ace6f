//! Revokes sessions: marks their rows and blacklists their live tokens.

use rotation::{RevocationReason, SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait,
    sea_query::{IntoCondition, Query},
};

use crate::{
    StoreError, blacklist,
    entity::session::{Column, Entity},
    unreadable,
    write_transaction::WriteTransaction,
};

/// A session that was revoked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RevokedSession {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
}

/// Revokes those of the selected sessions that are not revoked yet, and blacklists their live tokens. Returns the
/// sessions that this call revoked.
///
/// This reads only ids. The rest is copied from table to table inside the database, so a row that this version cannot
/// read is revoked like any other.
pub(crate) async fn revoke(
    tx: &mut WriteTransaction<'_>,
    which: impl IntoCondition,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<Vec<RevokedSession>, StoreError> {
    let (revoked, _) = revoke_without_notice(tx, which, reason.as_str(), now).await?;
    for session in &revoked {
        tx.record_revocation(session.id);
    }
    Ok(revoked)
}

/// Like [`revoke`], but does not notify other nodes. For sessions that every node already knows to be revoked through
/// their account. Also returns the number of rows, because an id may be unreadable.
pub(crate) async fn revoke_without_notice(
    tx: &WriteTransaction<'_>,
    which: impl IntoCondition,
    reason: &str,
    now: Timestamp,
) -> Result<(Vec<RevokedSession>, usize), StoreError> {
    let mark = Query::update()
        .table(Entity)
        .value(Column::RevokedAt, now.millis())
        .value(Column::RevokeReason, reason)
        .cond_where(
            Condition::all()
                .add(which.into_condition())
                .add(Column::RevokedAt.is_null()),
        )
        .returning(Query::returning().columns([Column::Id, Column::UserId]))
        .take();
    let rows = tx.query_all(&mark).await?;
    let mut revoked = Vec::with_capacity(rows.len());
    for row in &rows {
        let ids = row
            .try_get("", "id")
            .and_then(|id| Ok((id, row.try_get("", "user_id")?)));
        match ids {
            Ok((id, user)) => revoked.push(RevokedSession {
                id: SessionId::from_uuid(id),
                user: UserId::from_uuid(user),
            }),
            // Marked like the others. No token can name it, so there is nothing to publish and nothing to blacklist.
            Err(error) => unreadable::report("sessions", "id", error),
        }
    }
    for some in revoked.chunks(blacklist::SESSIONS_PER_STATEMENT) {
        // The update has locked the rows. A rotation that came before it has left its successor as the live token.
        let some = some.iter().map(|session| session.id);
        blacklist::insert_live_tokens(&**tx, some, reason, now).await?;
    }
    Ok((revoked, rows.len()))
}
