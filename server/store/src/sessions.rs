//! Sessions: opening, reading and revoking them. Rotation is in [`refresh`](crate::refresh).

mod limit;
mod list;
mod row;

use rotation::{Generation, LiveToken, RevocationReason, Session, SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, IntoCondition, LockType, Query},
};

use crate::{
    AuditContext, Store, StoreError,
    blacklist::{self, BlacklistedToken},
    columns::{self, generation_column},
    entity::{
        session::{self, Column, Entity},
        user,
    },
    events::{self, EventKind},
    revocation::{self, sessions::revoke},
    users::{self, NewUser, PasswordHash, User},
    write_transaction::WriteTransaction,
};

pub use limit::SessionLimit;
use limit::enforce_session_limit;
pub use list::{InvalidCursor, LiveSession, SessionCursor, SessionList};
use row::is_not_revoked;
pub(crate) use row::load;

/// The parameters of a session to open.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id.
    pub id: SessionId,
    /// The first refresh token.
    pub token: LiveToken,
    /// The end of the session, which no refresh extends.
    pub absolute_expires_at: Timestamp,
    /// “Keep me signed in”.
    pub remember: bool,
    /// The login.
    pub context: AuditContext,
    /// The session named by this browser's cookie: it is revoked when this one opens (OWASP ASVS 7.2.4).
    pub replaces: Option<SessionId>,
    /// The limit of live sessions.
    pub limit: SessionLimit,
}

/// The account that signs in, as it was when the password was checked.
#[derive(Debug, Clone)]
pub struct VerifiedCredentials<'a> {
    /// The account.
    pub user: UserId,
    /// Its epoch.
    pub token_epoch: u32,
    /// The hash that the password matched.
    pub password_hash: &'a PasswordHash,
}

/// The outcome of a login with the right password.
#[derive(Debug)]
pub enum LoginOutcome {
    /// The new session.
    Done(Session),
    /// Since the password check, the password was changed, or the account was disabled or deleted. The login must fail.
    AccountChanged,
}

