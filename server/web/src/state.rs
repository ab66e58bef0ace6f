//! Application state: the services that every request can use.

use std::{fmt, ops::Deref, sync::Arc};

use axum::extract::FromRef;
use governor::clock::MonotonicClock;
use leptos::config::LeptosOptions;
use rotation::{Clock, Generation, Jti, LiveToken, SessionId, SuccessorParams, Timestamp, UserId};
use store::{Actor, AuditContext, ClientInfo, EventId, RetentionCutoff, Store, StoreError};

use crate::{
    config::Config,
    cookies::RefreshCookie,
    extract::ProxyWarnings,
    guesses::Guesses,
    known_browser::KnownBrowserCookie,
    limiter::{Limiter, RefreshLimiter},
    passwords::{Passwords, cost::Cost},
    random::Random,
    readiness::Readiness,
    revocations::Revocations,
    secrets::MasterSecret,
    security_log::SecurityLog,
    tokens::{
        Tokens,
        keys::{KeyManager, KeyRing},
    },
};

/// Upper bound for the number of parameter sets that are read. Few sites have had more than a handful.
const MAX_PARAMETER_SETS: u64 = 1_000;

/// The state of the router. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    app: Arc<App>,
    leptos: LeptosOptions,
}

/// The services that handlers use.
pub struct App {
    pub config: Config,
    pub store: Store,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub cookie: RefreshCookie,
    pub known_browser: KnownBrowserCookie,
    pub limiter: Limiter,
    pub refresh_limiter: RefreshLimiter,
    pub guesses: Guesses,
    pub security_log: SecurityLog,
    pub csp_reports: Limiter,
    pub proxy_warnings: ProxyWarnings,
    pub revocations: Revocations,
    pub readiness: Readiness,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    #[cfg(feature = "test-clock")]
    pub adjustable_clock: Option<Arc<crate::clock::AdjustableClock>>,
}

/// Why the services could not be built.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("signing keys: {0}")]
    Keys(#[from] crate::tokens::keys::KeyError),
    #[error("ended sessions: {0}")]
    Revocations(#[from] StoreError),
    #[error("passwords: {0}")]
    Passwords(#[from] crate::passwords::PasswordError),
}

impl App {
    /// Builds the services over an opened and migrated database.
    ///
    /// # Errors
    /// If the signing keys cannot be loaded or the password parameters are refused.
    pub async fn new(
        config: Config,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StartError> {
        let master = MasterSecret::new(&config.master_secrets);
        let ring = KeyRing::start(KeyManager::new(
            config.signing,
            &config.master_secrets,
            &store,
            &clock,
            &random,
        ))
        .await?;
        // Before the first request: an access token that was revoked before a restart stays revoked after it.
        let horizon = RetentionCutoff::new(clock.now(), &config.policy.lifetimes);
        store.read_revocations(horizon.revocations_since()).await?;
        let revocations = Revocations::new(config.revocations.max_age);
        revocations.mark_read();

        Ok(Self {
            tokens: Tokens::new(config.parties.clone(), &master, ring),
            passwords: Passwords::new(&config.passwords, Arc::clone(&random))?,
            cookie: RefreshCookie::new(&config.cookie_name),
            known_browser: KnownBrowserCookie::new(&config.cookie_name, &master),
            limiter: Limiter::new(&config.limits, MonotonicClock),
            refresh_limiter: RefreshLimiter::new(&config.limits, MonotonicClock),
            guesses: Guesses::new(config.limits.enabled, &master),
            security_log: SecurityLog::new(&MonotonicClock),
            csp_reports: Limiter::for_csp_reports(&config.limits, MonotonicClock),
            proxy_warnings: ProxyWarnings::default(),
            revocations,
            readiness: Readiness::default(),
            config,
            store,
            clock,
            random,
            #[cfg(feature = "test-clock")]
            adjustable_clock: None,
        })
    }

    pub fn new_jti(&self, now: Timestamp) -> Jti {
        Jti::new(now, self.random.bytes())
    }

    pub fn new_event(&self, now: Timestamp) -> EventId {
        EventId::new(now, self.random.bytes())
    }

    /// The audit context of a client's action, now.
    pub fn audit_context(&self, client: ClientInfo) -> AuditContext {
        let now = self.clock.now();
        AuditContext {
            now,
            client,
            event: self.new_event(now),
            actor: Actor::Account,
        }
    }

    /// The audit context of an administrator's action on someone else's account, now.
    pub fn administrator_context(&self, administrator: UserId) -> AuditContext {
        AuditContext {
            actor: Actor::Administrator(administrator),
            ..self.audit_context(ClientInfo::default())
        }
    }

    /// Reads which sessions have ended, and returns their number.
    ///
    /// # Errors
    /// If the database is unavailable. The known sessions stay cached, and the cache grows stale.
    pub async fn read_revocations(&self) -> Result<usize, StoreError> {
        let horizon = RetentionCutoff::new(self.clock.now(), &self.config.policy.lifetimes);
        let known = self.store.read_revocations(horizon.revocations_since()).await?;
        self.revocations.mark_read();
        Ok(known)
    }

    /// Reads which parameters the stored password hashes have, so that an unknown account takes the work of the most
    /// expensive one.
    ///
    /// # Errors
    /// If the database is unavailable. Then only the parameters seen at sign-ins are known.
    pub async fn load_password_costs(&self) -> Result<(), StoreError> {
        let stored = self.store.password_parameters(MAX_PARAMETER_SETS).await?;
        for cost in stored.iter().filter_map(|text| Cost::of_stored(text)) {
            self.passwords.record_cost(cost);
        }
        Ok(())
    }

    pub fn new_session_id(&self, now: Timestamp) -> SessionId {
        SessionId::new(now, self.random.bytes())
    }

    /// The values for a successor token that are not in the session's row.
    pub fn successor_params(&self, now: Timestamp) -> SuccessorParams {
        SuccessorParams {
            jti: self.new_jti(now),
            kid: self.tokens.newest_refresh_key().clone(),
        }
    }

    /// The first refresh token of a new session.
    pub fn first_token(&self, now: Timestamp, absolute_end: Timestamp, remember: bool) -> LiveToken {
        let SuccessorParams { jti, kid } = self.successor_params(now);
        LiveToken {
            jti,
            generation: Generation::FIRST,
            issued_at: now.floor_to_secs(),
            expires_at: self
                .config
                .policy
                .lifetimes
                .refresh_expiry(now, absolute_end, remember),
            kid,
        }
    }
}

impl AppState {
    pub fn new(app: App) -> Self {
        let leptos = crate::site::leptos_options(&app.config.http);
        Self {
            app: Arc::new(app),
            leptos,
        }
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("config", &self.config)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.app.fmt(f)
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
