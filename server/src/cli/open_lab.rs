//! Starts the lab: a separate database, a second instance of the product, and two listeners.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use governor::clock::MonotonicClock;
use lab::{GRACE, Lab, PRODUCT_COOKIE, attacker, victim};
use rotation::{Clock, Policy, claims::Parties};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use web::{
    App, AppState,
    background::Background,
    config::{Config, ConfigError, Http, LabSites},
    random::Random,
    security_log::SecurityLog,
    serve::{self as listener, ConnectionGate},
    telemetry::without_metrics,
};

use super::{database, error::CliError, listen::bind};

/// The lab with its open ports, before it serves.
pub(super) struct OpenLab {
    pub(super) lab: Arc<Lab>,
    victim: TcpListener,
    attacker: TcpListener,
    folder: TempDir,
}

impl OpenLab {
    /// Creates an instance of the product for the victim's origin, without access to the site's secrets and accounts.
    ///
    /// # Errors
    /// If a configured port is taken, there is no space for its database, or the instance does not start.
    pub(super) async fn new(
        config: &Config,
        sites: &LabSites,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Result<Self, CliError> {
        let victim = bind_near(sites.listen, "lab.listen", sites.allow_port_fallback).await?;
        let attacker = bind_near(
            sites.attacker_listen,
            "lab.attacker_listen",
            sites.allow_port_fallback,
        )
        .await?;
        let mut sites = sites.clone();
        if let (true, Ok(listen), Ok(attacker)) = (
            sites.allow_port_fallback,
            victim.local_addr(),
            attacker.local_addr(),
        ) {
            sites = sites.on_ports(listen, attacker);
        }
        let no_room = |why| ConfigError::new("lab.enabled", format!("no folder for its database: {why}"));
        let folder = tempfile::Builder::new()
            .prefix("keyturn-lab-")
            .tempdir()
            .map_err(no_room)?;
        let own = own_config(config, &sites, &folder, &**random)?;
        let store = database::open(&own).await?;
        let mut app = without_metrics(App::new(own, store, Arc::clone(clock), Arc::clone(random))).await?;
        app.security_log = SecurityLog::new(&MonotonicClock).silent();
        let lab = Lab::new(
            sites,
            config.origin.clone(),
            AppState::new(app),
            Arc::clone(random),
        );
        Ok(Self {
            lab: Arc::new(lab),
            victim,
            attacker,
            folder,
        })
    }

    /// Serves both sites until the lab is closed.
    pub(super) async fn serve(self, http: &Http) {
        let background = Background::start_without_metrics(&self.lab.product.app);
        let victim = victim::router(&self.lab);
        let attacker = attacker::router(&self.lab);
        let gate = ConnectionGate::small(http);
        tokio::join!(
            listener::serve_through(self.victim, victim, http, &gate, self.lab.closed()),
            listener::serve_through(self.attacker, attacker, http, &gate, self.lab.closed()),
        );
        background.stop().await;
        if let Err(error) = self.lab.product.app.store.clone().close().await {
            tracing::warn!(%error, "lab database not closed cleanly");
        }
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "lab database not removed");
        }
    }
}

/// Binds this port, or any free port if it is taken and was not configured explicitly.
async fn bind_near(
    address: SocketAddr,
    key: &'static str,
    allow_port_fallback: bool,
) -> Result<TcpListener, CliError> {
    match bind(address, key).await {
        Err(_) if allow_port_fallback => bind(SocketAddr::new(address.ip(), 0), key).await,
        bound => bound,
    }
}

/// The site's configuration without anything that could link the two sites.
fn own_config(
    config: &Config,
    sites: &LabSites,
    folder: &TempDir,
    random: &dyn Random,
) -> Result<Config, ConfigError> {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<48>());
    let policy =
        Policy::new(config.policy.lifetimes, GRACE).map_err(|why| ConfigError::new("lab.enabled", why))?;
    let mut own = Config {
        origin: sites.victim.clone(),
        master_secrets: vec![SecretString::from(secret)],
        policy,
        parties: Parties {
            issuer: sites.victim.as_str().to_owned(),
            audience: "keyturn-lab".into(),
        },
        cookie_name: PRODUCT_COOKIE.into(),
        lab: None,
        ..config.clone()
    };
    own.database.url = sites
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("lab.db").display()));
    // Its sign-ins leave the processor to those of the site.
    own.passwords.concurrency = 1;
    Ok(own)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use web::{
        config::{RawConfig, validate},
        random::SystemRandom,
    };

    /// The two sites share nothing that would make one accept the other's tokens or cookies.
    #[test]
    fn the_lab_s_product_has_nothing_of_the_site_s() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut raw = RawConfig::default();
        raw.database.url = format!("sqlite://{}/keyturn.db", folder.path().display());
        raw.lab.enabled = true;
        let config = validate(raw, true).expect("a sound configuration");
        let sites = config.lab.clone().expect("an open lab");
        let own = own_config(&config, &sites, &folder, &SystemRandom::default()).expect("a configuration");

        assert_ne!(own.origin, config.origin);
        assert_ne!(own.parties.issuer, config.parties.issuer);
        assert_ne!(own.parties.audience, config.parties.audience);
        assert_ne!(own.cookie_name, config.cookie_name);
        assert_ne!(own.database.url, config.database.url);
        let secret = |config: &Config| config.master_secrets[0].expose_secret().to_owned();
        assert_ne!(secret(&own), secret(&config));
        assert_eq!(own.master_secrets.len(), 1);
        assert!(own.lab.is_none(), "no lab within the lab");
    }
}
