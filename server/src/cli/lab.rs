//! The lab comes to life: a database of its own, the product a second time, and two listeners.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rotation::{Clock, Policy, claims::Parties};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{CliError, database, serve::bind};
use crate::{
    App, AppState,
    background::Background,
    config::{Config, ConfigError, Http, LabSites},
    lab::{GRACE, Lab, attacker, victim},
    random::Random,
    serve as listener,
};

/// The lab with its ports, before it serves.
pub(super) struct OpenLab {
    pub(super) lab: Arc<Lab>,
    victim: TcpListener,
    attacker: TcpListener,
    folder: TempDir,
}

impl OpenLab {
    /// An instance of the product for the victim's origin, that knows nothing of the site's secrets and accounts.
    ///
    /// # Errors
    /// If a port is taken that was asked for, there is no room for its database, or it does not start.
    pub(super) async fn new(
        config: &Config,
        sites: &LabSites,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
    ) -> Result<Self, CliError> {
        let victim = bind_near(sites.listen, "lab.listen", sites.may_move).await?;
        let attacker = bind_near(sites.attacker_listen, "lab.attacker_listen", sites.may_move).await?;
        let mut sites = sites.clone();
        if let (true, Ok(listen), Ok(attacker)) = (sites.may_move, victim.local_addr(), attacker.local_addr())
        {
            sites = sites.moved_to(listen, attacker);
        }
        let no_room = |why| ConfigError::new("lab.enabled", format!("no folder for its database: {why}"));
        let folder = tempfile::Builder::new()
            .prefix("keyturn-lab-")
            .tempdir()
            .map_err(no_room)?;
        let own = own_config(config, &sites, &folder, &**random)?;
        let store = database::open(&own).await?;
        let app = App::new(own, store, Arc::clone(clock), Arc::clone(random)).await?;
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

    /// Serves both sites until the site itself has stopped.
    pub(super) async fn serve(self, http: &Http, stopped: &CancellationToken) {
        let background = Background::start(&self.lab.ours);
        let victim = victim::router(Arc::clone(&self.lab));
        let attacker = attacker::router(Arc::clone(&self.lab));
        tokio::join!(
            listener::serve(self.victim, victim, http, stopped.cancelled()),
            listener::serve(self.attacker, attacker, http, stopped.cancelled()),
        );
        background.stop().await;
        if let Err(error) = self.lab.ours.store.clone().close().await {
            tracing::warn!(%error, "the lab's database did not close cleanly");
        }
        if let Err(error) = self.folder.close() {
            tracing::warn!(%error, "the lab's database was not removed");
        }
    }
}

/// This port, or any if that is taken and nobody has asked for it.
async fn bind_near(address: SocketAddr, key: &'static str, may_move: bool) -> Result<TcpListener, CliError> {
    match bind(address, key).await {
        Err(_) if may_move => bind(SocketAddr::new(address.ip(), 0), key).await,
        bound => bound,
    }
}

/// What the site runs on, but for everything that could lead from one to the other.
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
        cookie_name: "__Host-lab-refresh".into(),
        lab: None,
        ..config.clone()
    };
    own.database.url = format!("sqlite://{}", folder.path().join("lab.db").display());
    // How many runs are begun is limited, and each signs in about twenty times.
    own.limits.enabled = false;
    Ok(own)
}
