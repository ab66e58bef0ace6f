//! Sessions: opening, reading and ending them. How they rotate is in [`refresh`](crate::refresh).

use rotation::{
    EndReason, Ended, Generation, Jti, KeyId, Leaf, Owner, Session, SessionId, Timestamp, UserId,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};

use crate::{
    EventId, Store, StoreError, Visitor, blacklist,
    entity::{
        session::{self, Column, Entity},
        user,
    },
    events::{self, Event, EventKind},
    users::{self, NewUser, PasswordHash, User},
};

/// A session that is to be.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub leaf: Leaf,
    pub absolute_expires_at: Timestamp,
    pub remember: bool,
    pub now: Timestamp,
    pub visitor: Visitor,
    pub event: EventId,
    /// The session that this browser's cookie named: it ends as this one begins (OWASP ASVS 7.2.4).
    pub replaces: Option<SessionId>,
}

/// Who logs in, as the account was when the password was checked.
#[derive(Debug, Clone)]
pub struct Authenticated<'a> {
    pub user: UserId,
    pub token_epoch: u32,
    pub password_hash: &'a PasswordHash,
}

/// What became of a login whose password was right.
#[derive(Debug)]
pub enum Login {
    Done(Session),
    /// Since the password was checked it was changed, or the account was disabled or deleted: the login must not
    /// survive that.
    AccountChanged,
}

impl Store {
    /// Creates an account and its first session, both or neither; `None` if the address is taken.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn register(
        &self,
        user: &NewUser,
        new: &NewSession,
    ) -> Result<Option<(User, Session)>, StoreError> {
        let tx = self.begin().await?;
        if !users::insert(&tx, user).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let user = User::from(user);
        let session = open(&tx, user.id, user.token_epoch, new, EventKind::Registered).await?;
        tx.commit().await?;
        Ok(Some((user, session)))
    }

    /// Opens a session for a user whose password was right.
    ///
    /// Takes a share lock on the user's row and looks again: a login that races a password change either sees the
    /// new state and fails, or is seen by the change and ended with the others. (SQLite has one writer, so there
    /// the transaction itself is the lock.)
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn log_in(&self, who: &Authenticated<'_>, new: &NewSession) -> Result<Login, StoreError> {
        let tx = self.begin().await?;
        let query = user::Entity::find_by_id(who.user.uuid());
        let query = if self.is_sqlite() {
            query
        } else {
            query.lock_shared()
        };
        let unchanged = match query.one(&tx).await? {
            Some(row) => {
                let owner = users::owner_of(&row)?;
                !owner.disabled
                    && owner.token_epoch == who.token_epoch
                    && row.password_hash == who.password_hash.as_str()
            }
            None => false,
        };
        if !unchanged {
            tx.rollback().await?;
            return Ok(Login::AccountChanged);
        }
        let session = open(&tx, who.user, who.token_epoch, new, EventKind::SignedIn).await?;
        tx.commit().await?;
        Ok(Login::Done(session))
    }

    /// Ends a session; `false` if it was over already or never was. Either way it is over when this returns.
    ///
    /// # Errors
    /// If the database is unavailable; then the session may live on, and the caller must say so.
    pub async fn log_out(
        &self,
        id: SessionId,
        now: Timestamp,
        visitor: &Visitor,
        event: EventId,
    ) -> Result<bool, StoreError> {
        let tx = self.begin().await?;
        let ended = end(&tx, id, EndReason::Logout, now).await?;
        if let Some(session) = &ended {
            let event = Event {
                id: event,
                user: session.user_id,
                session: id,
                kind: EventKind::SignedOut,
                at: now,
                visitor,
            };
            events::insert(&tx, event).await?;
        }
        tx.commit().await?;
        Ok(ended.is_some())
    }

    /// # Errors
    /// If the database is unavailable or the row makes no sense.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(load(self.reader(), id).await?.map(|(session, _)| session))
    }

    /// The generations of a session that are on the blacklist, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn blacklisted_generations(&self, id: SessionId) -> Result<Vec<Generation>, StoreError> {
        blacklist::generations_of(self.reader(), id).await
    }
}

