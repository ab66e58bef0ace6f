//! Configuration: defaults, then a file, then the environment, then flags. Read once, checked once.
//!
//! # Layout
//! - this file: the sections as they are written, and the checked [`Config`] that the server runs on
//! - [`mod@load`] reads the layers and reports every mistake in one line that names the key; `environment` is one of the
//!   layers
//! - [`validate`] checks across values; `database_url` validates database URLs, `secret_strength` rejects weak secrets

mod database_url;
mod environment;
mod error;
pub mod load;
mod origin;
mod proxies;
mod secret_strength;
pub mod validate;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use rotation::{Policy, claims::Parties};
use secrecy::SecretString;
use serde::Deserialize;

use crate::tokens::keys::KeyRules;

pub use environment::{MisspeltVariable, misspelt_variables};
pub use error::ConfigError;
pub use load::{Flags, load};
pub use origin::Origin;
pub(crate) use origin::is_loopback;
pub use proxies::TrustedProxies;

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub http: Http,
    pub origin: Origin,
    pub database: Database,
    pub events: Events,
    /// Newest first, never empty.
    pub master_secrets: Vec<SecretString>,
    pub policy: Policy,
    pub parties: Parties,
    pub signing: KeyRules,
    pub cookie_name: String,
    pub passwords: Passwords,
    pub limits: Limits,
    pub sessions: Sessions,
    pub revocations: Revocations,
    pub admin: Admin,
    /// `None`: the lab is disabled.
    pub lab: Option<LabSites>,
    pub log: Log,
}

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

/// The hosts of the lab, checked.
#[derive(Clone)]
pub struct LabSites {
    pub listen: SocketAddr,
    pub attacker_listen: SocketAddr,
    pub victim: Origin,
    pub attacker: Origin,
    /// A host below the victim's, controlled by the attacker. Browsers treat it as the same site.
    pub sibling: Origin,
    /// A database only for the lab; `None` is a temporary file that is deleted when the process ends.
    pub database_url: Option<String>,
    /// These ports are defaults: if one is taken, another may be used.
    pub allow_port_fallback: bool,
}

impl LabSites {
    /// The same hosts of a loopback origin on other ports.
    ///
    /// # Panics
    /// If the origins are not http loopback names, whose ports this process cannot choose.
    #[must_use]
    pub fn on_ports(self, listen: SocketAddr, attacker_listen: SocketAddr) -> Self {
        let moved = |origin: &Origin, port| {
            Origin::parse(&format!("http://{}:{port}", origin.host())).expect("a loopback name with a port")
        };
        Self {
            victim: moved(&self.victim, listen.port()),
            attacker: moved(&self.attacker, attacker_listen.port()),
            sibling: moved(&self.sibling, attacker_listen.port()),
            listen,
            attacker_listen,
            allow_port_fallback: false,
            ..self
        }
    }
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

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_origin: None,
            trusted_proxies: TrustedProxies::Unset,
            hsts_include_subdomains: false,
            clear_site_data: Vec::new(),
            site_dir: PathBuf::from("target/site"),
            header_timeout: Duration::from_secs(10),
            // Longer than the 60 s for which nginx and most load balancers keep a connection, so that they close first.
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_connections: 400,
            max_connections_per_address: 128,
            request_timeout: Duration::from_secs(15),
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite://data/keyturn.db".into(),
            max_connections: 16,
            timeout: Duration::from_secs(5),
            pooler: Pooler::None,
            allow_unverified_tls: false,
            prune_every: 10 * MINUTE,
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            access_ttl: 15 * MINUTE,
            refresh_idle_ttl: 7 * DAY,
            refresh_idle_ttl_shared: DAY / 2,
            refresh_absolute_ttl: 30 * DAY,
            reuse_grace: Duration::from_secs(10),
            recover_lost_writes: true,
            signing_alg: "EdDSA".into(),
            key_rotation: 90 * DAY,
            issuer: None,
            audience: "keyturn".into(),
        }
    }
}

impl Tokens {
    /// Adjusts the default lifetimes to the configured ones, so that an operator who sets one need not know the others.
    /// Two configured lifetimes are never changed: if they contradict each other, that is an error.
    pub(super) fn fill_unset_lifetimes(&mut self, is_set: impl Fn(&str) -> bool) {
        let [access, idle, shared, absolute, grace] = [
            "access_ttl",
            "refresh_idle_ttl",
            "refresh_idle_ttl_shared",
            "refresh_absolute_ttl",
            "reuse_grace",
        ]
        .map(is_set);
        // From the longest to the shortest: first what must be longer than the configured values, …
        if !absolute {
            for (is_set, other) in [
                (idle, self.refresh_idle_ttl),
                (shared, self.refresh_idle_ttl_shared),
            ] {
                if is_set {
                    self.refresh_absolute_ttl = self.refresh_absolute_ttl.max(other);
                }
            }
        }
        if !idle {
            if shared {
                self.refresh_idle_ttl = self.refresh_idle_ttl.max(self.refresh_idle_ttl_shared);
            }
            if access && self.refresh_idle_ttl <= self.access_ttl {
                self.refresh_idle_ttl = self.refresh_absolute_ttl;
            }
            // … then what must be shorter.
            self.refresh_idle_ttl = self.refresh_idle_ttl.min(self.refresh_absolute_ttl);
        }
        if !shared {
            if access && self.refresh_idle_ttl_shared <= self.access_ttl {
                self.refresh_idle_ttl_shared = self.refresh_idle_ttl;
            }
            self.refresh_idle_ttl_shared = self.refresh_idle_ttl_shared.min(self.refresh_idle_ttl);
        }
        if !access {
            let shortest = self.refresh_idle_ttl.min(self.refresh_idle_ttl_shared);
            self.access_ttl = self.access_ttl.min(shortest / 2);
        }
        if !grace {
            self.reuse_grace = self.reuse_grace.min(self.access_ttl / 2);
        }
    }
}

impl Default for Cookies {
    fn default() -> Self {
        Self {
            name: "__Host-refresh".into(),
        }
    }
}

impl Default for Passwords {
    /// The first choice of the OWASP Password Storage Cheat Sheet for small hosts.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            min_length: 15,
            breached_filter: None,
            concurrency: 0,
            queue_timeout: Duration::from_secs(2),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            body_bytes: 16 * 1024,
            attempts_per_minute: 120,
            refreshes_per_minute: 120,
        }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { max_per_account: 100 }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { retention: 180 * DAY }
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(5),
            refuse_when_stale: true,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Text,
        }
    }
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

/// Omits the URL of its database, which may contain a password.
impl fmt::Debug for LabSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabSites")
            .field("listen", &self.listen)
            .field("attacker_listen", &self.attacker_listen)
            .field("victim", &self.victim)
            .field("attacker", &self.attacker)
            .field("sibling", &self.sibling)
            .finish_non_exhaustive()
    }
}
