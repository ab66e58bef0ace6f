//! Accounts.

use std::fmt;

use rotation::{AccountState, Role, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, UpdateMany,
    sea_query::{Expr, IntoCondition, LockType},
};

use crate::{
    Store, StoreError,
    columns::epoch_of,
    entity::user::{self, Column, Entity},
    error::is_unique_violation,
    unreadable,
};

/// Prefix that replaces the address of an account whose rows are still being deleted. No real address looks like this.
const TOMBSTONE_PREFIX: &str = "deleted:";

/// A password hash as a PHC string. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash in PHC string format.
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// An account.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// As typed, for display.
    pub email: String,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The name that the owner chose.
    pub display_name: Option<String>,
    /// The role.
    pub role: Role,
    /// The role as stored. If a newer version wrote a role unknown to this one, `role` is the least privileged one.
    pub stored_role: String,
    /// Everything issued in an earlier epoch is revoked.
    pub token_epoch: u32,
    /// When an administrator disabled it.
    pub disabled_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The parameters of an account to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id.
    pub id: UserId,
    /// The address as the owner wrote it.
    pub email: String,
    /// NFC-composed and in lower case; unique.
    pub email_normalised: String,
    /// The form that all spellings of the address share; unique.
    pub mailbox: String,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// The name that the owner chose.
    pub display_name: Option<String>,
    /// The role.
    pub role: Role,
    /// When it is created.
    pub created_at: Timestamp,
}

/// A new account as it is after the insert.
impl From<&NewUser> for User {
    fn from(new: &NewUser) -> Self {
        Self {
            id: new.id,
            email: new.email.clone(),
            password_hash: new.password_hash.clone(),
            display_name: new.display_name.clone(),
            role: new.role,
            stored_role: new.role.as_str().to_owned(),
            token_epoch: 0,
            disabled_at: None,
            created_at: new.created_at,
        }
    }
}

impl User {
    /// The account's state that matters to its sessions.
    pub fn account_state(&self) -> AccountState {
        AccountState {
            token_epoch: self.token_epoch,
            disabled: self.disabled_at.is_some(),
            role: self.role,
        }
    }
}

impl Store {
    /// # Errors
    /// If the database is unavailable.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        find(self.reader(), id).await
    }

    /// Creates an account without a session; `false` if the address is taken.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn create_user(&self, new: &NewUser) -> Result<bool, StoreError> {
        insert(self.writer(), new).await
    }

    /// Looks up an account by the normalised address, or else by the mailbox.
    ///
    /// The order separates two accounts that are older than the mailbox column and share one mailbox. The spelling that
    /// an account was created with always finds that account.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn user_by_address(
        &self,
        email_normalised: &str,
        mailbox: &str,
    ) -> Result<Option<User>, StoreError> {
        // No account has such an address, and PostgreSQL rejects a NUL in a text.
        if email_normalised.chars().any(char::is_control) {
            return Ok(None);
        }
        let either = Condition::any()
            .add(Column::EmailNormalised.eq(email_normalised))
            .add(Column::Mailbox.eq(mailbox));
        let mut found = Entity::find().filter(either).all(self.reader()).await?;
        let exact = found
            .iter()
            .position(|row| row.email_normalised == email_normalised);
        let row = match exact {
            Some(index) => Some(found.swap_remove(index)),
            None => found.pop(),
        };
        Ok(row.map(User::from))
    }

    /// Like [`user_by_address`](Self::user_by_address), for an address that is its own mailbox, as addresses in ASCII
    /// are.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        self.user_by_address(email, email).await
    }

    /// Accounts without a mailbox, ordered by id, with the address as typed: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn accounts_without_mailbox(
        &self,
        after: Option<UserId>,
        limit: u64,
    ) -> Result<Vec<(UserId, String)>, StoreError> {
        let mut query = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Email])
            .filter(Column::Mailbox.is_null());
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.uuid()));
        }
        let rows: Vec<(uuid::Uuid, String)> = query
            .order_by_asc(Column::Id)
            .limit(limit)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, email)| (UserId::from_uuid(id), email))
            .collect())
    }

    /// Sets the mailbox of an account that has none; `false` if another account has the same mailbox.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn set_mailbox(&self, id: UserId, mailbox: &str) -> Result<bool, StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::Mailbox, Expr::value(mailbox))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::Mailbox.is_null())
            .exec(self.writer())
            .await;
        match change {
            // Another node may have set the same value first.
            Ok(_) => Ok(true),
            Err(error) if is_unique_violation(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the hash of the same password with a stronger one; `false` if the stored hash is no longer `old`. The
    /// password is unchanged, so no session is revoked.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn renew_password_hash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(new.as_str()))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::PasswordHash.eq(old.as_str()))
            .exec(self.writer())
            .await?;
        Ok(change.rows_affected == 1)
    }

    /// The distinct parameters of all stored hashes: `$argon2id$v=19$m=…,t=…,p=…$`. At most `limit` of them.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn password_parameters(&self, limit: u64) -> Result<Vec<String>, StoreError> {
        // Cuts the digest, the separator and the salt off the end, in both databases alike.
        let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let cut = format!("rtrim(rtrim(rtrim(password_hash, '{base64}'), '$'), '{base64}')");
        let parameters = Entity::find()
            .select_only()
            .expr_as(Expr::cust(cut), "parameters")
            .distinct()
            .limit(limit)
            .into_tuple()
            .all(self.reader())
            .await?;
        Ok(parameters)
    }

    /// Changes the name and returns the updated account; `None` if there is no enabled account with this id.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn set_display_name(
        &self,
        id: UserId,
        name: Option<String>,
    ) -> Result<Option<User>, StoreError> {
        let change = Entity::update_many()
            .col_expr(Column::DisplayName, Expr::value(name))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::DisabledAt.is_null())
            .exec(self.writer())
            .await?;
        if change.rows_affected == 0 {
            return Ok(None);
        }
        find(self.writer(), id).await
    }
}

