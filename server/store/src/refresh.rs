//! Carries out what `rotation::decide` decides about a presented refresh token: load, decide, compare and set,
//! commit, and only then answer.

use rotation::{
    Decision, EndReason, Ending, Fresh, Leaf, Owner, Policy, Presented, Role, Session, Situation, Successor,
    Timestamp, decide,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};

use crate::{
    Act, Actor, EventId, Store, StoreError, Visitor, blacklist,
    database::Transaction,
    ended_accounts,
    entity::{
        session::{Column, Entity},
        user,
    },
    events::{self, EventKind},
    sessions, users,
    writing::Writing,
};

/// What became of a presented refresh token. When this is answered, its trace is committed.
#[derive(Debug)]
pub enum Refreshed {
    Granted(Box<Granted>),
    Stale,
    Reuse,
    Ended(Ending),
}

/// The token was the live leaf, or its parent in time.
#[derive(Debug)]
pub struct Granted {
    pub session: Session,
    pub role: Role,
    /// The leaf that is live now.
    pub leaf: Leaf,
}

/// How often a rotation is decided anew after another request won the row in between. Each loss means that somebody
/// else advanced, after which the presented token is no longer the live leaf: two rounds always suffice.
const ROUNDS: usize = 4;

impl Store {
    /// Presents a verified refresh token.
    ///
    /// # Errors
    /// If the database is unavailable: then nothing was consumed or revoked that the caller could know of.
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
            let mut session = sessions::load(&*tx, presented.session).await?;
            if let Some((session, _)) = &mut session {
                // What was seen in use counts although it may not be written yet.
                session.confirmed |= self.uses().has_seen(session.id, session.leaf.generation);
            }
            let decision = {
                let situation = Situation {
                    blacklisted_at: blacklisted_at(&tx, session.as_ref(), presented).await?,
                    session: session.as_ref().map(|(session, owner)| (session, *owner)),
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
                        granted(before, owner, successor.leaf)
                    } else {
                        // The live leaf is on the blacklist: the row was tampered with or restored from a backup.
                        // Undo the rotation and treat the token as what the blacklist says it is.
                        tx.rollback().await?;
                        let mut tx = self.begin().await?;
                        end_after_reuse(&mut tx, &before, &act).await?;
                        tx.commit(now).await?;
                        return Ok(Refreshed::Reuse);
                    }
                }
                (Decision::Replay(leaf), Some((session, owner))) => granted(session, owner, leaf),
                (Decision::Stale, Some(_)) => Refreshed::Stale,
                (Decision::Reuse, Some((before, _))) => {
                    if !end_after_reuse(&mut tx, &before, &act).await? {
                        // Somebody else ended it in between, and why it is over is theirs to say.
                        tx.rollback().await?;
                        continue;
                    }
                    Refreshed::Reuse
                }
                // By the epoch alone: its row is not marked yet, and the account's end says why.
                (Decision::Ended(Ending::EpochBehind), Some((session, _))) => {
                    let reason =
                        ended_accounts::reason_of(&*tx, session.user_id, session.token_epoch).await?;
                    Refreshed::Ended(reason.map_or(Ending::EpochBehind, Ending::Revoked))
                }
                (Decision::Ended(ending), _) => Refreshed::Ended(ending),
                // Without a session there is only one decision.
                (_, None) => Refreshed::Ended(Ending::Unknown),
            };
            tx.commit(now).await?;
            return Ok(refreshed);
        }
        Err(StoreError::Contended(ROUNDS))
    }
}

fn granted(session: Session, owner: Owner, leaf: Leaf) -> Refreshed {
    Refreshed::Granted(Box::new(Granted {
        session,
        role: owner.role,
        leaf,
    }))
}

/// The blacklist is asked only about tokens that are neither the live leaf nor its parent.
async fn blacklisted_at(
    tx: &Transaction,
    session: Option<&(Session, Owner)>,
    presented: Presented,
) -> Result<Option<Timestamp>, StoreError> {
    match session {
        Some((session, _))
            if session.leaf.jti != presented.jti && session.previous_jti != Some(presented.jti) =>
        {
            blacklist::since(tx, presented.jti).await
        }
        _ => Ok(None),
    }
}

/// Makes the successor the live leaf, if everything that the decision rested on still holds.
async fn compare_and_set(
    tx: &Transaction,
    before: &Session,
    successor: &Successor,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let leaf = &successor.leaf;
    let owner_still_agrees = Query::select()
        .expr(Expr::val(1))
        .from(user::Entity)
        .and_where(Expr::col((user::Entity, user::Column::Id)).eq(before.user_id.uuid()))
        .and_where(
            Expr::col((user::Entity, user::Column::TokenEpoch)).eq(users::epoch_column(before.token_epoch)),
        )
        .and_where(Expr::col((user::Entity, user::Column::DisabledAt)).is_null())
        .take();
    let update = Entity::update_many()
        .col_expr(Column::Generation, Expr::value(sessions::to_i32(leaf.generation)))
        .col_expr(Column::PreviousJti, Expr::value(before.leaf.jti.uuid()))
        .col_expr(Column::CurrentJti, Expr::value(leaf.jti.uuid()))
        .col_expr(Column::RotatedAt, Expr::value(successor.rotated_at.millis()))
        .col_expr(Column::Confirmed, Expr::value(false))
        .col_expr(Column::RefreshKid, Expr::value(leaf.kid.as_str()))
        .col_expr(Column::RefreshIssuedAt, Expr::value(leaf.issued_at.millis()))
        .col_expr(Column::RefreshExpiresAt, Expr::value(leaf.expires_at.millis()))
        .col_expr(Column::LastUsedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(before.id.uuid()))
        .filter(Column::CurrentJti.eq(before.leaf.jti.uuid()))
        .filter(Column::Generation.eq(sessions::to_i32(before.leaf.generation)))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::RefreshExpiresAt.gt(now.millis()))
        .filter(Expr::exists(owner_still_agrees))
        .exec(tx)
        .await?;
    Ok(update.rows_affected == 1)
}

/// Ends the session of a token that was used twice, and writes it down once however many present it at a time: `false`
/// if it was over.
async fn end_after_reuse(tx: &mut Writing<'_>, before: &Session, act: &Act) -> Result<bool, StoreError> {
    let one = Column::Id.eq(before.id.uuid());
    let ended = sessions::end(tx, one, EndReason::ReuseDetected, act.now).await?;
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
