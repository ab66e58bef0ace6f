//! Executes what `rotation::decide` decides about a presented refresh token: load, decide, compare and set, commit, and
//! only then respond.

use rotation::{
    Decision, EndReason, Ending, Fresh, Jti, Leaf, Owner, Policy, Presented, Role, Session, SessionId,
    Situation, Successor, Timestamp, decide,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use crate::{
    Act, Actor, EventId, Store, StoreError, Visitor,
    blacklist::{self, Blacklisted},
    columns,
    database::Transaction,
    ended_accounts,
    entity::{
        session::{Column, Entity},
        user,
    },
    events::{self, EventKind},
    session_end, sessions, users,
    writing::Writing,
};

/// The outcome of a presented refresh token. Its effects are committed before this is returned.
#[derive(Debug)]
pub enum Refreshed {
    Granted(Box<Granted>),
    Stale,
    Reuse,
    Ended(Ending),
}

/// The token was the live token, or its parent within the grace period.
#[derive(Debug)]
pub struct Granted {
    pub session: Session,
    pub role: Role,
    /// The token that is live now.
    pub leaf: Leaf,
    pub how: How,
}

/// How the new token came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Rotated,
    Replayed,
    /// The token was newer than its session's row, because a committed rotation had been lost.
    Recovered,
}

/// How often a rotation is decided again after another request changed the row first. Each such loss means that another
/// request advanced the session, so the presented token is no longer the live one. Two rounds always suffice.
const ROUNDS: usize = 4;

impl Store {
    /// Processes a verified refresh token.
    ///
    /// # Errors
    /// If the database is unavailable: then no consumption or revocation is confirmed to the caller.
    pub async fn refresh(
        &self,
        presented: Presented,
        fresh: &Fresh,
        now: Timestamp,
        policy: &Policy,
        visitor: &Visitor,
        event: EventId,
    ) -> Result<Refreshed, StoreError> {
        let act = Act {
            now,
            visitor: visitor.clone(),
            event,
            actor: Actor::Account,
        };
        for _ in 0..ROUNDS {
            let mut tx = self.begin().await?;
            let mut session = self.load_with_pending(&tx, presented.session).await?;
            let mut history = history_of(&tx, session.as_ref(), presented).await?;
            if history.blacklisted.is_some() && is_behind(session.as_ref(), presented) {
                // On PostgreSQL each statement sees what was committed before it. Between the two reads another request
                // may have adopted the token, and then this request is a retry of it.
                session = self.load_with_pending(&tx, presented.session).await?;
                history = history_of(&tx, session.as_ref(), presented).await?;
            }
            let decision = {
                let situation = Situation {
                    session: session.as_ref().map(|(session, owner)| (session, *owner)),
                    blacklisted: history.blacklisted.is_some(),
                    successor_consumed_at: history.successor_consumed_at,
                };
                decide(&situation, presented, fresh, now, policy)
            };
            let refreshed = match (decision, session) {
                (Decision::Rotate(successor), Some((before, owner))) => {
                    if !compare_and_set(&tx, &before, &successor, now).await? {
                        tx.rollback().await?;
                        continue;
                    }
                    if blacklist::insert(&*tx, before.id, &before.leaf, blacklist::ROTATED, now).await? {
                        granted(before, owner, successor.leaf, How::Rotated)
                    } else {
                        // The live token is on the blacklist: the row was tampered with or restored from a backup. Undo
                        // the rotation and trust the blacklist.
                        tx.rollback().await?;
                        let mut tx = self.begin().await?;
                        if !end_after_reuse(&mut tx, &before, &act).await? {
                            tx.rollback().await?;
                            continue;
                        }
                        tx.commit(now).await?;
                        return Ok(Refreshed::Reuse);
                    }
                }
                (Decision::Replay(leaf), Some((session, owner))) => {
                    granted(session, owner, leaf, How::Replayed)
                }
                (Decision::Recover(successor), Some((before, owner))) => {
                    if !recover(&tx, &before, presented, &successor, &act).await? {
                        tx.rollback().await?;
                        continue;
                    }
                    granted(before, owner, successor.leaf, How::Recovered)
                }
                (Decision::Stale, Some(_)) => Refreshed::Stale,
                (Decision::Reuse, Some((before, _))) => {
                    if !end_after_reuse(&mut tx, &before, &act).await? {
                        // Another request revoked or rotated it first: decide again, on the current row.
                        tx.rollback().await?;
                        continue;
                    }
                    Refreshed::Reuse
                }
                // Revoked by the epoch alone: the row is not marked yet, and the account's revocation has the reason.
                (Decision::Ended(Ending::EpochBehind), Some((session, _))) => {
                    let reason =
                        ended_accounts::reason_of(&*tx, session.user_id, session.token_epoch).await?;
                    Refreshed::Ended(reason.map_or(Ending::EpochBehind, Ending::Revoked))
                }
                (Decision::Ended(ending), Some(_)) => Refreshed::Ended(ending),
                // Without a session there is only one decision.
                (_, None) => Refreshed::Ended(history.ending_without_session()),
            };
            tx.commit(now).await?;
            return Ok(refreshed);
        }
        Err(StoreError::Contended(ROUNDS))
    }

