//! Background tasks of a node: reading ended sessions and signing keys, recording which generations were used, and
//! deleting expired data.
//!
//! Each task runs until the server stops. A failure is logged and counted, and the next round retries.

use std::{future::Future, time::Duration};

use rotation::Clock;
use store::{Pruned, RetentionCutoff, RevocationListener, Store, StoreError};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Config, state::AppState, telemetry::without_metrics};

/// How often ended sessions are read. Every node refuses an access token within a second of its session's end.
const REVOCATION_POLL_INTERVAL: Duration = Duration::from_millis(400);
/// How often to look for ended accounts whose sessions are not marked yet. Those sessions are already refused.
const FINISH_INTERVAL: Duration = Duration::from_secs(1);
/// How often token uses are written.
const CONFIRMATION_FLUSH_INTERVAL: Duration = Duration::from_millis(500);
/// How often failed sign-ins are written to their accounts' timelines.
const TIMELINE_INTERVAL: Duration = Duration::from_millis(500);
/// How long to wait before a lost connection is retried. Polling continues in the meantime.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// How long to wait before the parameters of stored password hashes are read again after a failure.
const COST_RETRY_DELAY: Duration = Duration::from_mins(1);
/// The pause between two batches of pruning, in which other transactions can use the database.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// The tasks that run while the server serves.
#[derive(Debug)]
pub struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
    app: AppState,
    is_counted: bool,
}

impl Background {
    /// Starts all tasks.
    pub fn start(app: &AppState) -> Self {
        Self::begin(app, true)
    }

    /// Starts all tasks without metrics.
    pub fn start_without_metrics(app: &AppState) -> Self {
        Self::begin(app, false)
    }

    fn begin(app: &AppState, is_counted: bool) -> Self {
        let background = Self {
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            app: app.clone(),
            is_counted,
        };
        background.spawn(poll_revocations(app.clone()));
        background.spawn(listen_for_revocations(app.clone()));
        background.spawn(finish_account_revocations(app.clone()));
        background.spawn(flush_confirmations(app.clone()));
        background.spawn(write_timelines(app.clone()));
        background.spawn(drop_old_confirmations(app.clone()));
        background.spawn(prune(app.clone()));
        background.spawn(refresh_keys(app.clone()));
        background.spawn(load_password_costs(app.clone()));
        background
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // A task may be cancelled at any await point: transactions roll back when they are dropped.
        let task = self.stop.clone().run_until_cancelled_owned(task);
        if self.is_counted {
            self.tasks.spawn(task);
        } else {
            self.tasks.spawn(without_metrics(task));
        }
    }

    /// Stops all tasks and writes what is not written yet. Call it when no request is in progress.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.app.store.flush_confirmations().await {
            tracing::warn!(%error, "token uses not written at shutdown");
        }
        if let Err(error) = self.app.guesses.write_timelines(&self.app.store).await {
            tracing::warn!(%error, "failed sign-ins not written to timelines at shutdown");
        }
    }
}

/// Deletes expired data, batch by batch, and returns the number of deleted rows.
///
/// # Errors
/// If the database is unavailable. What was deleted before the failure stays deleted.
pub async fn prune_all(store: &Store, clock: &dyn Clock, config: &Config) -> Result<Pruned, StoreError> {
    let mut total = Pruned::default();
    loop {
        let horizon = RetentionCutoff::new(clock.now(), &config.policy.lifetimes);
        let pruned = store.prune(horizon.and_events(config.events.retention)).await?;
        if pruned.is_empty() {
            return Ok(total);
        }
        total += pruned;
        for (table, rows) in [
            ("token_blacklist", pruned.blacklisted),
            ("sessions", pruned.sessions),
            ("ended_sessions", pruned.revocations),
            ("sign_in_failures", pruned.guesses),
            ("security_events", pruned.events),
        ] {
            metrics::counter!("keyturn_pruned_rows_total", "table" => table).increment(rows);
        }
        sleep(BATCH_PAUSE).await;
    }
}

