//! Checks across configuration values, before a port is opened.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use rotation::{Lifetimes, Policy, PolicyError, claims::Parties};
use tracing_subscriber::EnvFilter;

use super::{
    Config, ConfigError, Database, Origin, Passwords, Pooler, RawConfig, Tokens, database_url,
    lab_sites::lab_sites, master_secret::master_secrets,
};
use crate::{
    passwords::{breached::BreachedFilter, cost::Cost},
    tokens::keys::KeyRules,
};

/// Validates a configuration and, unless `read_only` is set, generates the master secret of an embedded database.
///
/// # Errors
/// The first value that contradicts another, or is unsafe.
pub fn validate(raw: RawConfig, read_only: bool) -> Result<Config, ConfigError> {
    let RawConfig {
        http,
        mut database,
        secrets,
        tokens,
        cookies,
        passwords,
        limits,
        sessions,
        events,
        revocations,
        admin,
        mut lab,
        log,
    } = raw;

    let origin = match &http.public_origin {
        Some(text) => Origin::parse(text).map_err(|why| ConfigError::new("http.public_origin", why))?,
        None => Origin::parse(&format!("http://localhost:{}", http.listen.port()))
            .map_err(|why| ConfigError::new("http.public_origin", why))?,
    };
    check_listener(&origin, http.listen)?;
    if origin.is_https() {
        let checked = http.trusted_proxies.check_https();
        checked.map_err(|why| ConfigError::new("http.trusted_proxies", why))?;
    }
    for (key, duration) in [
        ("http.header_timeout", http.header_timeout),
        ("http.idle_timeout", http.idle_timeout),
        ("http.write_timeout", http.write_timeout),
        ("http.request_timeout", http.request_timeout),
        ("database.timeout", database.timeout),
        ("passwords.queue_timeout", passwords.queue_timeout),
        ("database.prune_every", database.prune_every),
    ] {
        if duration < Duration::from_millis(100) {
            return Err(ConfigError::new(key, "must be at least 100ms"));
        }
    }
    for (key, limit) in [
        ("http.max_connections", http.max_connections),
        (
            "http.max_connections_per_address",
            http.max_connections_per_address,
        ),
    ] {
        if limit == 0 {
            return Err(ConfigError::new(key, "must be at least 1"));
        }
    }
    if database.max_connections == 0 {
        return Err(ConfigError::new("database.max_connections", "must be at least 1"));
    }
    EnvFilter::try_new(&log.filter).map_err(|why| ConfigError::new("log.filter", why))?;
    database.url = database_url_of("database.url", &database.url)?;
    if let Some(url) = &mut lab.database_url {
        *url = database_url_of("lab.database_url", url)?;
    }
    check_database(&database)?;
    let policy = policy_of(&tokens)?;
    let signing = signing_of(&tokens)?;
    check_cookie_name(&cookies.name)?;
    check_passwords(&passwords)?;
    if limits.body_bytes < 1024 {
        return Err(ConfigError::new("limits.body_bytes", "must be at least 1024"));
    }
    if limits.attempts_per_minute == 0 {
        let why = "must be at least 1; to switch limits off for a load test set limits.enabled = false";
        return Err(ConfigError::new("limits.attempts_per_minute", why));
    }
    if limits.refreshes_per_minute < 60 {
        let why =
            "must be at least 60: many tabs that open together refresh together, and would have to wait";
        return Err(ConfigError::new("limits.refreshes_per_minute", why));
    }
    if !limits.enabled && origin.is_https() {
        let why = "may be false only on a loopback origin, for load tests; this one is https";
        return Err(ConfigError::new("limits.enabled", why));
    }
    if sessions.max_per_account == 0 {
        let why = "must be at least 1: a sign-in needs a session";
        return Err(ConfigError::new("sessions.max_per_account", why));
    }
    if events.retention < Duration::from_hours(24) {
        let why = "must be at least 1d: owners read there what happened while they were away";
        return Err(ConfigError::new("events.retention", why));
    }
    if revocations.max_age < Duration::from_secs(1) {
        let why = "must be at least 1s: ended sessions are read twice a second";
        return Err(ConfigError::new("revocations.max_age", why));
    }
    if admin.listen == Some(http.listen) {
        let why = "must not be http.listen: metrics must not be public";
        return Err(ConfigError::new("admin.listen", why));
    }
    let lab = lab.enabled.then(|| lab_sites(&lab, &http, &origin)).transpose()?;
    if lab
        .as_ref()
        .is_some_and(|lab| lab.database_url.as_ref() == Some(&database.url))
    {
        let why = "must not be database.url: the lab's accounts are nothing to the site's";
        return Err(ConfigError::new("lab.database_url", why));
    }
    let master_secrets = master_secrets(secrets.master, &origin, &database.url, read_only)?;

    let parties = Parties {
        issuer: tokens.issuer.unwrap_or_else(|| origin.as_str().to_owned()),
        audience: tokens.audience,
    };
    if parties.audience == parties.refresh_audience() {
        let why = "must not be the refresh endpoint: it distinguishes the two kinds of token";
        return Err(ConfigError::new("tokens.audience", why));
    }

    Ok(Config {
        parties,
        cookie_name: cookies.name,
        http,
        origin,
        database,
        master_secrets,
        policy,
        signing,
        passwords,
        limits,
        sessions,
        events,
        revocations,
        admin,
        lab,
        log,
    })
}

