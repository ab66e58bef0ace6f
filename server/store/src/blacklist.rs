//! The blacklist records which refresh tokens are no longer valid, since when and why.

use std::time::Duration;

use rotation::{Generation, Jti, LiveToken, SessionId, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Set,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

use crate::{
    StoreError,
    columns::generation_column,
    entity::{blacklisted_token, session},
};

/// The reason of a token that was consumed by a rotation. Tokens of a revoked session carry the session's reason.
pub const ROTATED: &str = "rotated";
/// The reason of the live token in a row that was outdated, because a later rotation was lost.
pub const LOST_WRITE: &str = "lost_write";

/// Well below the maximum number of parameters in either database.
pub(crate) const SESSIONS_PER_STATEMENT: usize = 1000;

/// A blacklisted refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlacklistedToken {
    /// The token's id.
    pub jti: Jti,
    /// Its number within the session.
    pub generation: Generation,
    /// [`ROTATED`], [`LOST_WRITE`], or the name of an [`RevocationReason`](rotation::RevocationReason).
    pub reason: String,
}

/// Blacklists a token.
///
/// Returns whether this call inserted it. `false` means that the token was blacklisted already. A rotation that assumed
/// it was live must then roll back.
pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    session: SessionId,
    token: &LiveToken,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = blacklisted_token::ActiveModel {
        jti: Set(token.jti.uuid()),
        session_id: Set(session.uuid()),
        generation: Set(generation_column(token.generation)),
        reason: Set(reason.to_owned()),
        blacklisted_at: Set(now.millis()),
        expires_at: Set(token.expires_at.millis()),
    };
    let unless_there = OnConflict::column(blacklisted_token::Column::Jti)
        .do_nothing()
        .to_owned();
    let inserted = blacklisted_token::Entity::insert(row)
        .on_conflict(unless_there)
        .exec_without_returning(db)
        .await?;
    Ok(inserted == 1)
}

/// Blacklists the live tokens of sessions directly from their rows. For sessions that the same transaction has revoked;
/// at most [`SESSIONS_PER_STATEMENT`] of them.
pub(crate) async fn insert_live_tokens(
    db: &impl ConnectionTrait,
    sessions: impl IntoIterator<Item = SessionId>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    use blacklisted_token::Column;

    let live = Query::select()
        .column(session::Column::CurrentJti)
        .column(session::Column::Id)
        .column(session::Column::Generation)
        .expr(Expr::val(reason).cast_as("text"))
        .expr(Expr::val(now.millis()).cast_as("bigint"))
        .column(session::Column::RefreshExpiresAt)
        .from(session::Entity)
        .and_where(Expr::col(session::Column::Id).is_in(sessions.into_iter().map(SessionId::uuid)))
        .take();
    let insert = Query::insert()
        .into_table(blacklisted_token::Entity)
        .columns([
            Column::Jti,
            Column::SessionId,
            Column::Generation,
            Column::Reason,
            Column::BlacklistedAt,
            Column::ExpiresAt,
        ])
        .select_from(live)
        .map_err(|error| DbErr::Custom(error.to_string()))?
        // A token that is already listed stays blacklisted.
        .on_conflict(OnConflict::column(Column::Jti).do_nothing().to_owned())
        .take();
    db.execute(&insert).await?;
    Ok(())
}

/// Why and when a token was blacklisted.
#[derive(Debug, Clone)]
pub(crate) struct Blacklisted {
    pub(crate) at: Timestamp,
    pub(crate) reason: String,
}

/// Finds a token on the blacklist. `None` if it was not blacklisted, or its entry was pruned.
pub(crate) async fn find(db: &impl ConnectionTrait, jti: Jti) -> Result<Option<Blacklisted>, StoreError> {
    let row = blacklisted_token::Entity::find_by_id(jti.uuid()).one(db).await?;
    Ok(row.map(|row| Blacklisted {
        at: Timestamp::from_millis(row.blacklisted_at),
        reason: row.reason,
    }))
}

/// When the successor of a consumed token was consumed; `None` if it is live, or unknown.
///
/// The table needs no index on the session. The successor's `jti` was created in the millisecond in which the token was
/// consumed, so a small range of the primary key contains it.
pub(crate) async fn successor_consumed_at(
    db: &impl ConnectionTrait,
    session: SessionId,
    generation: Generation,
    consumed: &Blacklisted,
) -> Result<Option<Timestamp>, StoreError> {
    use blacklisted_token::Column;

    if consumed.reason != ROTATED {
        return Ok(None);
    }
    let made_from = Jti::new(consumed.at, [0; 10]);
    let made_before = Jti::new(consumed.at.saturating_add(Duration::from_millis(1)), [0; 10]);
    let row = blacklisted_token::Entity::find()
        .filter(Column::Jti.gte(made_from.uuid()))
        .filter(Column::Jti.lt(made_before.uuid()))
        .filter(Column::SessionId.eq(session.uuid()))
        .filter(Column::Generation.eq(generation_column(generation.next())))
        .filter(Column::Reason.eq(ROTATED))
        .one(db)
        .await?;
    Ok(row.map(|row| Timestamp::from_millis(row.blacklisted_at)))
}

/// The blacklisted refresh tokens of a session, oldest first.
pub(crate) async fn of_session(
    db: &impl ConnectionTrait,
    session: SessionId,
) -> Result<Vec<BlacklistedToken>, StoreError> {
    let rows = blacklisted_token::Entity::find()
        .filter(blacklisted_token::Column::SessionId.eq(session.uuid()))
        .order_by_asc(blacklisted_token::Column::Generation)
        .all(db)
        .await?;
    let read = |row: blacklisted_token::Model| {
        let generation = u32::try_from(row.generation)
            .map_err(|_| StoreError::inconsistent("token_blacklist", "generation", row.jti))?;
        Ok(BlacklistedToken {
            jti: Jti::from_uuid(row.jti),
            generation: Generation::new(generation),
            reason: row.reason,
        })
    };
    rows.into_iter().map(read).collect()
}
