//! The hosts of the lab: a victim's and an attacker's site, which browsers must isolate from the product.

use std::{fmt, net::SocketAddr};

use super::{ConfigError, Http, Lab, Origin};

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

/// Checks the hosts of the lab, which browsers must isolate from each other: the site, the lab's victim, and the
/// attacker, who also has a host below the victim's.
pub(super) fn lab_sites(lab: &Lab, http: &Http, home: &Origin) -> Result<LabSites, ConfigError> {
    let above = |ports: u16| {
        let port = http.listen.port().checked_add(ports);
        let port = port
            .ok_or_else(|| ConfigError::new("lab.listen", "is needed: http.listen has no ports above it"))?;
        Ok(SocketAddr::new(http.listen.ip(), port))
    };
    let listen = lab.listen.map_or_else(|| above(2), Ok)?;
    let attacker_listen = lab.attacker_listen.map_or_else(|| above(3), Ok)?;
    // Port 0 means any free port, so two of them never collide.
    let are_one = |one: SocketAddr, other: SocketAddr| one == other && one.port() != 0;
    if are_one(listen, attacker_listen)
        || are_one(listen, http.listen)
        || are_one(attacker_listen, http.listen)
    {
        let why = "the site, the lab and its attacker need a listener each";
        return Err(ConfigError::new("lab.listen", why));
    }
    let origin = |key: &'static str, given: &Option<String>, name: &str, port: u16| {
        let text = match given {
            Some(text) => text.clone(),
            None if home.is_https() => {
                return Err(ConfigError::new(
                    key,
                    "is required with an https origin: a separate host",
                ));
            }
            None => format!("http://{name}:{port}"),
        };
        Origin::parse(&text).map_err(|why| ConfigError::new(key, why))
    };
    let victim = origin("lab.origin", &lab.origin, "lab.localhost", listen.port())?;
    let attacker = origin(
        "lab.attacker_origin",
        &lab.attacker_origin,
        "attacker.localhost",
        attacker_listen.port(),
    )?;
    // Cookies are bound to hosts, not to ports: on one host the lab's cookies would be the site's.
    if victim.host() == home.host() || attacker.host() == home.host() || victim.host() == attacker.host() {
        let why =
            "the site, the lab and its attacker need a host each; ports alone do not keep cookies apart";
        return Err(ConfigError::new("lab.origin", why));
    }
    let below =
        |one: &Origin, other: &Origin| one.host().to_string().ends_with(&format!(".{}", other.host()));
    if below(home, &victim) || below(&attacker, &victim) {
        let why = "must not be above the host of the site or of the attacker, whose cookies would be its own";
        return Err(ConfigError::new("lab.origin", why));
    }
    if below(home, &attacker) || below(&victim, &attacker) {
        let why = "must not be above the host of the site or of the lab, which would take its cookies";
        return Err(ConfigError::new("lab.attacker_origin", why));
    }
    let sibling = origin(
        "lab.sibling_origin",
        &lab.sibling_origin,
        &format!("sibling.{}", victim.host()),
        attacker_listen.port(),
    )?;
    if !below(&sibling, &victim) {
        let why = "has to be a host below that of lab.origin, such as sibling.lab.example.com";
        return Err(ConfigError::new("lab.sibling_origin", why));
    }
    let allow_port_fallback = [&lab.listen, &lab.attacker_listen]
        .iter()
        .all(|given| given.is_none())
        && [&lab.origin, &lab.attacker_origin, &lab.sibling_origin]
            .iter()
            .all(|given| given.is_none());
    Ok(LabSites {
        listen,
        attacker_listen,
        victim,
        attacker,
        sibling,
        database_url: lab.database_url.clone(),
        allow_port_fallback,
    })
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