    /// Loads a session with its owner. Confirmations that are not written yet count, and another node may have seen the
    /// first use earlier.
    async fn load_with_pending(
        &self,
        tx: &Transaction,
        id: SessionId,
    ) -> Result<Option<(Session, Owner)>, StoreError> {
        let mut loaded = sessions::load(tx, id).await?;
        if let Some((session, _)) = &mut loaded {
            let pending = self
                .confirmations()
                .first_use(session.id, session.leaf.generation);
            session.confirmed_at = session.confirmed_at.into_iter().chain(pending).min();
        }
        Ok(loaded)
    }
}

/// Whether the row is older than the presented token.
fn is_behind(session: Option<&(Session, Owner)>, presented: Presented) -> bool {
    session.is_some_and(|(session, _)| session.leaf.generation < presented.generation)
}

fn granted(session: Session, owner: Owner, leaf: Leaf, how: How) -> Refreshed {
    Refreshed::Granted(Box::new(Granted {
        session,
        role: owner.role,
        leaf,
        how,
    }))
}

/// The blacklist's information about a presented token.
#[derive(Debug, Default)]
struct History {
    blacklisted: Option<Blacklisted>,
    successor_consumed_at: Option<Timestamp>,
}

impl History {
    /// Deleting an account deletes its sessions. The blacklist keeps the token that was live at that time.
    fn ending_without_session(&self) -> Ending {
        match &self.blacklisted {
            Some(entry) if entry.reason == EndReason::Deleted.as_str() => Ending::Revoked(EndReason::Deleted),
            _ => Ending::Unknown,
        }
    }
}

/// Queries the blacklist only for tokens that are neither the live token nor its parent.
async fn history_of(
    tx: &Transaction,
    session: Option<&(Session, Owner)>,
    presented: Presented,
) -> Result<History, StoreError> {
    if let Some((session, _)) = session
        && (session.leaf.jti == presented.jti || session.previous_jti == Some(presented.jti))
    {
        return Ok(History::default());
    }
    let blacklisted = blacklist::find(tx, presented.jti).await?;
    let successor_consumed_at = match &blacklisted {
        Some(entry) if session.is_some() => {
            blacklist::successor_consumed_at(tx, presented.session, presented.generation, entry).await?
        }
        _ => None,
    };
    Ok(History {
        blacklisted,
        successor_consumed_at,
    })
}

/// Makes the successor the live token, if all assumptions of the decision still hold.
async fn compare_and_set(
    tx: &Transaction,
    before: &Session,
    successor: &Successor,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let update = advance(before, before.leaf.jti, successor, now)
        .filter(Column::RefreshExpiresAt.gt(now.millis()))
        .exec(tx)
        .await?;
    Ok(update.rows_affected == 1)
}