impl Store {
    /// Creates an account and its first session atomically; `None` if the address is taken.
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
        if let Some(replaced) = new.replaces {
            revoke(
                &mut tx,
                Column::Id.eq(replaced.uuid()),
                RevocationReason::Replaced,
                new.context.now,
            )
            .await?;
        }
        let user = User::from(user);
        let session = open(&mut tx, user.id, user.token_epoch, new, EventKind::Registered).await?;
        tx.commit(new.context.now).await?;
        Ok(Some((user, session)))
    }

    /// Opens a session for a user whose password was right.
    ///
    /// Locks the user's row and checks it again. A login that races a password change either sees the new state and
    /// fails, or has the old epoch and is revoked with the other sessions. The lock also serialises logins to one
    /// account, so that they can count its sessions. (SQLite has one writer, so there the transaction itself is the
    /// lock.)
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn log_in(
        &self,
        who: &VerifiedCredentials<'_>,
        new: &NewSession,
    ) -> Result<LoginOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let query = user::Entity::find_by_id(who.user.uuid());
        let query = if self.is_sqlite() {
            query
        } else {
            // Weaker than `FOR UPDATE`, because foreign keys of inserted rows lock the row as well.
            query.lock(LockType::NoKeyUpdate)
        };
        let owner = match query.one(&*tx).await? {
            Some(row) if row.password_hash == who.password_hash.as_str() => {
                Some(users::account_state_of(&row))
            }
            _ => None,
        };
        let epoch = match owner {
            Some(owner) if !owner.disabled => {
                let (before, now) = (who.token_epoch, owner.token_epoch);
                revocation::accounts::only_sessions_revoked_since(&*tx, who.user, before, now)
                    .await?
                    .then_some(now)
            }
            _ => None,
        };
        let Some(epoch) = epoch else {
            tx.rollback().await?;
            return Ok(LoginOutcome::AccountChanged);
        };
        if let Some(replaced) = new.replaces {
            revoke(
                &mut tx,
                Column::Id.eq(replaced.uuid()),
                RevocationReason::Replaced,
                new.context.now,
            )
            .await?;
        }
        let (epoch, left_over) =
            enforce_session_limit(&mut tx, who.user, epoch, new.limit, &new.context).await?;
        let session = open(&mut tx, who.user, epoch, new, EventKind::SignedIn).await?;
        tx.commit(new.context.now).await?;
        if left_over {
            self.finish_first_batch(who.user).await;
        }
        Ok(LoginOutcome::Done(session))
    }

    /// Signs a session out; `false` if it had already ended or never existed. In either case the session is not live
    /// when this returns.
    ///
    /// # Errors
    /// If the database is unavailable; then the session may still be live, and the caller must report that.
    pub async fn log_out(&self, id: SessionId, context: &AuditContext) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid());
        self.revoke_one(one, RevocationReason::Logout, EventKind::SignedOut, context)
            .await
    }

    /// Revokes one of a user's sessions; `false` if that user has no such live session.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_session(
        &self,
        user: UserId,
        id: SessionId,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid()).and(Column::UserId.eq(user.uuid()));
        self.revoke_one(
            one,
            RevocationReason::RevokedByUser,
            EventKind::SessionRevoked,
            context,
        )
        .await
    }

    /// Revokes a session of any account, for an operator; `false` if there is no such live session.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_any_session(
        &self,
        id: SessionId,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let one = Column::Id.eq(id.uuid());
        self.revoke_one(
            one,
            RevocationReason::RevokedByOperator,
            EventKind::SessionRevoked,
            context,
        )
        .await
    }

    async fn revoke_one(
        &self,
        one: impl IntoCondition,
        reason: RevocationReason,
        kind: EventKind,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        // A session revoked through its account's epoch has ended, even if its row is not marked yet.
        let with_present_epoch = Query::select()
            .expr(Expr::val(1))
            .from(user::Entity)
            .and_where(Expr::col((user::Entity, user::Column::Id)).equals((Entity, Column::UserId)))
            .and_where(
                Expr::col((user::Entity, user::Column::TokenEpoch)).equals((Entity, Column::TokenEpoch)),
            )
            .take();
        let one = one.into_condition();
        let owner = Query::select()
            .column(Column::UserId)
            .from(Entity)
            .cond_where(one.clone())
            .take();
        let one = one.add(Expr::exists(with_present_epoch));
        let mut tx = self.begin().await?;
        users::lock_row(&*tx, user::Column::Id.in_subquery(owner)).await?;
        let revoked = revoke(&mut tx, one, reason, context.now).await?;
        for session in &revoked {
            events::insert(&*tx, kind, session.user, Some(session.id), context).await?;
        }
        tx.commit(context.now).await?;
        Ok(!revoked.is_empty())
    }

    /// Revokes all of a user's sessions except one; `false` if there were no others.
    ///
    /// The account gets a new epoch, and the kept session gets it too. The first commit revokes all others, however
    /// many there are.
    ///
    /// # Errors
    /// As [`log_out`](Self::log_out).
    pub async fn revoke_other_sessions(
        &self,
        user: UserId,
        keep: SessionId,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        users::lock_row(&*tx, user::Column::Id.eq(user.uuid())).await?;
        let another = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(is_not_revoked(user))
            .filter(Column::Id.ne(keep.uuid()))
            .limit(1)
            .into_query();
        let has_others = tx.query_one(&another).await?.is_some();
        let epoch = if has_others {
            let nothing_else = user::Entity::update_many();
            revocation::accounts::revoke(
                &mut tx,
                user,
                nothing_else,
                &[keep],
                RevocationReason::RevokedByUser,
                context.now,
            )
            .await?
        } else {
            None
        };
        if epoch.is_none() {
            tx.rollback().await?;
            return Ok(false);
        }
        events::insert(&*tx, EventKind::SessionRevoked, user, None, context).await?;
        tx.commit(context.now).await?;
        self.finish_first_batch(user).await;
        Ok(true)
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
    /// If the database is unavailable or the row is invalid.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(load(self.reader(), id).await?.map(|(session, _)| session))
    }

    /// The blacklisted generations of a session, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn blacklisted_generations(&self, id: SessionId) -> Result<Vec<Generation>, StoreError> {
        let tokens = self.blacklisted_tokens(id).await?;
        Ok(tokens.into_iter().map(|token| token.generation).collect())
    }

    /// The blacklisted refresh tokens of a session, oldest first.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn blacklisted_tokens(&self, id: SessionId) -> Result<Vec<BlacklistedToken>, StoreError> {
        blacklist::of_session(self.reader(), id).await
    }
}

pub(crate) async fn open(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    token_epoch: u32,
    new: &NewSession,
    kind: EventKind,
) -> Result<Session, StoreError> {
    let now = new.context.now;
    let row = session::ActiveModel {
        id: Set(new.id.uuid()),
        user_id: Set(user.uuid()),
        token_epoch: Set(columns::epoch_column(token_epoch)),
        generation: Set(generation_column(new.token.generation)),
        current_jti: Set(new.token.jti.uuid()),
        previous_jti: Set(None),
        rotated_at: Set(now.millis()),
        confirmed: Set(false),
        confirmed_at: Set(None),
        refresh_kid: Set(new.token.kid.as_str().to_owned()),
        refresh_issued_at: Set(new.token.issued_at.millis()),
        refresh_expires_at: Set(new.token.expires_at.millis()),
        absolute_expires_at: Set(new.absolute_expires_at.millis()),
        remember: Set(new.remember),
        created_at: Set(now.millis()),
        last_used_at: Set(now.millis()),
        revoked_at: Set(None),
        revoke_reason: Set(None),
        user_agent: Set(new.context.client.user_agent.clone()),
        ip: Set(new.context.client.ip.clone()),
    };
    // An insert, never an upsert: a colliding id must fail instead of overwriting another user's session.
    Entity::insert(row).exec_without_returning(&**tx).await?;
    events::insert(&**tx, kind, user, Some(new.id), &new.context).await?;
    Ok(Session {
        id: new.id,
        user_id: user,
        token_epoch,
        live_token: new.token.clone(),
        previous_jti: None,
        rotated_at: now,
        confirmed_at: None,
        absolute_expires_at: new.absolute_expires_at,
        created_at: now,
        last_used_at: now,
        remember: new.remember,
        revocation: None,
    })
}
