//! Connection settings of each driver.

use std::{net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use sea_orm::sqlx::{
    self, Connection, PgConnection,
    pool::{PoolConnectionMetadata, PoolOptions},
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;

use super::{Pool, suspicion::Suspicion};
use crate::Options;

/// SQLite's page cache per connection, in KiB; negative as SQLite requires it. With the default of 2 MiB the pages of a
/// large blacklist evict those of the sessions, and every rotation reads them again.
const SQLITE_CACHE: &str = "-65536";
/// A connection that was idle for this long is tested before it is reused.
const TEST_AFTER: Duration = Duration::from_secs(1);
/// Deadline for such a test.
const TEST_WITHIN: Duration = Duration::from_secs(1);
/// Idle time in seconds after which the server probes whether a client is still connected.
const KEEPALIVE_SECONDS: u32 = 30;

/// Opens a connection pool for a SQLite file. Creates the file if it does not exist.
pub(crate) async fn open_sqlite(options: &Options, connections: u32) -> Result<Pool, sqlx::Error> {
    let connect = SqliteConnectOptions::from_str(&options.url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits on a power failure, and a lost rotation revives a consumed token.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.timeout)
        .pragma("cache_size", SQLITE_CACHE);
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.timeout)
        // No network can close a connection to a local file.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(without_statement_log(connect))
        .await?;
    Ok(Pool::sqlite(pool, options.timeout))
}

/// Opens a connection pool for PostgreSQL.
pub(crate) async fn open_postgres(options: &Options, connections: u32) -> Result<Pool, sqlx::Error> {
    let suspicion = Arc::new(Suspicion::default());
    let judge = Arc::clone(&suspicion);
    let pool = PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.timeout)
        .test_before_acquire(false)
        .before_acquire(move |connection, met| {
            let judge = Arc::clone(&judge);
            Box::pin(async move { test(connection, &met, &judge).await })
        })
        .connect_with(postgres(options)?)
        .await?;
    Ok(Pool::postgres(
        pool,
        options.timeout,
        suspicion,
        options.behind_pooler,
    ))
}

/// Whether a connection that was idle for a while still responds. On an error the pool closes it silently.
async fn test(
    connection: &mut PgConnection,
    met: &PoolConnectionMetadata,
    suspicion: &Suspicion,
) -> Result<bool, sqlx::Error> {
    if suspicion.covers(met) {
        return Err(sqlx::Error::WorkerCrashed);
    }
    if met.idle_for < TEST_AFTER {
        return Ok(true);
    }
    match timeout(TEST_WITHIN, connection.ping()).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) => {
            suspicion.raise();
            Err(error)
        }
        Err(_) => {
            suspicion.raise();
            Err(sqlx::Error::PoolTimedOut)
        }
    }
}

/// Builds the connection options for PostgreSQL.
pub(crate) fn postgres(options: &Options) -> Result<PgConnectOptions, sqlx::Error> {
    let connect = PgConnectOptions::from_str(&options.url)?
        .application_name("keyturn")
        // Affects only numbers sent as text, which this crate does not use; poolers reject it.
        .extra_float_digits(None);
    let connect = if needs_verified_tls(&connect) && !names_ssl_mode(&options.url) {
        connect.ssl_mode(PgSslMode::VerifyFull)
    } else {
        connect
    };
    if options.behind_pooler {
        return Ok(without_statement_log(connect.statement_cache_capacity(0)));
    }
    let millis = options.timeout.as_millis();
    let seconds = KEEPALIVE_SECONDS.to_string();
    let connect = connect.options([
        // Single statements outside a transaction race for rows too.
        ("default_transaction_isolation", "read committed"),
        ("statement_timeout", &millis.to_string()),
        // Limits how long a node that goes silent in the middle of a transaction keeps its locks.
        ("idle_in_transaction_session_timeout", &(2 * millis).to_string()),
        ("tcp_keepalives_idle", &seconds),
        ("tcp_user_timeout", &(2 * millis).to_string()),
    ]);
    Ok(without_statement_log(connect))
}

/// Disables statement logging, because statements contain ids and addresses.
fn without_statement_log<O: sqlx::ConnectOptions>(options: O) -> O {
    options.disable_statement_logging()
}

/// Why a URL would send passwords and token ids over a connection that others can read or change; `None` if it does
/// not.
pub fn tls_finding(url: &str) -> Option<String> {
    let options = PgConnectOptions::from_str(url).ok()?;
    let is_weak = needs_verified_tls(&options)
        && names_ssl_mode(url)
        && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    is_weak.then(|| {
        format!(
            "the server {} is not on this machine, and sslmode does not verify who it is; \
             use sslmode=verify-full (with sslrootcert=FILE for a certificate authority of your own), \
             or set database.allow_unverified_tls = true if the network between is yours alone",
            options.get_host()
        )
    })
}

fn needs_verified_tls(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    !is_local
}

fn names_ssl_mode(url: &str) -> bool {
    let in_url = url.split_once('?').is_some_and(|(_, query)| {
        query
            .split('&')
            .any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="))
    });
    in_url || std::env::var_os("PGSSLMODE").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssl_mode(url: &str) -> String {
        let options = Options {
            url: url.to_owned(),
            max_connections: 1,
            timeout: Duration::from_secs(5),
            behind_pooler: false,
        };
        format!("{:?}", postgres(&options).expect("a URL").get_ssl_mode())
    }

    #[test]
    fn another_machine_is_verified_unless_the_url_says_otherwise() {
        assert_eq!(ssl_mode("postgres://u:p@db.example/keyturn"), "VerifyFull");
        assert_eq!(ssl_mode("postgres://u:p@10.0.0.7/keyturn"), "VerifyFull");
        assert_eq!(
            ssl_mode("postgres://u:p@db.example/keyturn?sslmode=require"),
            "Require"
        );
        for local in [
            "postgres://u:p@localhost/keyturn",
            "postgres://u:p@127.0.0.1:5433/keyturn",
            "postgres://u:p@[::1]/keyturn",
            "postgres:///keyturn?host=/run/postgresql",
        ] {
            assert_eq!(ssl_mode(local), "Prefer", "{local}");
        }
    }

    #[test]
    fn a_weaker_mode_to_another_machine_is_found() {
        for weak in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let url = format!("postgres://u:p@db.example/keyturn?sslmode={weak}");
            let finding = tls_finding(&url).unwrap_or_else(|| panic!("{weak} passes"));
            assert!(
                finding.contains("verify-full") && !finding.contains("u:p"),
                "{finding}"
            );
        }
        for sound in [
            "postgres://u:p@db.example/keyturn?sslmode=verify-full",
            "postgres://u:p@db.example/keyturn",
            "postgres://u:p@127.0.0.1/keyturn?sslmode=disable",
        ] {
            assert_eq!(tls_finding(sound), None, "{sound}");
        }
    }
}
