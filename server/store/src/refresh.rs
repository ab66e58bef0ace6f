//! Executes what `rotation::decide` decides about a presented refresh token: load, decide, compare and set, commit, and
//! only then respond.

use rotation::{
    AccountState, Decision, Jti, LiveToken, Policy, Presented, RevocationReason, Role, Session, SessionEnd,
    SessionId, SessionSnapshot, Successor, SuccessorParams, Timestamp, decide,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use crate::{
    AuditContext, Store, StoreError,
    blacklist::{self, Blacklisted},
    columns,
    database::Transaction,
    entity::{
        session::{Column, Entity},
        user,
    },
    events::{self, EventKind},
    revocation, sessions, users,
    write_transaction::WriteTransaction,
};

/// The outcome of a presented refresh token. Its effects are committed before this is returned.
#[derive(Debug)]
pub enum RefreshOutcome {
    /// It was the live token: consumed, and its successor is live.
    Rotated(Box<RefreshGrant>),
    /// A retry with the parent ([`Decision::Replay`]): the same successor again, and nothing was written.
    Replayed(Box<RefreshGrant>),
    /// It was newer than its session's row, because a committed rotation had been lost: consumed, and its successor is
    /// live.
    Recovered(Box<RefreshGrant>),
    /// Its successor was used or consumed only seconds ago ([`Decision::Stale`]): no token, and nothing was written.
    Stale,
    /// It was consumed, and no rule for retries applied ([`Decision::Reuse`]): the session is revoked.
    Reuse,
    /// The session had ended before.
    Ended(SessionEnd),
}

/// A successful refresh: the session as it was loaded, and the refresh token to respond with.
#[derive(Debug)]
pub struct RefreshGrant {
    /// The session as it was loaded, before a rotation.
    pub session: Session,
    /// The account's role now.
    pub role: Role,
    /// The refresh token that is live now.
    pub token: LiveToken,
}

/// How often a refresh is decided at most. It is decided again after another request changed the row first. Then the
/// presented token is usually no longer the live one, and the second round succeeds. The others are a reserve.
const ROUNDS: usize = 4;

impl Store {
    /// Processes a verified refresh token.
    ///
    /// # Errors
    /// If the database is unavailable: then no consumption or revocation is confirmed to the caller.
    pub async fn refresh(
        &self,
        presented: Presented,
        params: &SuccessorParams,
        policy: &Policy,
        context: &AuditContext,
    ) -> Result<RefreshOutcome, StoreError> {
        let now = context.now;
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
                let snapshot = SessionSnapshot {
                    session: session.as_ref().map(|(session, account)| (session, *account)),
                    blacklisted: history.blacklisted.is_some(),
                    successor_consumed_at: history.successor_consumed_at,
                };
                decide(&snapshot, presented, params, now, policy)
            };
            let outcome = match (decision, session) {
                (Decision::Rotate(successor), Some((before, account))) => {
                    if !compare_and_set(&tx, &before, &successor, now).await? {
                        tx.rollback().await?;
                        continue;
                    }
                    if blacklist::insert(&*tx, before.id, &before.live_token, blacklist::ROTATED, now).await?
                    {
                        RefreshOutcome::Rotated(grant(before, account, successor.token))
                    } else {
                        // The live token is on the blacklist: the row was tampered with or restored from a backup. Undo
                        // the rotation and trust the blacklist.
                        tx.rollback().await?;
                        let mut tx = self.begin().await?;
                        if !revoke_after_reuse(&mut tx, &before, context).await? {
                            tx.rollback().await?;
                            continue;
                        }
                        tx.commit(now).await?;
                        return Ok(RefreshOutcome::Reuse);
                    }
                }
                (Decision::Replay(token), Some((session, account))) => {
                    RefreshOutcome::Replayed(grant(session, account, token))
                }
                (Decision::Recover(successor), Some((before, account))) => {
                    if !recover(&tx, &before, presented, &successor, context).await? {
                        tx.rollback().await?;
                        continue;
                    }
                    RefreshOutcome::Recovered(grant(before, account, successor.token))
                }
                (Decision::Stale, Some(_)) => RefreshOutcome::Stale,
                (Decision::Reuse, Some((before, _))) => {
                    if !revoke_after_reuse(&mut tx, &before, context).await? {
                        // Another request revoked or rotated it first: decide again, on the current row.
                        tx.rollback().await?;
                        continue;
                    }
                    RefreshOutcome::Reuse
                }
                // Revoked by the epoch alone: the row is not marked yet, and the account's revocation has the reason.
                (Decision::Ended(SessionEnd::EpochBehind), Some((session, _))) => {
                    let reason =
                        revocation::accounts::reason_of(&*tx, session.user_id, session.token_epoch).await?;
                    RefreshOutcome::Ended(reason.map_or(SessionEnd::EpochBehind, SessionEnd::Revoked))
                }
                (Decision::Ended(end), Some(_)) => RefreshOutcome::Ended(end),
                // Without a session there is only one decision.
                (_, None) => RefreshOutcome::Ended(history.end_without_session()),
            };
            tx.commit(now).await?;
            return Ok(outcome);
        }
        Err(StoreError::Contended(ROUNDS))
    }

    /// Loads a session with its owner. Confirmations that are not written yet count, and another node may have seen the
    /// first use earlier.
    async fn load_with_pending(
        &self,
        tx: &Transaction,
        id: SessionId,
    ) -> Result<Option<(Session, AccountState)>, StoreError> {
        let mut loaded = sessions::load(tx, id).await?;
        if let Some((session, _)) = &mut loaded {
            let pending = self
                .confirmations()
                .first_use(session.id, session.live_token.generation);
            session.confirmed_at = session.confirmed_at.into_iter().chain(pending).min();
        }
        Ok(loaded)
    }
}

