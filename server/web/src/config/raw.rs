//! The sections of the configuration as they are written.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;

use super::TrustedProxies;

/// The sections as they are written. Unknown keys are refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    pub http: Http,
    pub database: Database,
    pub secrets: Secrets,
    pub tokens: Tokens,
    pub cookies: Cookies,
    pub passwords: Passwords,
    pub limits: Limits,
    pub sessions: Sessions,
    pub events: Events,
    pub revocations: Revocations,
    pub admin: Admin,
    pub lab: Lab,
    pub log: Log,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: SocketAddr,
    /// `None`: `http://localhost` on the listener's port.
    pub public_origin: Option<String>,
    /// Peers whose forwarding headers are trusted. Required with an https origin.
    pub trusted_proxies: TrustedProxies,
    /// With an https origin: whether browsers also have to use https for all subdomains of its host (RFC 6797 §6.1.2).
    pub hsts_include_subdomains: bool,
    /// What browsers have to clear after a sign-out, in addition to the refresh cookie.
    pub clear_site_data: Vec<ClearSiteData>,
    /// Where `./dev` puts the built pages: WASM, JavaScript, CSS, icons.
    pub site_dir: PathBuf,
    /// How long a client may take to send the head of a request, from its first byte.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How long a connection may stay open between two requests, and before the first.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How long a client may accept no data of a response before the connection is closed.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    /// How many connections may be open.
    pub max_connections: usize,
    /// How many of them one IPv4 address or IPv6 /64 network may have. Trusted proxies are exempt.
    pub max_connections_per_address: usize,
    /// The maximum total time of a request.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long requests in progress may take to finish after a signal to stop.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
}

/// A kind of data that browsers keep for a site (W3C Clear Site Data §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClearSiteData {
    Cache,
    Cookies,
    Storage,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    pub url: String,
    /// Connections to PostgreSQL.
    pub max_connections: u32,
    /// How long a request waits for a connection, for a lock and for the result of each statement before it fails with
    /// 503.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// The pooler between this server and PostgreSQL.
    pub pooler: Pooler,
    /// Accept a PostgreSQL server on another machine without verifying its certificate.
    pub allow_unverified_tls: bool,
    /// How often expired rows are deleted.
    #[serde(with = "humantime_serde")]
    pub prune_every: Duration,
}

/// The pooler between this server and PostgreSQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// No pooler, or one that keeps a connection for each client (PgBouncer's `pool_mode = session`).
    #[default]
    None,
    /// A pooler that assigns a connection to each transaction (PgBouncer's `pool_mode = transaction`).
    Transaction,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    pub master: Option<OneOrMany>,
}

/// A secret, or several: newest first.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(SecretString),
    Many(Vec<SecretString>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    #[serde(with = "humantime_serde")]
    pub access_ttl: Duration,
    #[serde(with = "humantime_serde")]
    pub refresh_idle_ttl: Duration,
    /// The idle lifetime if “Keep me signed in” is switched off.
    #[serde(with = "humantime_serde")]
    pub refresh_idle_ttl_shared: Duration,
    #[serde(with = "humantime_serde")]
    pub refresh_absolute_ttl: Duration,
    #[serde(with = "humantime_serde")]
    pub reuse_grace: Duration,
    /// Whether a refresh token that is newer than its session in the database continues the session.
    pub recover_lost_writes: bool,
    /// The algorithm of new access token keys.
    pub signing_alg: String,
    /// How long such a key signs before the next is published. `0s`: until `keyturn keys rotate`.
    #[serde(with = "humantime_serde")]
    pub key_rotation: Duration,
    /// `None`: the public origin.
    pub issuer: Option<String>,
    pub audience: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cookies {
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// In code points.
    pub min_length: usize,
    /// A file from `keyturn passwords build-filter`. `None`: breached passwords are not checked.
    pub breached_filter: Option<PathBuf>,
    /// How many passwords are hashed at the same time. `0`: one per core.
    pub concurrency: usize,
    /// How long a request waits for a hashing permit before it fails with 503.
    #[serde(with = "humantime_serde")]
    pub queue_timeout: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// `false` is for load tests and is refused with an https origin.
    pub enabled: bool,
    /// The maximum size of a request body, in bytes.
    pub body_bytes: usize,
    /// Sign-ins and registrations per network address and minute.
    pub attempts_per_minute: u32,
    /// Refreshes per session and minute, also the burst size. Per node.
    pub refreshes_per_minute: u32,
}

/// Sessions of an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// The maximum number of concurrent sessions per account. Beyond it, a new session ends the least recently used
    /// one.
    pub max_per_account: u32,
}

/// The timelines of accounts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// How long an event is kept.
    #[serde(with = "humantime_serde")]
    pub retention: Duration,
}

/// What this node does when it cannot read which sessions have ended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocations {
    /// The maximum age of the revocation cache. It is refreshed twice a second.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
    /// What happens beyond that age: access tokens are refused with 503, or accepted although their session may have
    /// ended.
    pub refuse_when_stale: bool,
}

/// A separate listener for `/metrics` (Prometheus). It must not be exposed publicly. Without an address: none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    pub listen: Option<SocketAddr>,
    /// The host names, without a port, that the listener accepts. IP addresses and `localhost` always work.
    pub hosts: Vec<String>,
}

/// The lab: a victim's and an attacker's site, each with its own listener and origin.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lab {
    pub enabled: bool,
    /// `None`: two ports above `http.listen`, and three for the attacker; any free ports if those are taken.
    pub listen: Option<SocketAddr>,
    pub attacker_listen: Option<SocketAddr>,
    /// `None`: `lab.localhost` and `attacker.localhost` on the listeners' ports.
    pub origin: Option<String>,
    pub attacker_origin: Option<String>,
    /// `None`: `sibling.lab.localhost`, on the attacker's listener.
    pub sibling_origin: Option<String>,
    /// `None`: SQLite, in a temporary folder.
    pub database_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter such as `info` or `info,server=debug`.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Database {
    /// The options with which the store opens it.
    pub fn options(&self) -> store::Options {
        store::Options {
            url: self.url.clone(),
            max_connections: self.max_connections,
            timeout: self.timeout,
            behind_pooler: self.pooler == Pooler::Transaction,
        }
    }
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// Omits the URL of its database, which may contain a password.
impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("enabled", &self.enabled)
            .field("listen", &self.listen)
            .field("attacker_listen", &self.attacker_listen)
            .field("origin", &self.origin)
            .field("attacker_origin", &self.attacker_origin)
            .field("sibling_origin", &self.sibling_origin)
            .finish_non_exhaustive()
    }
}
