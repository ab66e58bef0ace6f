//! What the commands on accounts, sessions, tokens and keys have in common.

use std::sync::Arc;

use rotation::{Clock, Timestamp};
use store::{Actor, AuditContext, ClientInfo, EventId, Store, StoreError};
use web::{
    clock::SystemClock,
    config::Config,
    random::{Random, SystemRandom},
};

use super::{database, error::CliError};

/// An operator at the command line, on the server's database. Running servers learn of the changes from the database.
pub(super) struct Operator {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

impl Operator {
    pub(super) async fn new(config: Config) -> Result<Self, CliError> {
        Ok(Self {
            store: database::open(&config).await?,
            config,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::default()),
        })
    }

    /// Marks the sessions of an account that ended as a whole. They are revoked already; this leaves no work for a
    /// server that may not be running.
    pub(super) async fn finish_account_revocations(&self) -> Result<(), StoreError> {
        while self.store.finish_account_revocations().await? {}
        Ok(())
    }

    /// The audit context of an operator's action, for the account's timeline.
    pub(super) fn audit_context(&self) -> AuditContext {
        let now = self.clock.now();
        AuditContext {
            now,
            client: ClientInfo::default(),
            event: EventId::new(now, self.random.bytes()),
            actor: Actor::Operator,
        }
    }
}

/// Formats a moment for lists: UTC, to the second (RFC 3339).
pub(super) fn format_time(at: Timestamp) -> String {
    let seconds = u64::try_from(at.secs()).unwrap_or(0);
    let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(moment).to_string()
}