/// Whether the row is older than the presented token.
fn is_behind(session: Option<&(Session, AccountState)>, presented: Presented) -> bool {
    session.is_some_and(|(session, _)| session.live_token.generation < presented.generation)
}

fn grant(session: Session, account: AccountState, token: LiveToken) -> Box<RefreshGrant> {
    Box::new(RefreshGrant {
        session,
        role: account.role,
        token,
    })
}

/// The blacklist's information about a presented token.
#[derive(Debug, Default)]
struct BlacklistHistory {
    blacklisted: Option<Blacklisted>,
    successor_consumed_at: Option<Timestamp>,
}

impl BlacklistHistory {
    /// Deleting an account deletes its sessions. The blacklist keeps the token that was live at that time.
    fn end_without_session(&self) -> SessionEnd {
        match &self.blacklisted {
            Some(entry) if entry.reason == RevocationReason::Deleted.as_str() => {
                SessionEnd::Revoked(RevocationReason::Deleted)
            }
            _ => SessionEnd::Unknown,
        }
    }
}

/// Queries the blacklist only for tokens that are neither the live token nor its parent.
async fn history_of(
    tx: &Transaction,
    session: Option<&(Session, AccountState)>,
    presented: Presented,
) -> Result<BlacklistHistory, StoreError> {
    if let Some((session, _)) = session
        && (session.live_token.jti == presented.jti || session.previous_jti == Some(presented.jti))
    {
        return Ok(BlacklistHistory::default());
    }
    let blacklisted = blacklist::find(tx, presented.jti).await?;
    let successor_consumed_at = match &blacklisted {
        Some(entry) if session.is_some() => {
            blacklist::successor_consumed_at(tx, presented.session, presented.generation, entry).await?
        }
        _ => None,
    };
    Ok(BlacklistHistory {
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
    let update = advance(before, before.live_token.jti, successor, now)
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
    context: &AuditContext,
) -> Result<bool, StoreError> {
    // The idle expiry is not checked, because it belongs to the outdated token. See `decide`.
    let update = advance(before, presented.jti, successor, context.now)
        .filter(Column::AbsoluteExpiresAt.gt(context.now.millis()))
        .exec(tx)
        .await?;
    if update.rows_affected != 1 {
        return Ok(false);
    }
    let adopted = LiveToken {
        jti: presented.jti,
        generation: presented.generation,
        expires_at: presented.expires_at,
        ..successor.token.clone()
    };
    if !blacklist::insert(tx, before.id, &adopted, blacklist::ROTATED, context.now).await? {
        return Ok(false);
    }
    // If only the row was restored, and not the blacklist, its token is listed already, which is fine.
    blacklist::insert(
        tx,
        before.id,
        &before.live_token,
        blacklist::LOST_WRITE,
        context.now,
    )
    .await?;
    events::insert(
        tx,
        EventKind::LostWriteRecovered,
        before.user_id,
        Some(before.id),
        context,
    )
    .await?;
    Ok(true)
}

/// Builds the update that makes the successor of `consumed` the live token, if the row is unchanged since it was read.
fn advance(before: &Session, consumed: Jti, successor: &Successor, now: Timestamp) -> UpdateMany<Entity> {
    let token = &successor.token;
    Entity::update_many()
        .col_expr(
            Column::Generation,
            Expr::value(columns::generation_column(token.generation)),
        )
        .col_expr(Column::PreviousJti, Expr::value(consumed.uuid()))
        .col_expr(Column::CurrentJti, Expr::value(token.jti.uuid()))
        .col_expr(Column::RotatedAt, Expr::value(successor.rotated_at.millis()))
        .col_expr(Column::Confirmed, Expr::value(false))
        .col_expr(Column::ConfirmedAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::RefreshKid, Expr::value(token.kid.as_str()))
        .col_expr(Column::RefreshIssuedAt, Expr::value(token.issued_at.millis()))
        .col_expr(Column::RefreshExpiresAt, Expr::value(token.expires_at.millis()))
        .col_expr(Column::LastUsedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(before.id.uuid()))
        .filter(Column::CurrentJti.eq(before.live_token.jti.uuid()))
        .filter(Column::Generation.eq(columns::generation_column(before.live_token.generation)))
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
async fn revoke_after_reuse(
    tx: &mut WriteTransaction<'_>,
    before: &Session,
    context: &AuditContext,
) -> Result<bool, StoreError> {
    users::lock_row(&**tx, user::Column::Id.eq(before.user_id.uuid())).await?;
    // If the account was revoked in the meantime, the session has ended for that reason instead.
    let as_decided = Condition::all()
        .add(Column::Id.eq(before.id.uuid()))
        .add(Column::Generation.eq(columns::generation_column(before.live_token.generation)))
        .add(Expr::exists(owner_still_agrees(before)));
    let revoked =
        revocation::sessions::revoke(tx, as_decided, RevocationReason::ReuseDetected, context.now).await?;
    for session in &revoked {
        events::insert(
            &**tx,
            EventKind::RefreshReused,
            session.user,
            Some(session.id),
            context,
        )
        .await?;
    }
    Ok(!revoked.is_empty())
}
