//! The whole server over one database, with a clock that the test moves.

use std::{sync::Arc, time::Duration};

use axum::Router;
use lab::Lab;
use migrations::Migrator;
use rotation::{Clock, ManualClock, Timestamp};
use sea_orm_migration::MigratorTrait;
use store::Store;
use tokio::task::JoinSet;
use web::{
    App, AppState,
    config::{Config, Flags, RawConfig, validate},
    random::SystemRandom,
    revocations::Revocations,
    router,
};

use super::{Client, Db, PASSWORD, kept_logs};

pub(crate) const ORIGIN: &str = "http://localhost:3000";

/// An arbitrary moment, with a fraction of a second so that rounding shows.
const START: Timestamp = Timestamp::from_millis(1_795_000_000_250);

pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) state: AppState,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) db: Db,
}

impl TestApp {
    pub(crate) async fn new(db: Db) -> Self {
        Self::with(db, |_| {}).await
    }

    /// With a changed configuration.
    pub(crate) async fn with(db: Db, change: impl FnOnce(&mut RawConfig)) -> Self {
        Self::at(db, Arc::new(ManualClock::at(START)), change).await
    }

    /// With an enabled lab.
    pub(crate) async fn with_lab(db: Db, lab: Arc<Lab>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let mut services = services(&db, &clock, |_| {}).await;
        services.config.lab = Some(lab.sites.clone());
        let state = AppState::new(services);
        Self {
            router: router(state.clone(), lab::api::router(&lab, &state)),
            state,
            clock,
            db,
        }
    }

    async fn at(db: Db, clock: Arc<ManualClock>, change: impl FnOnce(&mut RawConfig)) -> Self {
        let state = AppState::new(services(&db, &clock, change).await);
        Self {
            router: router(state.clone(), Router::new()),
            state,
            clock,
            db,
        }
    }

    /// This node with a stale revocation cache.
    pub(crate) async fn without_fresh_revocations(&self) -> AppState {
        let refuse = self.state.config.revocations.refuse_when_stale;
        let change = |sections: &mut RawConfig| sections.revocations.refuse_when_stale = refuse;
        let mut services = services(&self.db, &self.clock, change).await;
        services.revocations = Revocations::new(Duration::from_secs(5));
        AppState::new(services)
    }

    /// Simulates a restart: the same database and the same time with new services.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same, with a changed configuration.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut RawConfig)) -> Self {
        self.state.store.clone().close().await.expect("closes");
        Self::at(self.db, self.clock, change).await
    }

    /// A new browser without cookies.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// A browser that is signed in to a new account.
    pub(crate) async fn user(&self) -> Client {
        let mut client = self.anonymous();
        let answer = client.register("ada@example.com", PASSWORD).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        client
    }

    /// Refreshes in 50 tabs of one browser at the same time: all get the same successor, and the jar keeps it.
    pub(crate) async fn refresh_in_50_tabs(&self, user: &mut Client) {
        let mut tabs = JoinSet::new();
        for _ in 0..50 {
            let mut tab = self.anonymous();
            tab.refresh.clone_from(&user.refresh);
            tabs.spawn(async move { (tab.refresh().await.status, tab.refresh) });
        }
        let answers = tabs.join_all().await;
        let successor = answers[0].1.clone();
        assert!(
            answers.iter().all(|answer| *answer == (200, successor.clone())),
            "{answers:?}"
        );
        user.refresh = successor;
    }

    /// Another node on the same database, with the same clock and possibly another configuration. Drop it first.
    pub(crate) async fn node_with(&self, change: impl FnOnce(&mut RawConfig)) -> Self {
        Self::at(self.db.again(), Arc::clone(&self.clock), change).await
    }

    /// Changes the database as another process or an operator would.
    pub(crate) async fn execute(&self, sql: &str) {
        use sea_orm_migration::sea_orm::ConnectionTrait;

        let other = super::db::open(&self.db.url).await;
        other.execute_unprepared(sql).await.expect("SQL");
        other.close().await.expect("closes");
    }

    /// The result of a query for one number, on a new connection: only committed data counts.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.db.number(sql).await
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

async fn services(db: &Db, clock: &Arc<ManualClock>, change: impl FnOnce(&mut RawConfig)) -> App {
    let config = config(&db.url, change);
    let store = Store::connect(&config.database.options())
        .await
        .expect("the database opens");
    // Behind a pooler an operator has migrated the schema.
    if config.database.pooler == web::config::Pooler::None {
        Migrator::up(store.connection(), None)
            .await
            .expect("the schema is made");
    }
    let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    App::new(config, store, shared, Arc::new(SystemRandom::default()))
        .await
        .expect("the services start")
}

/// A valid configuration over the database at `url`, changed as a test needs it.
pub(crate) fn config(url: &str, change: impl FnOnce(&mut RawConfig)) -> Config {
    kept_logs::start();
    let mut sections = RawConfig::default();
    url.clone_into(&mut sections.database.url);
    sections.secrets.master = Some(web::config::OneOrMany::One(
        "a test's secret, long enough and of many letters"
            .to_owned()
            .into(),
    ));
    // The cheapest hash that the configuration accepts: these tests are not about its cost.
    sections.passwords.memory_kib = 7_168;
    sections.passwords.iterations = 5;
    sections.limits.attempts_per_minute = 100_000;
    // These nodes read ended sessions only when a test says so, and a test may take long on a busy machine.
    sections.revocations.max_age = Duration::from_hours(1);
    // Nothing reads in the background here, and a test may take longer than the default on a busy machine.
    sections.revocations.max_age = Duration::from_hours(1);
    change(&mut sections);
    validate(sections, true).expect("a sound configuration")
}

/// A configuration from a file, as the server would read it.
pub(crate) fn load_from(file: &std::path::Path) -> Result<Config, web::config::ConfigError> {
    web::config::load(&Flags {
        file: Some(file.to_owned()),
        ..Flags::default()
    })
}
