//! The attacked endpoints of the victim's host, and the cookies of their servers.

use api_types::paths;
use lab_types::{CsrfDefence, RaceDefence, Strategy};

/// The name of the product's refresh cookie on the victim's host.
pub const PRODUCT_COOKIE: &str = "__Host-lab-refresh";

/// The change that the attacks on our own strategy try to make, behind the product's own guards.
pub const TRANSFER: &str = "/api/transfer";

/// The cookies of the naive server.
pub const ACCESS_COOKIE: &str = "lab_access";
pub const REFRESH_COOKIE: &str = "lab_refresh";
pub const SESSION_COOKIE: &str = "lab_session";

/// The session's cookies of the endpoints with a CSRF defence, by their `SameSite` attribute.
pub const UNRESTRICTED_COOKIE: &str = "lab_none";
pub const LAX_COOKIE: &str = "lab_lax";
pub const STRICT_COOKIE: &str = "lab_strict";
/// The cookies whose value must also be in the body.
pub const DOUBLE_SUBMIT_COOKIE: &str = "lab_csrf";
pub const HOST_DOUBLE_SUBMIT_COOKIE: &str = "__Host-lab_csrf";

/// The path on which a sibling sets its own cookie: longer than the genuine one, so that it is sent first.
pub const TOSSED_PATH: &str = "/guarded";

/// Another site's page cannot read the secret of a double submit, so it makes one up.
pub const FORGED_TOKEN: &str = "made-up-by-mallory";

/// The refresh cookie of the servers of the race experiment.
pub const RACE_COOKIE: &str = "lab_race";

/// The page with injected content. Its policy is that of the cell in the query.
pub const VULNERABLE_PAGE: &str = "/page";

/// The user agent of the attacker's server: not hidden, so that the evidence distinguishes it.
pub const ATTACKER_AGENT: &str = "mallory/1.0";

/// The endpoints of the victim's server, for each strategy. An attacker knows them, because anyone can inspect the
/// page.
#[derive(Debug, Clone)]
pub struct VictimEndpoints {
    pub login: String,
    pub logout: String,
    pub refresh: String,
    pub transfer: String,
    pub me: String,
}

impl VictimEndpoints {
    pub fn of(strategy: Strategy) -> Self {
        if strategy == Strategy::Keyturn {
            return Self {
                login: paths::LOGIN.into(),
                logout: paths::LOGOUT.into(),
                refresh: paths::REFRESH.into(),
                transfer: TRANSFER.into(),
                me: paths::ME.into(),
            };
        }
        let endpoint = |name: &str| format!("/weak/{}/{name}", strategy.slug());
        Self {
            login: endpoint("login"),
            logout: endpoint("logout"),
            refresh: endpoint("refresh"),
            transfer: endpoint("transfer"),
            me: endpoint("me"),
        }
    }
}

/// The endpoint that a CSRF defence protects.
pub fn csrf_endpoint(defence: CsrfDefence) -> String {
    match defence {
        // Our only endpoint that is authenticated by a cookie alone.
        CsrfDefence::Keyturn => paths::REFRESH.into(),
        _ => format!("/guarded/{}/transfer", defence.slug()),
    }
}

/// The session cookie of that endpoint.
pub fn csrf_session_cookie(defence: CsrfDefence) -> &'static str {
    match defence {
        CsrfDefence::Lax => LAX_COOKIE,
        CsrfDefence::Strict => STRICT_COOKIE,
        CsrfDefence::Keyturn => PRODUCT_COOKIE,
        _ => UNRESTRICTED_COOKIE,
    }
}

/// The refresh endpoint of a column of the race experiment, and its cookie.
pub fn race_refresh(defence: RaceDefence) -> (String, &'static str) {
    if is_product(defence) {
        (paths::REFRESH.into(), PRODUCT_COOKIE)
    } else {
        (format!("/race/{}/refresh", defence.slug()), RACE_COOKIE)
    }
}

/// Whether a column of the race experiment is the product itself.
pub fn is_product(defence: RaceDefence) -> bool {
    matches!(defence, RaceDefence::Server | RaceDefence::Together)
}
