//! A write transaction that notifies every node of the sessions it revokes.

use std::ops::Deref;

use rotation::{SessionId, Timestamp, UserId};

use crate::{Store, StoreError, database::Transaction, ended};

/// A write transaction. Dropping it without a commit changes nothing.
pub(crate) struct Writing<'a> {
    store: &'a Store,
    tx: Transaction,
    ended: Vec<SessionId>,
    ended_accounts: Vec<(UserId, u32)>,
}

impl<'a> Writing<'a> {
    fn new(store: &'a Store, tx: Transaction) -> Self {
        Self {
            store,
            tx,
            ended: Vec::new(),
            ended_accounts: Vec::new(),
        }
    }

    /// Call this for each session that this transaction revokes.
    pub(crate) fn ends(&mut self, session: SessionId) {
        self.ended.push(session);
    }

    /// Call this when everything issued to an account before this epoch is revoked.
    pub(crate) fn ends_account(&mut self, user: UserId, epoch: u32) {
        self.ended_accounts.push((user, epoch));
    }

    /// Commits. When this returns, this process knows the revoked sessions; all others learn of them a moment later.
    ///
    /// # Errors
    /// If the database is unavailable; then the outcome of the commit is unknown.
    pub(crate) async fn commit(self, now: Timestamp) -> Result<(), StoreError> {
        ended::publish(&self.tx, &self.ended, &self.ended_accounts, now).await?;
        self.tx.commit().await?;
        // After the commit, never before: a session whose revocation failed is still live.
        self.store.ended().add(self.ended, now);
        self.store.ended().add_accounts(self.ended_accounts, now);
        Ok(())
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }
}

impl Deref for Writing<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.tx
    }
}

impl Store {
    /// Begins a write transaction.
    pub(crate) async fn begin(&self) -> Result<Writing<'_>, StoreError> {
        Ok(Writing::new(self, self.writer().begin().await?))
    }
}
