//! The default of each section.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    Cookies, Database, Events, Http, Limits, Log, LogFormat, Passwords, Pooler, Revocations, Sessions,
    Tokens, TrustedProxies,
};

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
