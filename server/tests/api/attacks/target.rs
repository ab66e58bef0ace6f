//! What attacks are aimed at, and what must be true after each of them.

use http::Request;
use web::config::RawConfig;

use super::forger::Forger;
use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, on_both_databases};

/// A server with one signed-in user, who must not notice anything.
pub(super) struct Target {
    pub(super) app: TestApp,
    pub(super) user: Client,
    before: Vec<i64>,
}

/// Everything that an attack could add, remove or rotate.
const COUNTS: [&str; 7] = [
    "SELECT COUNT(*) FROM users",
    "SELECT COUNT(*) FROM sessions",
    "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL",
    "SELECT MAX(generation) FROM sessions",
    "SELECT COUNT(*) FROM token_blacklist",
    "SELECT COUNT(*) FROM security_events",
    "SELECT COUNT(*) FROM signing_keys",
];

impl Target {
    pub(super) async fn new(db: Db) -> Self {
        Self::with(db, |_| {}).await
    }

    /// With a changed configuration.
    pub(super) async fn with(db: Db, change: impl FnOnce(&mut RawConfig)) -> Self {
        let app = TestApp::with(db, |sections| {
            // Attackers are patient; how fast they may be is what other tests are about.
            sections.limits.refreshes_per_minute = 1_000_000;
            change(sections);
        })
        .await;
        let user = app.user().await;
        let before = counts(&app).await;
        Self { app, user, before }
    }

    pub(super) fn access(&self) -> &str {
        self.user.access.as_deref().expect("a token")
    }

    pub(super) fn refresh(&self) -> &str {
        self.user.refresh.as_deref().expect("a token")
    }

    /// The answer to the bearer of this token.
    pub(super) async fn bearer(&self, token: &str) -> TestResponse {
        let mut client = self.app.anonymous();
        client.access = Some(token.to_owned());
        client.get("/api/me").await
    }

    /// The answer to a refresh with this cookie.
    pub(super) async fn cookie(&self, token: &str) -> TestResponse {
        let mut client = self.app.anonymous();
        client.refresh = Some(token.to_owned());
        client.refresh().await
    }

    /// Presents each as an access token. All get the one answer that tells nothing about the reason.
    pub(super) async fn refuses_bearers(&self, tokens: impl IntoIterator<Item = impl AsRef<str>>) {
        let plain = self.bearer("a.b.c").await;
        for token in tokens {
            let token = token.as_ref();
            let answer = self.bearer(token).await;
            assert_token_refused(&answer, shown(token));
            assert_eq!(
                answer.text_without_id(),
                plain.text_without_id(),
                "{}",
                shown(token)
            );
        }
    }

    /// Presents each as the refresh cookie. All are refused, and the browser is told to forget them.
    pub(super) async fn refuses_cookies(&self, tokens: impl IntoIterator<Item = impl AsRef<str>>) {
        let plain = self.cookie("a.b.c").await;
        for token in tokens {
            let token = token.as_ref();
            let answer = self.cookie(token).await;
            assert_cookie_refused(&answer, shown(token));
            assert_eq!(
                answer.text_without_id(),
                plain.text_without_id(),
                "{}",
                shown(token)
            );
        }
    }

    /// Presents each as the token that it imitates.
    pub(super) async fn refuses_both(&self, access: &[String], refresh: &[String]) {
        self.refuses_bearers(access).await;
        self.refuses_cookies(refresh).await;
    }

    /// The server sends nothing that belongs to a session.
    pub(super) async fn send(&self, request: Request<axum::body::Body>) -> TestResponse {
        self.app.anonymous().send(request).await
    }

    /// The user's own cookie was used, so its session has rotated; nothing else has happened to it.
    pub(super) async fn assert_unharmed_but_rotated(mut self) {
        assert_eq!(self.user.refresh().await.status, 200);
        assert_eq!(self.user.get("/api/me").await.json()["email"], "ada@example.com");
    }

    /// The rows are the same, and the user goes on.
    pub(super) async fn assert_unharmed(mut self) {
        assert_eq!(
            counts(&self.app).await,
            self.before,
            "rows have changed: {COUNTS:?}"
        );
        assert_eq!(self.user.get("/api/me").await.status, 200);
        assert_eq!(self.user.refresh().await.status, 200);
        assert_eq!(self.user.get("/api/me").await.json()["email"], "ada@example.com");
    }
}

async fn counts(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in COUNTS {
        counts.push(app.number(sql).await);
    }
    counts
}

/// The beginning of a token, for messages.
fn shown(token: &str) -> &str {
    let end = token.char_indices().map(|(at, _)| at).nth(200);
    &token[..end.unwrap_or(token.len())]
}

/// 401 as RFC 6750 §3.1 has it for a token that is not accepted, and nothing besides.
#[track_caller]
pub(super) fn assert_token_refused(answer: &TestResponse, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    answer.assert_problem(401, "invalid_token");
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="invalid_token""#),
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(answer.cookies_set().count(), 0, "{what}");
}

/// 401 of the refresh endpoint, with the deletion of the cookie.
#[track_caller]
pub(super) fn assert_cookie_refused(answer: &TestResponse, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    answer.assert_problem(401, "refresh_invalid");
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="invalid_token""#),
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert!(answer.clears_the_cookie(), "{what}");
    assert_eq!(answer.cookies_set().count(), 1, "{what}");
}

/// The cross-site guard's refusal: no cookie, no permission for another origin, nowhere to go.
#[track_caller]
pub(super) fn assert_cross_site_refused(answer: &TestResponse, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    answer.assert_problem(403, "cross_site_request");
    assert_grants_nothing(answer, what);
}

/// No cookie, no permission for another origin, nowhere to go.
#[track_caller]
pub(super) fn assert_grants_nothing(answer: &TestResponse, what: &str) {
    assert_eq!(answer.cookies_set().count(), 0, "{what}");
    for name in [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-private-network",
        "location",
    ] {
        assert_eq!(answer.header(name), None, "{what}: {name}");
    }
}

on_both_databases! {
    // Without this, "nothing has changed" would prove nothing.
    async fn a_harmed_target_is_noticed(db: Db) {
        let target = Target::new(db).await;
        let mut attacker = target.app.anonymous();
        assert_eq!(attacker.register("eve@example.com", PASSWORD).await.status, 201);
        let harmed = tokio::spawn(target.assert_unharmed());
        assert!(harmed.await.expect_err("rows have changed").is_panic());
    }

    // A forger whose tokens were refused for another reason than the forgery would prove nothing.
    async fn the_forger_copies_well(db: Db) {
        let target = Target::new(db).await;
        let access = Forger::of_access(&target).await;
        let same = access.with_header(&access.header());
        assert_eq!(target.bearer(&same).await.status, 200);
        let longer = access.with_claim("exp", target.app.state.clock.now().secs() + 60);
        assert_eq!(target.bearer(&longer).await.status, 200);
        let refresh = Forger::of_refresh(&target);
        assert_eq!(target.cookie(&refresh.with_header(&refresh.header())).await.status, 200);
    }
}
