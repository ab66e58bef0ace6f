//! Whether the connections that are open can still be trusted.

use std::sync::{Mutex, PoisonError};

use sea_orm::sqlx::pool::PoolConnectionMetadata;
use tokio::time::Instant;

/// When connections to the server were last found dead.
///
/// Connections that were open at that moment are closed instead of used. After a failover all of them are dead, and
/// detecting that one by one would cost a deadline for each.
#[derive(Debug, Default)]
pub(super) struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    pub(super) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn covers(&self, connection: &PoolConnectionMetadata) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|at| at.elapsed() <= connection.age)
    }
}