pub(crate) async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, StoreError> {
    let found = Entity::find_by_id(id.uuid())
        .filter(is_not_deleted())
        .one(db)
        .await?;
    Ok(found.map(User::from))
}

/// Locks the described account for this transaction, and returns whether it exists.
///
/// Every operation that revokes sessions of one account begins with this. The lock serialises them, so none counts a
/// session that another has just revoked. (SQLite has one writer, so there the transaction itself is the lock.)
pub(crate) async fn lock_row(
    db: &impl ConnectionTrait,
    which: impl IntoCondition,
) -> Result<bool, StoreError> {
    let mut query = Entity::find().select_only().column(Column::Id).filter(which);
    if db.get_database_backend() != DbBackend::Sqlite {
        // Weaker than `FOR UPDATE`, because foreign keys of inserted rows lock the row as well.
        query = query.lock(LockType::NoKeyUpdate);
    }
    Ok(db.query_one(&query.into_query()).await?.is_some())
}

/// Inserts an account; `false` if the address is taken.
pub(crate) async fn insert(db: &impl ConnectionTrait, new: &NewUser) -> Result<bool, StoreError> {
    let row = user::ActiveModel {
        id: Set(new.id.uuid()),
        email: Set(new.email.clone()),
        email_normalised: Set(new.email_normalised.clone()),
        mailbox: Set(Some(new.mailbox.clone())),
        password_hash: Set(new.password_hash.as_str().to_owned()),
        display_name: Set(new.display_name.clone()),
        role: Set(new.role.as_str().to_owned()),
        token_epoch: Set(0),
        disabled_at: Set(None),
        created_at: Set(new.created_at.millis()),
    };
    match Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if is_unique_violation(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The account's state that matters to its sessions.
///
/// A role unknown to this version may come from a newer one. It is read as the least privileged role: it makes no one
/// an administrator, and locks no one out.
pub(crate) fn account_state_of(row: &user::Model) -> AccountState {
    AccountState {
        token_epoch: epoch_of(row.token_epoch),
        disabled: row.disabled_at.is_some(),
        role: Role::parse(&row.role).unwrap_or_else(|| {
            unreadable::report("users", "role", row.id);
            Role::User
        }),
    }
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        let owner = account_state_of(&row);
        Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            password_hash: PasswordHash(row.password_hash),
            display_name: row.display_name,
            role: owner.role,
            stored_role: row.role,
            token_epoch: owner.token_epoch,
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
        }
    }
}

/// Makes an account impossible to find and frees its address. Its rows are deleted afterwards.
pub(crate) fn tombstone(user: UserId, change: UpdateMany<user::Entity>) -> UpdateMany<user::Entity> {
    change
        .col_expr(Column::Email, Expr::value(""))
        .col_expr(
            Column::EmailNormalised,
            Expr::value(format!("{TOMBSTONE_PREFIX}{user}")),
        )
        .col_expr(Column::Mailbox, Expr::value(format!("{TOMBSTONE_PREFIX}{user}")))
        .col_expr(Column::PasswordHash, Expr::value(""))
        .col_expr(Column::DisplayName, Expr::value(Option::<String>::None))
        .filter(is_not_deleted())
}

/// Condition: the account is not being deleted.
pub(crate) fn is_not_deleted() -> Expr {
    Column::EmailNormalised.not_like(format!("{TOMBSTONE_PREFIX}%"))
}

/// That an account is being deleted.
pub(crate) fn is_deleted() -> Expr {
    Column::EmailNormalised.like(format!("{TOMBSTONE_PREFIX}%"))
}
