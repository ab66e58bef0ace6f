//! The operations that race against the refreshes.

use std::sync::Arc;

use rotation::{Clock, Role, UserId};
use sea_orm_migration::sea_orm::{ConnectionTrait, Database};
use store::RetentionCutoff;
use web::{
    random::{Random, SystemRandom},
    tokens::keys::{KeyManager, SigningStart},
};

use super::Race;
use crate::{
    people,
    support::{Client, PASSWORD, TestApp, client::claims},
    wire::Request,
};

const NEW_PASSWORD: &str = "another kettle of moss";
/// The number of tokens that expired long ago.
const PAST: u64 = 5_000;

/// An operation that races against the refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rival {
    /// No rival: the refreshes race only against each other.
    Refresh,
    LogOut,
    LogOutEverywhere,
    ChangePassword,
    Disable,
    Prune,
    RotateKeys,
    Restart,
}

impl Rival {
    /// The code and the reason of a refresh after it, if it ends the session.
    pub(super) const fn ends_with(self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Self::Refresh | Self::Prune | Self::RotateKeys | Self::Restart => None,
            Self::LogOut => Some(("session_revoked", Some("logout"))),
            Self::LogOutEverywhere => Some(("session_revoked", Some("logout_all"))),
            Self::ChangePassword => Some(("session_revoked", Some("password_changed"))),
            Self::Disable => Some(("account_disabled", None)),
        }
    }
}

/// Ends the session over HTTP as the rival does, and returns the browser's state after that.
pub(super) async fn end(race: &Race, mut browser: Client, user: UserId, administrator: &str) -> Client {
    let access = browser.access.clone().expect("a token");
    let cookie = browser.refresh.clone().expect("a token");
    let disable = format!("/api/admin/users/{user}/disable");
    let passwords = serde_json::json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let passwords = passwords.to_string();
    let request = match race.rival {
        Rival::LogOut => Request::post("/api/auth/logout").with_cookie(&cookie),
        Rival::LogOutEverywhere => Request::post("/api/auth/logout-all").with_bearer(&access),
        Rival::Disable => Request::post(&disable).with_bearer(administrator),
        Rival::ChangePassword => Request {
            body: Some(&passwords),
            ..Request::post("/api/account/password").with_bearer(&access)
        },
        other => unreachable!("{other:?} ends nothing"),
    };
    let gate = race.gate(0);
    let mut gate = Some(gate.as_str());
    loop {
        let request = Request { gate, ..request };
        let answer = request.send(race.address(0)).await.expect("an answer");
        if answer.asks_to_wait() {
            gate = None;
            continue;
        }
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        browser.refresh = answer.refresh_token().map(str::to_owned);
        browser.access = answer.access_token();
        return browser;
    }
}

/// Deletes rows that expired long ago, batch by batch, as a separate process would.
pub(super) async fn prune(app: &TestApp) {
    let horizon = RetentionCutoff::new(app.clock.now(), &app.state.config.policy.lifetimes);
    let mut deleted = 0;
    loop {
        let pruned = app.state.store.prune(horizon).await.expect("the store answers");
        deleted += pruned.blacklisted;
        if pruned.is_empty() {
            break;
        }
    }
    // The servers prune as well when they start.
    assert!((1..=PAST).contains(&deleted), "{deleted} were pruned");
}

pub(super) async fn rotate_keys(app: &TestApp) {
    let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
    let clock = Arc::clone(&app.clock) as Arc<dyn Clock>;
    let config = &app.state.config;
    let smith = KeyManager::new(
        config.signing,
        &config.master_secrets,
        &app.state.store,
        &clock,
        &random,
    );
    smith.rotate(SigningStart::Immediately).await.expect("a new key");
}

/// Inserts blacklisted tokens that expired long ago.
pub(super) async fn bury_the_past(app: &TestApp) {
    let now = app.clock.now().millis();
    let day = 24 * 60 * 60 * 1_000;
    let database = Database::connect(&app.db.url).await.expect("connects");
    // The key of a token that was issued twenty days ago.
    let id = if app.state.store.is_sqlite() {
        "unhex(printf('%012x', MOMENT) || '7' || printf('%019x', n))"
    } else {
        "(lpad(to_hex(MOMENT), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid"
    };
    let id = id.replace("MOMENT", &format!("({} + n)", now - 20 * day));
    let sql = format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {PAST}) \
         INSERT INTO token_blacklist (jti, session_id, generation, reason, blacklisted_at, expires_at) \
         SELECT {id}, {id}, 1, 'rotated', {}, {} FROM numbers",
        now - 19 * day,
        now - 13 * day
    );
    database.execute_unprepared(&sql).await.expect("SQL");
    database.close().await.expect("closes");
}

/// Creates an administrator, who may disable accounts, and returns the access token.
pub(super) async fn administrator(app: &TestApp) -> String {
    let mut client = app.anonymous();
    let answer = client.register("root@example.com", PASSWORD).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let user = claims(client.access.as_deref().expect("a token"))["sub"]
        .as_str()
        .and_then(|sub| sub.parse().ok())
        .expect("an id");
    let act = people::audit_context(&app.state, app.clock.now());
    let changed = app.state.store.set_role(user, Role::Admin, &act).await;
    assert!(changed.expect("the store answers"));
    let mut client = app.anonymous();
    let answer = client.login("root@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client.access.expect("a token")
}