/// Adopts a token that is newer than the row: makes its successor the live token, blacklists the adopted token and the
/// row's outdated one, and writes the event. `false` if another request was faster.
async fn recover(
    tx: &Transaction,
    before: &Session,
    presented: Presented,
    successor: &Successor,
    act: &Act,
) -> Result<bool, StoreError> {
    // The idle expiry is not checked, because it belongs to the outdated token. See `decide`.
    let update = advance(before, presented.jti, successor, act.now)
        .filter(Column::AbsoluteExpiresAt.gt(act.now.millis()))
        .exec(tx)
        .await?;
    if update.rows_affected != 1 {
        return Ok(false);
    }
    let adopted = Leaf {
        jti: presented.jti,
        generation: presented.generation,
        expires_at: presented.expires_at,
        ..successor.leaf.clone()
    };
    if !blacklist::insert(tx, before.id, &adopted, blacklist::ROTATED, act.now).await? {
        return Ok(false);
    }
    // If only the row was restored, and not the blacklist, its token is listed already, which is fine.
    blacklist::insert(tx, before.id, &before.leaf, blacklist::LOST_WRITE, act.now).await?;
    events::insert(
        tx,
        EventKind::LostWriteRecovered,
        before.user_id,
        Some(before.id),
        act,
    )
    .await?;
    Ok(true)
}

/// Builds the update that makes the successor of `consumed` the live token, if the row is unchanged since it was read.
fn advance(before: &Session, consumed: Jti, successor: &Successor, now: Timestamp) -> UpdateMany<Entity> {
    let leaf = &successor.leaf;
    Entity::update_many()
        .col_expr(
            Column::Generation,
            Expr::value(columns::generation_column(leaf.generation)),
        )
        .col_expr(Column::PreviousJti, Expr::value(consumed.uuid()))
        .col_expr(Column::CurrentJti, Expr::value(leaf.jti.uuid()))
        .col_expr(Column::RotatedAt, Expr::value(successor.rotated_at.millis()))
        .col_expr(Column::Confirmed, Expr::value(false))
        .col_expr(Column::ConfirmedAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::RefreshKid, Expr::value(leaf.kid.as_str()))
        .col_expr(Column::RefreshIssuedAt, Expr::value(leaf.issued_at.millis()))
        .col_expr(Column::RefreshExpiresAt, Expr::value(leaf.expires_at.millis()))
        .col_expr(Column::LastUsedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(before.id.uuid()))
        .filter(Column::CurrentJti.eq(before.leaf.jti.uuid()))
        .filter(Column::Generation.eq(columns::generation_column(before.leaf.generation)))
        .filter(Column::RevokedAt.is_null())
        .filter(Expr::exists(owner_still_agrees(before)))
}

/// Subquery: the account is unchanged since the session was loaded.
fn owner_still_agrees(before: &Session) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(user::Entity)
        .and_where(Expr::col((user::Entity, user::Column::Id)).eq(before.user_id.uuid()))
        .and_where(
            Expr::col((user::Entity, user::Column::TokenEpoch)).eq(columns::epoch_column(before.token_epoch)),
        )
        .and_where(Expr::col((user::Entity, user::Column::DisabledAt)).is_null())
        .take()
}

/// Revokes the session after refresh token reuse, if it is unchanged since the decision. Writes one event, however many
/// requests present the token at the same time. `false` if another request revoked or rotated it.
async fn end_after_reuse(tx: &mut Writing<'_>, before: &Session, act: &Act) -> Result<bool, StoreError> {
    users::hold(&**tx, user::Column::Id.eq(before.user_id.uuid())).await?;
    // If the account was revoked in the meantime, the session has ended for that reason instead.
    let as_decided = Condition::all()
        .add(Column::Id.eq(before.id.uuid()))
        .add(Column::Generation.eq(columns::generation_column(before.leaf.generation)))
        .add(Expr::exists(owner_still_agrees(before)));
    let ended = session_end::end(tx, as_decided, EndReason::ReuseDetected, act.now).await?;
    for session in &ended {
        events::insert(
            &**tx,
            EventKind::RefreshReused,
            session.user,
            Some(session.id),
            act,
        )
        .await?;
    }
    Ok(!ended.is_empty())
}
