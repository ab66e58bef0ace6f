//! Sessions: opening, reading and ending them. How they rotate is in [`refresh`](crate::refresh).

use rotation::{
    EndReason, Ended, Generation, Jti, KeyId, Leaf, Owner, Session, SessionId, Timestamp, UserId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Set,
    sea_query::{ExprTrait, IntoCondition, LockType, Query},
};

use crate::{
    Act, Store, StoreError, Visitor,
    blacklist::{self, BlacklistedToken},
    entity::{
        session::{self, Column, Entity},
        user,
    },
    events::{self, EventKind},
    unreadable,
    users::{self, NewUser, PasswordHash, User},
    writing::Writing,
};

/// A session that is to be.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub leaf: Leaf,
    pub absolute_expires_at: Timestamp,
    pub remember: bool,
    pub act: Act,
    /// The session that this browser's cookie named: it ends as this one begins (OWASP ASVS 7.2.4).
    pub replaces: Option<SessionId>,
}

/// A session that is not over, as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    /// When it ends if it is not used any more.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub visitor: Visitor,
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
        let mut tx = self.begin().await?;
        if !users::insert(&*tx, user).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let user = User::from(user);
        let session = open(&mut tx, user.id, user.token_epoch, new, EventKind::Registered).await?;
        tx.commit(new.act.now).await?;
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
        let mut tx = self.begin().await?;
        let query = user::Entity::find_by_id(who.user.uuid());
        let query = if self.is_sqlite() {
            query
        } else {
            query.lock_shared()
        };
        let unchanged = match query.one(&*tx).await? {
            Some(row) => {
                let owner = users::owner_of(&row);
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
        let session = open(&mut tx, who.user, who.token_epoch, new, EventKind::SignedIn).await?;
        tx.commit(new.act.now).await?;
        Ok(Login::Done(session))
    }

    /// Signs a session out; `false` if it was over already or never was. Either way it is over when this returns.
    ///
    /// # Errors
    /// If the database is unavailable; then the session may live on, and the caller must say so.
    pub async fn log_out(&self, id: SessionId, act: &Act) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid());
        self.end_one(one, EndReason::Logout, EventKind::SignedOut, act)
            .await
    }

    /// Ends one of a user's sessions; `false` if that user has no such session that is not over.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_session(&self, user: UserId, id: SessionId, act: &Act) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid()).and(Column::UserId.eq(user.uuid()));
        self.end_one(one, EndReason::RevokedByUser, EventKind::SessionRevoked, act)
            .await
    }

    /// Ends anybody's session, as an operator may; `false` if there is none that is not over.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_any_session(&self, id: SessionId, act: &Act) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid());
        self.end_one(one, EndReason::RevokedByOperator, EventKind::SessionRevoked, act)
            .await
    }

    async fn end_one(
        &self,
        one: impl IntoCondition,
        reason: EndReason,
        kind: EventKind,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = end(&mut tx, one, reason, act.now).await?;
        for session in &ended {
            events::insert(&*tx, kind, session.user, Some(session.id), act).await?;
        }
        tx.commit(act.now).await?;
        Ok(!ended.is_empty())
    }

    /// Ends all of a user's sessions but one, and answers how many those were.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_other_sessions(
        &self,
        user: UserId,
        keep: SessionId,
        act: &Act,
    ) -> Result<usize, StoreError> {
        let mut tx = self.begin().await?;
        if !self.is_sqlite() {
            // Whoever ends several rows holds the owner's first, so that two such cannot wait for each other. A weaker
            // lock than `FOR UPDATE`, because foreign keys of inserted events want the row as well.
            user::Entity::find_by_id(user.uuid())
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?;
        }
        let others = Column::UserId.eq(user.uuid()).and(Column::Id.ne(keep.uuid()));
        let ended = end(&mut tx, others, EndReason::RevokedByUser, act.now).await?;
        if !ended.is_empty() {
            events::insert(&*tx, EventKind::SessionRevoked, user, None, act).await?;
        }
        tx.commit(act.now).await?;
        Ok(ended.len())
    }

    /// A user's sessions that are not over, the last used first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn live_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<LiveSession>, StoreError> {
        let query = Entity::find()
            .filter(Column::UserId.eq(user.uuid()))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::RefreshExpiresAt.gt(now.millis()))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .into_query();
        let rows = self.reader().query_all(&query).await?;
        Ok(unreadable::readable::<session::Model, _>("sessions", &rows))
    }

    /// Whether “keep me signed in” was chosen for a session; `None` if there is no such session.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn remembers(&self, id: SessionId) -> Result<Option<bool>, StoreError> {
        let query = Entity::find_by_id(id.uuid())
            .select_only()
            .column(Column::Remember)
            .into_query();
        let row = self.reader().query_one(&query).await?;
        Ok(row.map(|row| row.try_get("", "remember")).transpose()?)
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
        let tokens = self.blacklisted_tokens(id).await?;
        Ok(tokens.into_iter().map(|token| token.generation).collect())
    }

    /// The refresh tokens of a session that are on the blacklist, the oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn blacklisted_tokens(&self, id: SessionId) -> Result<Vec<BlacklistedToken>, StoreError> {
        blacklist::of_session(self.reader(), id).await
    }
}

