//! A database for one test.

use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// An empty database for one test.
pub(crate) struct Db {
    pub(crate) url: String,
    /// Removed with the test.
    _folder: Option<TempDir>,
}

impl Db {
    pub(crate) fn sqlite() -> Self {
        Self::sqlite_in(tempfile::tempdir().expect("a temporary folder"))
    }

    /// In this folder, which is removed with the test.
    pub(crate) fn sqlite_in(folder: TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join("keyturn.db").display());
        Self {
            url,
            _folder: Some(folder),
        }
    }

    /// An existing database at a URL, which is not removed.
    pub(crate) fn at(url: String) -> Self {
        Self { url, _folder: None }
    }

    /// The same database through another address, such as a proxy's.
    pub(crate) fn through(&self, address: std::net::SocketAddr) -> Self {
        let mut url = url::Url::parse(&self.url).expect("a URL");
        url.set_ip_host(address.ip()).expect("a host");
        url.set_port(Some(address.port())).expect("a port");
        Self {
            url: url.into(),
            _folder: None,
        }
    }

    /// The same database again, while `self` lives.
    pub(crate) fn again(&self) -> Self {
        Self {
            url: self.url.clone(),
            _folder: None,
        }
    }

    /// The result of a query for one number, on a new connection: only committed data counts.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let other = Database::connect(&self.url).await.expect("connects");
        let query = Statement::from_string(other.get_database_backend(), sql);
        let row = other.query_one_raw(query).await.expect("a query").expect("a row");
        let number = row
            .try_get_by_index::<i64>(0)
            .or_else(|_| row.try_get_by_index::<i32>(0).map(i64::from))
            .expect("a number");
        other.close().await.expect("closes");
        number
    }

    /// A separate database on the server that `KEYTURN_TEST_POSTGRES` names.
    pub(crate) async fn postgres() -> Self {
        let admin_url = std::env::var("KEYTURN_TEST_POSTGRES")
            .expect("KEYTURN_TEST_POSTGRES names a PostgreSQL server; ./dev test starts one and sets it");
        Self::postgres_at(&admin_url).await
    }

    /// A separate database on a server.
    pub(crate) async fn postgres_at(admin_url: &str) -> Self {
        let name = format!("keyturn_test_{}", unique());
        let admin = Database::connect(admin_url).await.expect("PostgreSQL answers");
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a new database");
        admin.close().await.expect("closes");
        let mut url = url::Url::parse(admin_url).expect("a URL");
        url.set_path(&name);
        Self {
            url: url.into(),
            _folder: None,
        }
    }
}

/// A connection for the test itself. What it writes, such as a password hash, is not part of the servers' logs.
pub(crate) async fn open(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    Database::connect(options).await.expect("connects")
}

/// Waits until PostgreSQL blocks a request on a lock that another transaction holds. `other` is a connection to its
/// database.
pub(crate) async fn until_it_waits<T>(request: &JoinHandle<T>, other: &DatabaseConnection) {
    let waiting =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = Statement::from_string(DbBackend::Postgres, waiting);
    while other
        .query_one_raw(waiting.clone())
        .await
        .expect("a query")
        .is_none()
    {
        assert!(!request.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
}

/// Names without collisions, even across processes.
fn unique() -> String {
    use web::random::{Random, SystemRandom};

    let random: &dyn Random = &SystemRandom::default();
    format!("{:016x}", u64::from_le_bytes(random.bytes()))
}
