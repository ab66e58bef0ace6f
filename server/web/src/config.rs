//! Configuration: defaults, then a file, then the environment, then flags. Read once, checked once.
//!
//! # Layout
//! - this file: the validated [`Config`] that the server runs on
//! - [`RawConfig`] the sections as they are written; `defaults` their defaults; `lifetimes` defaults that follow others
//! - [`mod@load`] reads the layers and reports every mistake in one line that names the key; `environment` is one of the
//!   layers
//! - [`mod@validate`] checks across values; `lab_sites` the hosts of the lab, `master_secret` finds, generates and checks
//!   the secret, `database_url` validates database URLs, `secret_strength` rejects weak secrets

mod database_url;
mod defaults;
mod environment;
mod error;
mod lab_sites;
mod lifetimes;
pub mod load;
mod master_secret;
mod origin;
mod proxies;
mod raw;
mod secret_strength;
mod validate;

use rotation::{Policy, claims::Parties};
use secrecy::SecretString;

use crate::tokens::keys::KeyRules;

pub use database_url::sqlite_path;
pub use environment::{MisspeltVariable, misspelt_variables};
pub use error::ConfigError;
pub use lab_sites::LabSites;
pub use load::{Flags, load};
pub use origin::Origin;
pub(crate) use origin::is_loopback;
pub use proxies::TrustedProxies;
pub use raw::{
    Admin, ClearSiteData, Cookies, Database, Events, Http, Lab, Limits, Log, LogFormat, OneOrMany, Passwords,
    Pooler, RawConfig, Revocations, Secrets, Sessions, Tokens,
};
pub use validate::validate;

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