/// Without a TLS proxy the browser talks to the listener directly, so both must use the same port and address family.
fn check_listener(origin: &Origin, listen: SocketAddr) -> Result<(), ConfigError> {
    // Another machine or network namespace may be in between; its ports cannot be checked here.
    if origin.is_https() || !listen.ip().is_loopback() {
        return Ok(());
    }
    let contradiction = |why: String| Err(ConfigError::new("http.public_origin", why));
    if origin.port() != listen.port() {
        return contradiction(format!(
            "{origin} contradicts http.listen {listen}: the ports differ"
        ));
    }
    let reachable = match origin.host() {
        url::Host::Ipv4(ip) => listen.ip() == *ip,
        url::Host::Ipv6(ip) => listen.ip() == *ip,
        url::Host::Domain(_) => true,
    };
    if !reachable {
        return contradiction(format!(
            "{origin} contradicts http.listen {listen}: nothing would answer there"
        ));
    }
    Ok(())
}

fn check_database(database: &Database) -> Result<(), ConfigError> {
    if database_url::is_postgres(&database.url) {
        return match store::tls_finding(&database.url) {
            Some(finding) if !database.allow_unverified_tls => Err(ConfigError::new("database.url", finding)),
            _ => Ok(()),
        };
    }
    if database.pooler != Pooler::None {
        let why = "is for PostgreSQL; remove it, or name a postgres:// database in database.url";
        return Err(ConfigError::new("database.pooler", why));
    }
    Ok(())
}

/// Converts the URL into the form that the drivers expect. No error contains any part of it.
fn database_url_of(key: &str, url: &str) -> Result<String, ConfigError> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    database_url::normalize(url, home.as_deref()).map_err(|why| ConfigError::new(key, why))
}

fn policy_of(tokens: &Tokens) -> Result<Policy, ConfigError> {
    let lifetimes = Lifetimes {
        access: tokens.access_ttl,
        refresh_idle: tokens.refresh_idle_ttl,
        refresh_idle_shared: tokens.refresh_idle_ttl_shared,
        refresh_absolute: tokens.refresh_absolute_ttl,
    };
    let policy = Policy::new(lifetimes, tokens.reuse_grace).map_err(|why| {
        let key = match why {
            PolicyError::AccessTooShort | PolicyError::AccessOutlivesIdle => "tokens.access_ttl",
            PolicyError::IdleExceedsAbsolute => "tokens.refresh_idle_ttl",
            PolicyError::SharedOutsideBounds => "tokens.refresh_idle_ttl_shared",
            PolicyError::GraceTooLong => "tokens.reuse_grace",
        };
        ConfigError::new(key, why)
    })?;
    Ok(Policy {
        recover_lost_writes: tokens.recover_lost_writes,
        ..policy
    })
}

fn signing_of(tokens: &Tokens) -> Result<KeyRules, ConfigError> {
    let alg = tokens
        .signing_alg
        .parse()
        .map_err(|why| ConfigError::new("tokens.signing_alg", why))?;
    let mut rules = KeyRules {
        alg,
        access_ttl: tokens.access_ttl,
        rotate_every: None,
    };
    if !tokens.key_rotation.is_zero() {
        // A key would still be in its lead or tail when it gets a second successor, and the key set would grow.
        if tokens.key_rotation < rules.lead() + rules.tail() {
            let why = "must be 0s (off), or longer than a key is published and seen off: access_ttl and about 5 minutes";
            return Err(ConfigError::new("tokens.key_rotation", why));
        }
        rules.rotate_every = Some(tokens.key_rotation);
    }
    Ok(rules)
}

/// The prefix makes browsers require Secure, `Path=/` and no Domain (RFC 6265bis §4.1.3.2).
fn check_cookie_name(name: &str) -> Result<(), ConfigError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match name.strip_prefix("__Host-") {
        Some(rest) if !rest.is_empty() && rest.bytes().all(token) => Ok(()),
        _ => {
            let why = "must begin with __Host- and go on with letters, digits, '-', '_' or '.'";
            Err(ConfigError::new("cookies.name", why))
        }
    }
}

fn check_passwords(passwords: &Passwords) -> Result<(), ConfigError> {
    let refuse = |key: &str, why: &str| Err(ConfigError::new(format!("passwords.{key}"), why));
    // The weakest of the equivalent choices in the OWASP Password Storage Cheat Sheet is 7 MiB with 5 passes. The upper
    // bounds apply to stored hashes too: a hash that exceeds them is refused at sign-in.
    if !(7_168..=Cost::MAX.memory_kib).contains(&passwords.memory_kib) {
        return refuse("memory_kib", "must lie between 7168 and 1048576");
    }
    if !(1..=Cost::MAX.iterations).contains(&passwords.iterations) {
        return refuse("iterations", "must lie between 1 and 16");
    }
    if u64::from(passwords.memory_kib) * u64::from(passwords.iterations) < 35_840 {
        return refuse(
            "iterations",
            "too few for this memory_kib: their product must be at least 35840",
        );
    }
    if !(1..=Cost::MAX.parallelism).contains(&passwords.parallelism) {
        return refuse("parallelism", "must lie between 1 and 16");
    }
    if !(8..=64).contains(&passwords.min_length) {
        return refuse("min_length", "must lie between 8 and 64 code points");
    }
    if let Some(path) = &passwords.breached_filter
        && let Err(why) = BreachedFilter::open(path)
    {
        return refuse("breached_filter", &format!("{} {why}", path.display()));
    }
    Ok(())
}