pub(crate) async fn open(
    tx: &mut Writing<'_>,
    user: UserId,
    token_epoch: u32,
    new: &NewSession,
    kind: EventKind,
) -> Result<Session, StoreError> {
    let now = new.act.now;
    if let Some(replaced) = new.replaces {
        end(tx, Column::Id.eq(replaced.uuid()), EndReason::Replaced, now).await?;
    }
    let row = session::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(user.uuid()),
        token_epoch: Set(users::epoch_column(token_epoch)),
        generation: Set(to_i32(new.leaf.generation)),
        current_jti: Set(new.leaf.jti.uuid()),
        previous_jti: Set(None),
        rotated_at: Set(now.millis()),
        confirmed: Set(false),
        refresh_kid: Set(new.leaf.kid.as_str().to_owned()),
        refresh_issued_at: Set(new.leaf.issued_at.millis()),
        refresh_expires_at: Set(new.leaf.expires_at.millis()),
        absolute_expires_at: Set(new.absolute_expires_at.millis()),
        remember: Set(new.remember),
        created_at: Set(now.millis()),
        last_used_at: Set(now.millis()),
        revoked_at: Set(None),
        revoke_reason: Set(None),
        user_agent: Set(new.act.visitor.user_agent.clone()),
        ip: Set(new.act.visitor.ip.clone()),
    };
    // An insert, never an upsert: a colliding id must fail and not take over somebody's session.
    Entity::insert(row).exec_without_returning(&**tx).await?;
    events::insert(&**tx, kind, user, Some(new.id), &new.act).await?;
    Ok(Session {
        id: new.id,
        user_id: user,
        token_epoch,
        leaf: new.leaf.clone(),
        previous_jti: None,
        rotated_at: now,
        confirmed: false,
        absolute_expires_at: new.absolute_expires_at,
        created_at: now,
        last_used_at: now,
        remember: new.remember,
        ended: None,
    })
}

/// A session that was ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedSession {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
}

/// Ends those of the described sessions that are not over yet, and blacklists their live tokens. Answers the sessions
/// that this call ended.
///
/// Only ids are read. The rest goes from table to table inside the database, so that a row which this version cannot
/// read ends like any other.
pub(crate) async fn end(
    tx: &mut Writing<'_>,
    which: impl IntoCondition,
    reason: EndReason,
    now: Timestamp,
) -> Result<Vec<EndedSession>, StoreError> {
    let mark = Query::update()
        .table(Entity)
        .value(Column::RevokedAt, now.millis())
        .value(Column::RevokeReason, reason.as_str())
        .cond_where(
            Condition::all()
                .add(which.into_condition())
                .add(Column::RevokedAt.is_null()),
        )
        .returning(Query::returning().columns([Column::Id, Column::UserId]))
        .take();
    let mut ended = Vec::new();
    for row in tx.query_all(&mark).await? {
        ended.push(EndedSession {
            id: SessionId::from_uuid(row.try_get("", "id")?),
            user: UserId::from_uuid(row.try_get("", "user_id")?),
        });
    }
    for some in ended.chunks(blacklist::SESSIONS_PER_STATEMENT) {
        // The rows are locked by the update. A rotation that came before it has left its successor as the live token.
        blacklist::insert_live_tokens(&**tx, some.iter().map(|session| session.id), reason.as_str(), now)
            .await?;
    }
    for session in &ended {
        tx.ends(session.id);
    }
    Ok(ended)
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
        Some((row, Some(owner))) => Ok(Some((Session::from_row(row)?, users::owner_of(&owner)))),
        Some((row, None)) => Err(StoreError::inconsistent("sessions", "user_id", row.id)),
    }
}

pub(crate) fn to_i32(generation: Generation) -> i32 {
    i32::try_from(generation.number()).unwrap_or(i32::MAX)
}

impl TryFrom<session::Model> for LiveSession {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: Timestamp::from_millis(row.last_used_at),
            expires_at: Timestamp::from_millis(row.refresh_expires_at),
            visitor: Visitor {
                user_agent: row.user_agent,
                ip: row.ip,
            },
        })
    }
}

/// Reads a row into the domain; local because both the trait and the type are foreign here.
trait FromRow: Sized {
    fn from_row(row: session::Model) -> Result<Self, StoreError>;
}

impl FromRow for Session {
    fn from_row(row: session::Model) -> Result<Self, StoreError> {
        let broken = |column| StoreError::inconsistent("sessions", column, row.id);
        // Over is over, whatever the reason: one that this version does not know was given by a newer one.
        let ended = row.revoked_at.map(|at| Ended {
            at: Timestamp::from_millis(at),
            reason: row
                .revoke_reason
                .as_deref()
                .and_then(EndReason::parse)
                .unwrap_or_else(|| {
                    unreadable::report("sessions", "revoke_reason", row.id);
                    EndReason::Unknown
                }),
        });
        let generation = match u32::try_from(row.generation) {
            Ok(generation) => generation,
            // It rotates no more, so which one it was does not matter.
            Err(_) if ended.is_some() => 0,
            Err(_) => return Err(broken("generation")),
        };
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            token_epoch: users::epoch_of(row.token_epoch),
            leaf: Leaf {
                jti: Jti::from_uuid(row.current_jti),
                generation: Generation::new(generation),
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
