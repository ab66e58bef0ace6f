//! A write transaction that notifies every node of the sessions it revokes.

use std::ops::Deref;

use rotation::{SessionId, Timestamp, UserId};

use crate::{Store, StoreError, database::Transaction, revocation};

/// A write transaction. Dropping it without a commit changes nothing.
pub(crate) struct WriteTransaction<'a> {
    store: &'a Store,
    tx: Transaction,
    revoked_sessions: Vec<SessionId>,
    revoked_accounts: Vec<(UserId, u32)>,
}

impl<'a> WriteTransaction<'a> {
    fn new(store: &'a Store, tx: Transaction) -> Self {
        Self {
            store,
            tx,
            revoked_sessions: Vec::new(),
            revoked_accounts: Vec::new(),
        }
    }

    /// Call this for each session that this transaction revokes.
    pub(crate) fn record_revocation(&mut self, session: SessionId) {
        self.revoked_sessions.push(session);
    }

    /// Call this when everything issued to an account before this epoch is revoked.
    pub(crate) fn record_account_revocation(&mut self, user: UserId, epoch: u32) {
        self.revoked_accounts.push((user, epoch));
    }

    /// Commits. When this returns, this process knows the revoked sessions; all others learn of them a moment later.
    ///
    /// # Errors
    /// If the database is unavailable; then the outcome of the commit is unknown.
    pub(crate) async fn commit(self, now: Timestamp) -> Result<(), StoreError> {
        revocation::channel::publish(&self.tx, &self.revoked_sessions, &self.revoked_accounts, now).await?;
        self.tx.commit().await?;
        // After the commit, never before: a session whose revocation failed is still live.
        self.store.revocation_cache().add(self.revoked_sessions, now);
        self.store
            .revocation_cache()
            .add_accounts(self.revoked_accounts, now);
        Ok(())
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }
}

impl Deref for WriteTransaction<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.tx
    }
}

impl Store {
    /// Begins a write transaction.
    pub(crate) async fn begin(&self) -> Result<WriteTransaction<'_>, StoreError> {
        Ok(WriteTransaction::new(self, self.writer().begin().await?))
    }
}