/// Calls `work` repeatedly, the first time immediately.
async fn every<F: Future<Output = ()>>(period: Duration, mut work: impl FnMut() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await;
    }
}

async fn refresh_keys(app: AppState) {
    app.tokens.key_ring().keep_fresh().await;
}

async fn poll_revocations(app: AppState) {
    every(REVOCATION_POLL_INTERVAL, async || read_revocations(&app).await).await;
}

async fn read_revocations(app: &AppState) {
    match app.read_revocations().await {
        Ok(known) => {
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("keyturn_ended_sessions").set(known as f64);
        }
        Err(error) => {
            metrics::counter!("keyturn_ended_sessions_read_failures_total").increment(1);
            tracing::warn!(%error, "ended sessions not read; retrying");
        }
    }
    metrics::gauge!("keyturn_ended_sessions_age_seconds").set(app.revocations.age().as_secs_f64());
}

/// Listens for ended sessions as they are committed (PostgreSQL only). After every reconnect it reads all of them
/// immediately, because notifications may have been missed.
async fn listen_for_revocations(app: AppState) {
    loop {
        match app.store.listen_for_revocations().await {
            Ok(None) => return,
            Ok(Some(listener)) => {
                app.store.force_full_read();
                read_revocations(&app).await;
                let error = receive_until_disconnected(&app, listener).await;
                tracing::warn!(%error, "revocation listener disconnected; retrying");
            }
            Err(error) => tracing::warn!(%error, "revocation listener not connected; retrying"),
        }
        sleep(RECONNECT_DELAY).await;
    }
}

async fn receive_until_disconnected(app: &AppState, mut listener: RevocationListener) -> StoreError {
    loop {
        match listener.recv(|| app.clock.now()).await {
            Ok(true) => {}
            Ok(false) => {
                app.store.force_full_read();
                read_revocations(app).await;
            }
            Err(error) => return error,
        }
    }
}

/// Marks the sessions of accounts that ended as a whole, and deletes what belongs to deleted accounts.
async fn finish_account_revocations(app: AppState) {
    every(FINISH_INTERVAL, async || {
        loop {
            match app.store.finish_account_revocations().await {
                Ok(true) => sleep(BATCH_PAUSE).await,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "ended sessions not marked yet; retrying");
                    return;
                }
            }
        }
    })
    .await;
}

async fn flush_confirmations(app: AppState) {
    every(CONFIRMATION_FLUSH_INTERVAL, async || {
        match app.store.flush_confirmations().await {
            Ok(confirmed) => metrics::counter!("keyturn_confirmations_total").increment(confirmed),
            Err(error) => tracing::warn!(%error, "token uses not written; retrying"),
        }
    })
    .await;
}

async fn write_timelines(app: AppState) {
    every(TIMELINE_INTERVAL, async || {
        if let Err(error) = app.guesses.write_timelines(&app.store).await {
            tracing::warn!(%error, "failed sign-ins not written to timelines; retrying");
        }
    })
    .await;
}

async fn drop_old_confirmations(app: AppState) {
    let lifetime = app.config.policy.lifetimes.access;
    every(lifetime, async || app.store.drop_old_confirmations()).await;
}

async fn prune(app: AppState) {
    every(app.config.database.prune_every, async || {
        match prune_all(&app.store, &*app.clock, &app.config).await {
            Ok(pruned) if pruned.is_empty() => {}
            Ok(pruned) => tracing::info!(
                blacklisted = pruned.blacklisted,
                sessions = pruned.sessions,
                ended = pruned.revocations,
                guesses = pruned.guesses,
                events = pruned.events,
                "pruned"
            ),
            Err(error) => tracing::warn!(%error, "pruning failed; retrying"),
        }
    })
    .await;
}

/// Runs once after the start, because it reads all accounts. Later changes are seen at sign-ins.
async fn load_password_costs(app: AppState) {
    while let Err(error) = app.load_password_costs().await {
        tracing::warn!(%error, "parameters of stored password hashes not read; retrying");
        sleep(COST_RETRY_DELAY).await;
    }
}