async fn open(
    db: &impl ConnectionTrait,
    user: UserId,
    token_epoch: u32,
    new: &NewSession,
    kind: EventKind,
) -> Result<Session, StoreError> {
    if let Some(replaced) = new.replaces {
        end(db, replaced, EndReason::Replaced, new.now).await?;
    }
    let row = session::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(user.uuid()),
        token_epoch: Set(i32::try_from(token_epoch).unwrap_or(i32::MAX)),
        generation: Set(to_i32(new.leaf.generation)),
        current_jti: Set(new.leaf.jti.uuid()),
        previous_jti: Set(None),
        rotated_at: Set(new.now.millis()),
        confirmed: Set(false),
        refresh_kid: Set(new.leaf.kid.as_str().to_owned()),
        refresh_issued_at: Set(new.leaf.issued_at.millis()),
        refresh_expires_at: Set(new.leaf.expires_at.millis()),
        absolute_expires_at: Set(new.absolute_expires_at.millis()),
        remember: Set(new.remember),
        created_at: Set(new.now.millis()),
        last_used_at: Set(new.now.millis()),
        revoked_at: Set(None),
        revoke_reason: Set(None),
        user_agent: Set(new.visitor.user_agent.clone()),
        ip: Set(new.visitor.ip.clone()),
    };
    // An insert, never an upsert: a colliding id must fail and not take over somebody's session.
    Entity::insert(row).exec_without_returning(db).await?;
    let event = Event {
        id: new.event,
        user,
        session: new.id,
        kind,
        at: new.now,
        visitor: &new.visitor,
    };
    events::insert(db, event).await?;
    Ok(Session {
        id: new.id,
        user_id: user,
        token_epoch,
        leaf: new.leaf.clone(),
        previous_jti: None,
        rotated_at: new.now,
        confirmed: false,
        absolute_expires_at: new.absolute_expires_at,
        created_at: new.now,
        last_used_at: new.now,
        remember: new.remember,
        ended: None,
    })
}

/// Ends a session that is not over yet and blacklists its live token. Answers the session if this call ended it.
pub(crate) async fn end(
    db: &impl ConnectionTrait,
    id: SessionId,
    reason: EndReason,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.millis()))
        .col_expr(Column::RevokeReason, Expr::value(reason.as_str()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    if update.rows_affected == 0 {
        return Ok(None);
    }
    // Read after the update, under its row lock: a rotation that came before has left its heir as the live leaf.
    let Some((session, _)) = load(db, id).await? else {
        return Err(StoreError::inconsistent("sessions", "id", id));
    };
    blacklist::insert(db, id, &session.leaf, reason.as_str(), now).await?;
    Ok(Some(session))
}

/// A session and the state of its owner, in one query.
pub(crate) async fn load(
    db: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<(Session, Owner)>, StoreError> {
    match Entity::find_by_id(id.uuid())
        .find_also_related(user::Entity)
        .one(db)
        .await?
    {
        None => Ok(None),
        Some((row, Some(owner))) => Ok(Some((Session::from_row(row)?, users::owner_of(&owner)?))),
        Some((row, None)) => Err(StoreError::inconsistent("sessions", "user_id", row.id)),
    }
}

pub(crate) fn to_i32(generation: Generation) -> i32 {
    i32::try_from(generation.number()).unwrap_or(i32::MAX)
}

/// Reads a row into the domain; local because both the trait and the type are foreign here.
trait FromRow: Sized {
    fn from_row(row: session::Model) -> Result<Self, StoreError>;
}

impl FromRow for Session {
    fn from_row(row: session::Model) -> Result<Self, StoreError> {
        let broken = |column| StoreError::inconsistent("sessions", column, row.id);
        let ended = match (row.revoked_at, row.revoke_reason.as_deref()) {
            (None, None) => None,
            (Some(at), Some(reason)) => Some(Ended {
                at: Timestamp::from_millis(at),
                reason: EndReason::parse(reason).ok_or_else(|| broken("revoke_reason"))?,
            }),
            _ => return Err(broken("revoked_at")),
        };
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            token_epoch: u32::try_from(row.token_epoch).map_err(|_| broken("token_epoch"))?,
            leaf: Leaf {
                jti: Jti::from_uuid(row.current_jti),
                generation: Generation::new(u32::try_from(row.generation).map_err(|_| broken("generation"))?),
                issued_at: Timestamp::from_millis(row.refresh_issued_at),
                expires_at: Timestamp::from_millis(row.refresh_expires_at),
                kid: KeyId::new(row.refresh_kid),
            },
            previous_jti: row.previous_jti.map(Jti::from_uuid),
            rotated_at: Timestamp::from_millis(row.rotated_at),
            confirmed: row.confirmed,
            absolute_expires_at: Timestamp::from_millis(row.absolute_expires_at),
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: Timestamp::from_millis(row.last_used_at),
            remember: row.remember,
            ended,
        })
    }
}
