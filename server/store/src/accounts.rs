//! Operations that revoke everything issued to an account: signing out everywhere, changing the password or the role,
//! disabling and deleting.
//!
//! Each bumps the account's epoch, which revokes everything in one step; see [`accounts`](crate::revocation::accounts). The bump takes the
//! lock on the account's row, and so does a login. A login that came first has the old epoch and is revoked; a later
//! one sees the new epoch and fails.

use rotation::{RevocationReason, Role, UserId};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, ExprTrait, LikeExpr},
};

use crate::{
    AuditContext, Store, StoreError, columns,
    entity::user::{Column, Entity},
    events::{self, EventKind},
    revocation,
    sessions::{self, LoginOutcome, NewSession, VerifiedCredentials},
    users::{self, PasswordHash, User},
};

impl Store {
    /// Revokes all sessions of an account; `false` if there is no such account.
    ///
    /// # Errors
    /// If the database is unavailable; then possibly nothing was revoked, and the caller must report that.
    pub async fn log_out_everywhere(&self, user: UserId, context: &AuditContext) -> Result<bool, StoreError> {
        let nothing_else = Entity::update_many();
        self.revoke_everything(
            user,
            nothing_else,
            RevocationReason::LogoutAll,
            EventKind::SignedOutEverywhere,
            context,
        )
        .await
    }

    /// Like [`log_out_everywhere`](Self::log_out_everywhere), for an operator.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn revoke_all_sessions(
        &self,
        user: UserId,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let nothing_else = Entity::update_many();
        self.revoke_everything(
            user,
            nothing_else,
            RevocationReason::RevokedByOperator,
            EventKind::SessionRevoked,
            context,
        )
        .await
    }

    /// Sets a new password, revokes all sessions, and opens a new one for the person who changed it.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn change_password(
        &self,
        who: &VerifiedCredentials<'_>,
        hash: &PasswordHash,
        new: &NewSession,
    ) -> Result<LoginOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let change = unchanged_since(who).col_expr(Column::PasswordHash, Expr::value(hash.as_str()));
        let reason = RevocationReason::PasswordChanged;
        let Some(epoch) =
            revocation::accounts::revoke(&mut tx, who.user, change, &[], reason, new.context.now).await?
        else {
            tx.rollback().await?;
            return Ok(LoginOutcome::AccountChanged);
        };
        let session = sessions::open(&mut tx, who.user, epoch, new, EventKind::PasswordChanged).await?;
        tx.commit(new.context.now).await?;
        self.finish_first_batch(who.user).await;
        Ok(LoginOutcome::Done(session))
    }

    /// Sets a new password for an operator; `false` if there is no such account.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn set_password(
        &self,
        user: UserId,
        hash: &PasswordHash,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let change = Entity::update_many().col_expr(Column::PasswordHash, Expr::value(hash.as_str()));
        self.revoke_everything(
            user,
            change,
            RevocationReason::PasswordChanged,
            EventKind::PasswordChanged,
            context,
        )
        .await
    }

    /// Gives an account another role. Access tokens contain the role, so all tokens of the account are revoked. `false`
    /// if there is no such account, or it has that role already.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn set_role(
        &self,
        user: UserId,
        role: Role,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::Role, Expr::value(role.as_str()))
            .filter(Column::Role.ne(role.as_str()));
        self.revoke_everything(
            user,
            change,
            RevocationReason::RevokedByOperator,
            EventKind::RoleChanged,
            context,
        )
        .await
    }

    /// Disables an enabled account; `false` if there is none.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn disable_user(&self, user: UserId, context: &AuditContext) -> Result<bool, StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::DisabledAt, Expr::value(context.now.millis()))
            .filter(Column::DisabledAt.is_null());
        self.revoke_everything(
            user,
            change,
            RevocationReason::RevokedByOperator,
            EventKind::AccountDisabled,
            context,
        )
        .await
    }

    /// Enables a disabled account; `false` if there is none. Its old sessions stay revoked.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn enable_user(&self, user: UserId, context: &AuditContext) -> Result<bool, StoreError> {
        let tx = self.begin().await?;
        let change = Entity::update_many()
            .col_expr(Column::DisabledAt, Expr::value(Option::<i64>::None))
            .filter(Column::Id.eq(user.uuid()))
            .filter(Column::DisabledAt.is_not_null())
            .exec(&*tx)
            .await?;
        let enabled = change.rows_affected == 1;
        if enabled {
            events::insert(&*tx, EventKind::AccountEnabled, user, None, context).await?;
        }
        tx.commit(context.now).await?;
        Ok(enabled)
    }

    /// Deletes the account of a user whose password was right; `false` if the account has changed since the password
    /// check.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn delete_own_account(
        &self,
        who: &VerifiedCredentials<'_>,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        self.delete(who.user, unchanged_since(who), context).await
    }

    /// Deletes an account for an operator; `false` if there is none.
    ///
    /// # Errors
    /// As [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn delete_user(&self, user: UserId, context: &AuditContext) -> Result<bool, StoreError> {
        self.delete(user, Entity::update_many(), context).await
    }

    /// Accounts in order of creation whose address contains `search`: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn users(
        &self,
        search: Option<&str>,
        after: Option<UserId>,
        limit: u64,
    ) -> Result<Vec<User>, StoreError> {
        // No address contains such a character, and PostgreSQL rejects a text with NUL.
        if search.is_some_and(|search| search.chars().any(char::is_control)) {
            return Ok(Vec::new());
        }
        let mut query = Entity::find().filter(users::is_not_deleted());
        if let Some(search) = search {
            let literal = search
                .replace('\\', r"\\")
                .replace('%', r"\%")
                .replace('_', r"\_");
            let containing = LikeExpr::new(format!("%{literal}%")).escape('\\');
            query = query.filter(Expr::col(Column::EmailNormalised).like(containing));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.uuid()));
        }
        let rows = query
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    async fn revoke_everything(
        &self,
        user: UserId,
        change: UpdateMany<Entity>,
        reason: RevocationReason,
        kind: EventKind,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if revocation::accounts::revoke(&mut tx, user, change, &[], reason, context.now)
            .await?
            .is_none()
        {
            tx.rollback().await?;
            return Ok(false);
        }
        events::insert(&*tx, kind, user, None, context).await?;
        tx.commit(context.now).await?;
        self.finish_first_batch(user).await;
        Ok(true)
    }

    /// Deletes an account with the first commit. From then on no one can sign in to it, none of its tokens is accepted,
    /// and its address is free. Its rows are deleted in batches after that. Its blacklist and revocation rows stay,
    /// because they contain no personal data.
    async fn delete(
        &self,
        user: UserId,
        change: UpdateMany<Entity>,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let change = users::tombstone(user, change);
        if revocation::accounts::revoke(&mut tx, user, change, &[], RevocationReason::Deleted, context.now)
            .await?
            .is_none()
        {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit(context.now).await?;
        self.finish_first_batch(user).await;
        Ok(true)
    }
}

/// An update that takes effect only if the account is unchanged since the password check.
fn unchanged_since(who: &VerifiedCredentials<'_>) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::PasswordHash.eq(who.password_hash.as_str()))
        .filter(Column::TokenEpoch.eq(columns::epoch_column(who.token_epoch)))
        .filter(Column::DisabledAt.is_null())
}
