//! Fills in the mailbox of accounts that are older than this key.

use rotation::UserId;
use store::{Store, StoreError};

use super::email::Email;

/// How many accounts are read at a time.
const PAGE: u64 = 500;

/// The result of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MailboxReport {
    /// The number of accounts that got a mailbox.
    pub filled: u64,
    /// Accounts whose mailbox already belongs to another account. They keep their original spelling: it still signs
    /// them in, and any other spelling leads to the other account.
    pub collisions: Vec<UserId>,
}

/// Gives each account without a mailbox its own. Cheap if there is none; safe on several nodes at the same time.
///
/// # Errors
/// If the database is unavailable. What was filled stays, and the next round continues.
pub async fn fill_missing(store: &Store) -> Result<MailboxReport, StoreError> {
    let mut done = MailboxReport::default();
    let mut after = None;
    loop {
        let page = store.accounts_without_mailbox(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(done);
        };
        after = Some(*last);
        for (id, address) in page {
            let Ok(email) = Email::parse(&address) else {
                tracing::warn!(user = %id, "stored email address not understood; it has no mailbox");
                continue;
            };
            if store.set_mailbox(id, email.mailbox()).await? {
                done.filled += 1;
            } else {
                tracing::warn!(
                    user = %id,
                    "two accounts have one mailbox; this one is reached by the exact spelling of its address only"
                );
                done.collisions.push(id);
            }
        }
    }
}
