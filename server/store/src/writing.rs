//! A transaction that may write, and that tells every node which sessions it ends.

use std::ops::Deref;

use rotation::{SessionId, Timestamp, UserId};

use crate::{Store, StoreError, database::Transaction, ended};

/// A transaction that may write. Dropped without a commit, it changes nothing.
pub(crate) struct Writing<'a> {
    store: &'a Store,
    tx: Transaction,
    ended: Vec<SessionId>,
    ended_accounts: Vec<(UserId, u32)>,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(store: &'a Store, tx: Transaction) -> Self {
        Self {
            store,
            tx,
            ended: Vec::new(),
            ended_accounts: Vec::new(),
        }
    }

    /// To be called for each session that this transaction ends.
    pub(crate) fn ends(&mut self, session: SessionId) {
        self.ended.push(session);
    }

    /// To be called when all that was issued to an account before this epoch ends.
    pub(crate) fn ends_account(&mut self, user: UserId, epoch: u32) {
        self.ended_accounts.push((user, epoch));
    }

    /// Commits. Sessions that ended are known to this process when this returns, and to all others a moment later.
    ///
    /// # Errors
    /// If the database is unavailable; whether the commit arrived is then not known.
    pub(crate) async fn commit(self, now: Timestamp) -> Result<(), StoreError> {
        ended::publish(&self.tx, &self.ended, &self.ended_accounts, now).await?;
        self.tx.commit().await?;
        // After the commit and never before: a session whose end failed lives on.
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
