//! Live simulations: actions on a session of the lab's product, and the reported state of its tokens. Closed labs are in
//! `endpoint_coverage.rs`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    lab::LabSite,
    support::{Client, TestResponse},
};

/// Longer than the product's grace period, which is not the lab's 2 seconds here.
const AFTER_GRACE: Duration = Duration::from_secs(11);

/// A simulation and its viewer.
struct LiveSimulation {
    lab_site: LabSite,
    visitor: Client,
    id: String,
}

impl LiveSimulation {
    async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    async fn with_design(design: &str) -> Self {
        Self::start_with(json!({ "design": design })).await
    }

    async fn start_with(new: Value) -> Self {
        let lab_site = LabSite::start().await;
        let mut visitor = lab_site.site.anonymous();
        let answer = visitor.post("/api/lab/plays", Some(new)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        Self {
            lab_site,
            visitor,
            id,
        }
    }

    async fn try_action(&mut self, action: Value) -> TestResponse {
        self.visitor
            .post(&format!("/api/lab/plays/{}/acts", self.id), Some(action))
            .await
    }

    async fn perform(&mut self, action: Value) -> Value {
        let answer = self.try_action(action).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn renew(&mut self, who: &str) -> Value {
        self.perform(json!({ "act": "renew", "who": who })).await
    }

    async fn steal(&mut self) -> Value {
        self.perform(json!({ "act": "steal" })).await
    }

    async fn replay(&mut self, generation: u32) -> Value {
        self.perform(json!({ "act": "replay", "generation": generation }))
            .await
    }

    async fn lose_answer(&mut self) -> Value {
        self.perform(json!({ "act": "lose-answer" })).await
    }

    fn wait(&self) {
        self.lab_site.product.advance(AFTER_GRACE);
    }
}

/// The tokens' states, oldest first.
fn states(simulation: &Value) -> Vec<&str> {
    let tokens = simulation["tokens"].as_array().expect("tokens");
    tokens
        .iter()
        .map(|token| token["state"].as_str().unwrap_or("?"))
        .collect()
}

/// The last response: status, code, and the generation of the issued token.
fn last(simulation: &Value) -> (u64, &str, Option<u64>) {
    let last = simulation["done"].as_array().and_then(|done| done.last());
    let last = last.expect("something was done");
    (
        last["answer"]["status"].as_u64().expect("a status"),
        last["answer"]["code"].as_str().unwrap_or_default(),
        last["given"].as_u64(),
    )
}

/// What was tried after the end, as `owner refresh 2: 401 session_revoked`.
fn fallout(simulation: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tried = simulation["fallout"].as_array().expect("a list").iter();
    tried
        .map(|one| {
            format!(
                "{} {} {}: {} {}",
                text(&one["who"]),
                text(&one["kind"]),
                one["generation"],
                one["answer"]["status"],
                text(&one["answer"]["code"])
            )
        })
        .collect()
}

#[tokio::test]
async fn a_simulation_starts_with_one_active_token() {
    let mut simulation = LiveSimulation::start().await;
    let seen = simulation
        .visitor
        .get(&format!("/api/lab/plays/{}", simulation.id))
        .await
        .json();
    assert_eq!(states(&seen), ["active"]);
    assert_eq!(seen["owner"], json!({ "refresh": 1, "access": 1 }));
    assert_eq!(seen["thief"], json!({ "refresh": null, "access": null }));
    assert_eq!(seen["grace_ms"], 10_000);
    assert_eq!(last(&seen), (201, "", Some(1)));

    let seen = simulation.renew("owner").await;
    assert_eq!(states(&seen), ["rotated", "active"]);
    assert_eq!(seen["tokens"][0]["blacklisted"], "rotated");
    assert_eq!(seen["tokens"][1]["parent"], 1);
    assert_eq!(seen["tokens"][1]["holders"], json!(["owner"]));
    assert_eq!(seen["session"]["generation"], 2);
    assert_eq!(seen["session"]["confirmed"], true);
    assert_eq!(seen["session"]["current_jti"], seen["tokens"][1]["jti"]);
    assert_eq!(seen["session"]["previous_jti"], seen["tokens"][0]["jti"]);
    let seen = simulation.renew("owner").await;
    assert_eq!(states(&seen), ["superseded", "rotated", "active"]);
}

#[tokio::test]
async fn responses_contain_no_token() {
    let mut simulation = LiveSimulation::start().await;
    simulation.steal().await;
    let response = simulation.renew("thief").await.to_string();
    // A compact JWS begins with the base64url of `{"`.
    assert!(!response.contains("eyJ"), "{response}");
}

#[tokio::test]
async fn with_simple_jwt_reuse_does_not_revoke_the_attacker() {
    let mut simulation = LiveSimulation::with_design("simple-jwt").await;
    let seen = simulation.steal().await;
    assert_eq!(seen["design"], "simple-jwt");
    assert_eq!(seen["grace_ms"], 0);
    assert_eq!(seen["session"], Value::Null);
    simulation.renew("thief").await;
    simulation.wait();
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (401, "", None));
    assert_eq!(seen["done"][3]["said"], "401: no longer valid");
    assert_eq!(seen["tokens"][0]["replays"], 1);
    assert_eq!(seen["owner"], json!({ "refresh": null, "access": null }));
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (200, "", Some(3)));
    assert_eq!(states(&seen), ["blacklisted", "blacklisted", "active"]);
    assert_eq!(seen["tokens"][0]["blacklisted"], "yes");
    assert_eq!(seen["fallout"], json!([]));
    assert_eq!(
        seen["outcome"],
        "The owner holds no refresh token. The thief’s token is good for a new one."
    );
}

#[tokio::test]
async fn with_simple_jwt_sign_out_keeps_the_attackers_token_valid() {
    let mut simulation = LiveSimulation::with_design("simple-jwt").await;
    simulation.steal().await;
    simulation.renew("thief").await;
    let seen = simulation.perform(json!({ "act": "sign-out" })).await;
    assert_eq!(last(&seen), (204, "", None));
    assert_eq!(seen["done"][3]["said"], "204: signed out");
    assert_eq!(states(&seen), ["blacklisted", "active"]);
    assert_eq!(last(&simulation.renew("thief").await), (200, "", Some(3)));
}

#[tokio::test]
async fn with_supabase_owner_and_attacker_share_the_successor() {
    let mut simulation = LiveSimulation::with_design("supabase").await;
    simulation.steal().await;
    simulation.renew("thief").await;
    simulation.wait();
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (200, "", Some(2)));
    assert!(
        seen["done"][3]["said"]
            .as_str()
            .is_some_and(|said| said.starts_with("200: gives token 2 again"))
    );
    assert_eq!(states(&seen), ["rotated", "active"]);
    assert_eq!(seen["tokens"][1]["holders"], json!(["owner", "thief"]));
}

#[tokio::test]
async fn with_super_tokens_a_retry_displaces_the_live_token() {
    let mut simulation = LiveSimulation::with_design("super-tokens").await;
    simulation.steal().await;
    simulation.renew("thief").await;
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (200, "", Some(3)));
    assert_eq!(
        seen["done"][3]["said"],
        "200: gives token 3 in place of the live one, and its access token is accepted"
    );
    assert_eq!(states(&seen), ["rotated", "displaced", "active"]);
    assert_eq!(seen["tokens"][2]["parent"], 1);
    assert_eq!(
        seen["outcome"],
        "The owner’s token is good for a new one. The thief’s token ends the session for everybody."
    );

    // What the end does not affect is reported as well.
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (401, "", None));
    assert_eq!(states(&seen), ["ended", "ended", "ended"]);
    assert_eq!(seen["tokens"][1]["gave_away"], true);
    assert_eq!(seen["tokens"][2]["lost_by"], json!(["owner"]));
    assert_eq!(
        fallout(&seen),
        [
            "owner refresh 3: 401 ",
            "owner access 3: 200 ",
            "thief refresh 2: 401 ",
            "thief access 2: 200 ",
        ]
    );
    let outcome = seen["outcome"].as_str().expect("words");
    assert!(
        outcome.contains("Accepted all the same: the owner’s access token 3"),
        "{outcome}"
    );
}

#[tokio::test]
async fn with_auth0_a_retry_forks_the_family() {
    let mut simulation = LiveSimulation::with_design("auth0").await;
    simulation.lose_answer().await;
    let seen = simulation.renew("owner").await;
    assert_eq!(
        seen["done"][2]["said"],
        "200: gives token 3 beside the live one, and its access token is accepted"
    );
    assert_eq!(states(&seen), ["rotated", "issued", "active"]);
    simulation.wait();
    let seen = simulation.replay(1).await;
    assert_eq!(last(&seen), (401, "", None));
    assert_eq!(states(&seen), ["ended", "ended", "ended"]);
}

#[tokio::test]
async fn without_a_grace_period_a_lost_response_ends_the_session() {
    let mut simulation = LiveSimulation::with_design("strict").await;
    let seen = simulation.lose_answer().await;
    assert_eq!(seen["grace_ms"], 0);
    assert_eq!(
        seen["outcome"],
        "The owner’s token ends the session for everybody. The thief holds no refresh token."
    );
    assert_eq!(seen["tokens"][0]["blacklisted"], "rotated");
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (401, "", None));
    assert_eq!(states(&seen), ["ended", "blacklisted"]);
    assert_eq!(seen["tokens"][1]["blacklisted"], "reuse_detected");
    assert_eq!(seen["done"][2]["said"], "401: treated as token theft");
    assert_eq!(fallout(&seen), ["owner refresh 1: 401 ", "owner access 1: 401 "]);
}

#[tokio::test]
async fn a_forecast_may_change_after_the_grace_period() {
    let mut simulation = LiveSimulation::with_design("super-tokens").await;
    simulation.steal().await;
    let seen = simulation.renew("owner").await;
    assert_eq!(
        seen["outcome"],
        "The owner’s token is good for a new one. The thief’s token gets a new one in place of the live one, and once the \
         window is over it ends the session for everybody."
    );
    simulation.wait();
    // The passage of time alone exchanges nothing.
    assert_eq!(states(&simulation.steal().await), ["rotated", "active"]);
    let seen = simulation.renew("owner").await;
    assert_eq!(states(&seen), ["superseded", "rotated", "active"]);
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (200, "", Some(4)));
    let seen = simulation.replay(1).await;
    assert_eq!(last(&seen), (401, "", None));
}

#[tokio::test]
async fn an_access_token_of_a_model_expires() {
    let mut simulation = LiveSimulation::with_design("auth0").await;
    simulation.renew("owner").await;
    simulation.lab_site.product.advance(Duration::from_mins(16));
    let seen = simulation.replay(1).await;
    assert_eq!(fallout(&seen), ["owner refresh 2: 401 ", "owner access 2: 401 "]);
}

#[tokio::test]
async fn an_unknown_design_is_refused() {
    let lab_site = LabSite::start().await;
    let mut visitor = lab_site.site.anonymous();
    for new in [json!({ "design": "tutorial" }), json!({ "policy": "strict" })] {
        let answer = visitor.post("/api/lab/plays", Some(new)).await;
        answer.assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_replay_within_the_grace_period_gets_the_same_successor() {
    let mut simulation = LiveSimulation::start().await;
    simulation.renew("owner").await;
    let seen = simulation.replay(1).await;
    assert_eq!(last(&seen), (200, "", Some(2)));
    assert_eq!(states(&seen), ["rotated", "active"]);
    assert_eq!(seen["tokens"][0]["replays"], 1);
    assert_eq!(seen["tokens"][1]["holders"], json!(["owner", "thief"]));
    assert_eq!(seen["fallout"], json!([]));
    let said = "200: gives token 2 again, and its access token is accepted";
    assert_eq!(seen["done"][2]["what"], "comes with token 1");
    assert_eq!(seen["done"][2]["said"], said);
    let outcome = seen["outcome"].as_str().expect("words");
    assert!(outcome.starts_with("Both hold the live token."), "{outcome}");
}

#[tokio::test]
async fn a_replay_after_the_grace_period_ends_the_session() {
    let mut simulation = LiveSimulation::start().await;
    simulation.steal().await;
    simulation.renew("owner").await;
    simulation.wait();
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (401, "refresh_reused", None));
    assert_eq!(states(&seen), ["ended", "blacklisted"]);
    assert_eq!(seen["session"]["revoke_reason"], "reuse_detected");
    assert_eq!(seen["tokens"][0]["gave_away"], true);
    assert_eq!(seen["tokens"][0]["lost_by"], json!(["thief"]));
    assert_eq!(seen["tokens"][1]["blacklisted"], "reuse_detected");
    assert_eq!(seen["tokens"][1]["lost_by"], json!(["owner"]));
    assert_eq!(
        fallout(&seen),
        [
            "owner refresh 2: 401 session_revoked",
            "owner access 2: 401 invalid_token",
            "thief refresh 1: 401 session_revoked",
        ]
    );
    assert_eq!(
        seen["outcome"],
        "The session is over (reuse_detected). Refused from now on: the owner’s refresh token 2, the owner’s access token 2, the \
         thief’s refresh token 1."
    );

    // The owner learns about it at the next visit.
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (401, "session_revoked", None));
    assert_eq!(
        seen["done"]
            .as_array()
            .and_then(|done| done.last())
            .expect("an act")["answer"]["reason"],
        "reuse_detected"
    );
    assert_eq!(seen["owner"], json!({ "refresh": null, "access": null }));
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (401, "refresh_missing", None));
}

#[tokio::test]
async fn an_attacker_who_refreshes_first_is_detected_by_the_owner() {
    let mut simulation = LiveSimulation::start().await;
    simulation.steal().await;
    let seen = simulation.renew("thief").await;
    assert_eq!(states(&seen), ["rotated", "active"]);
    assert_eq!(seen["tokens"][0]["holders"], json!(["owner"]));
    assert_eq!(seen["tokens"][1]["holders"], json!(["thief"]));
    simulation.wait();
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (401, "refresh_reused", None));
    assert_eq!(states(&seen), ["ended", "blacklisted"]);
    assert_eq!(seen["tokens"][1]["lost_by"], json!(["thief"]));
    assert_eq!(
        fallout(&seen),
        [
            "owner refresh 1: 401 session_revoked",
            "owner access 1: 401 invalid_token",
            "thief refresh 2: 401 session_revoked",
            "thief access 2: 401 invalid_token",
        ]
    );
}

#[tokio::test]
async fn a_late_retry_after_a_lost_response_gets_the_successor() {
    let mut simulation = LiveSimulation::start().await;
    let seen = simulation.lose_answer().await;
    assert_eq!(last(&seen), (200, "", Some(2)));
    assert_eq!(states(&seen), ["rotated", "issued"]);
    assert_eq!(seen["owner"]["refresh"], 1);
    assert_eq!(seen["tokens"][1]["holders"], json!([]));
    assert_eq!(seen["session"]["confirmed"], false);
    simulation.wait();
    let seen = simulation.renew("owner").await;
    assert_eq!(last(&seen), (200, "", Some(2)));
    assert_eq!(states(&seen), ["rotated", "active"]);
    assert_eq!(seen["tokens"][0]["replays"], 1);
    assert_eq!(seen["owner"]["refresh"], 2);
}

#[tokio::test]
async fn an_older_token_is_superseded_in_grace_and_reuse_afterwards() {
    let mut simulation = LiveSimulation::start().await;
    simulation.renew("owner").await;
    simulation.renew("owner").await;
    let seen = simulation.replay(1).await;
    assert_eq!(last(&seen), (409, "refresh_superseded", None));
    assert_eq!(states(&seen), ["superseded", "rotated", "active"]);
    assert_eq!(seen["tokens"][0]["replays"], 1);
    simulation.wait();
    let seen = simulation.replay(1).await;
    assert_eq!(last(&seen), (401, "refresh_reused", None));
    assert_eq!(states(&seen), ["ended", "ended", "blacklisted"]);
    assert_eq!(seen["tokens"][0]["replays"], 2);
}

#[tokio::test]
async fn sign_out_revokes_copied_tokens_too() {
    let mut simulation = LiveSimulation::start().await;
    simulation.steal().await;
    let seen = simulation.perform(json!({ "act": "sign-out" })).await;
    assert_eq!(last(&seen), (204, "", None));
    assert_eq!(states(&seen), ["blacklisted"]);
    assert_eq!(seen["tokens"][0]["blacklisted"], "logout");
    assert_eq!(seen["tokens"][0]["lost_by"], json!(["owner", "thief"]));
    assert_eq!(seen["session"]["revoke_reason"], "logout");
    assert_eq!(seen["owner"]["refresh"], Value::Null);
    assert_eq!(
        fallout(&seen),
        [
            "owner refresh 1: 401 session_revoked",
            "owner access 1: 401 invalid_token",
            "thief refresh 1: 401 session_revoked",
        ]
    );
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (401, "session_revoked", None));
}

#[tokio::test]
async fn an_attacker_without_a_token_is_rejected() {
    let mut simulation = LiveSimulation::start().await;
    let seen = simulation.renew("thief").await;
    assert_eq!(last(&seen), (401, "refresh_missing", None));
    assert_eq!(states(&seen), ["active"]);
}

#[tokio::test]
async fn simulations_are_independent() {
    let mut simulation = LiveSimulation::start().await;
    let other = simulation
        .visitor
        .post("/api/lab/plays", Some(json!({})))
        .await
        .json();
    simulation.renew("owner").await;
    simulation.wait();
    simulation.replay(1).await;
    let path = format!("/api/lab/plays/{}/acts", other["id"].as_str().expect("an id"));
    let action = json!({ "act": "renew", "who": "owner" });
    let seen = simulation.visitor.post(&path, Some(action)).await.json();
    assert_eq!(states(&seen), ["rotated", "active"]);
}

#[tokio::test]
async fn an_impossible_action_is_refused_and_changes_nothing() {
    let mut simulation = LiveSimulation::start().await;
    let no_token = json!({ "act": "replay", "generation": 7 });
    simulation
        .try_action(no_token)
        .await
        .assert_problem(404, "not_found");
    let wait = json!({ "act": "wait" });
    simulation
        .try_action(wait)
        .await
        .assert_problem(422, "validation_failed");
    let seen = simulation
        .visitor
        .get(&format!("/api/lab/plays/{}", simulation.id))
        .await
        .json();
    assert_eq!(seen["done"].as_array().map(Vec::len), Some(1));
    simulation.id = "unknown".into();
    let steal = json!({ "act": "steal" });
    simulation
        .try_action(steal)
        .await
        .assert_problem(404, "not_found");
    for path in ["/api/lab/plays/unknown", "/api/lab/plays/unknown/events"] {
        simulation
            .visitor
            .get(path)
            .await
            .assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn actions_are_limited() {
    let mut simulation = LiveSimulation::start().await;
    let mut left = 40;
    while left > 0 {
        let seen = simulation.steal().await;
        assert_eq!(seen["acts_left"], left - 1);
        left -= 1;
    }
    let steal = json!({ "act": "steal" });
    simulation
        .try_action(steal)
        .await
        .assert_problem(429, "rate_limited");
}

#[tokio::test]
async fn an_attacker_keeps_a_newer_token_when_copying_again() {
    let mut simulation = LiveSimulation::start().await;
    simulation.steal().await;
    simulation.renew("thief").await;
    let seen = simulation.steal().await;
    assert_eq!(seen["done"][3]["what"], "copies token 1");
    assert_eq!(seen["thief"]["refresh"], 2);
    assert_eq!(seen["tokens"][1]["holders"], json!(["thief"]));
    let outcome = seen["outcome"].as_str().expect("words");
    assert!(outcome.starts_with("The thief holds the live token"), "{outcome}");
}

#[tokio::test]
async fn the_least_recently_used_simulation_is_dropped() {
    let mut simulation = LiveSimulation::start().await;
    let mut started = Vec::new();
    for at in 1..33 {
        if at % 24 == 0 {
            simulation.lab_site.product.advance(Duration::from_mins(1));
            simulation.steal().await;
        }
        let answer = simulation.visitor.post("/api/lab/plays", Some(json!({}))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        started.push(answer.json()["id"].as_str().expect("an id").to_owned());
    }
    let path = |id: &str| format!("/api/lab/plays/{id}");
    let idlest = simulation.visitor.get(&path(&started[0])).await;
    idlest.assert_problem(404, "not_found");
    for kept in [&simulation.id, &started[1]] {
        assert_eq!(simulation.visitor.get(&path(kept)).await.status, 200);
    }
}

#[tokio::test]
async fn simulations_are_limited_per_minute_and_expire_after_an_hour() {
    let mut simulation = LiveSimulation::start().await;
    for _ in 1..24 {
        let answer = simulation.visitor.post("/api/lab/plays", Some(json!({}))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let refused = simulation.visitor.post("/api/lab/plays", Some(json!({}))).await;
    refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());

    simulation.lab_site.product.advance(Duration::from_mins(61));
    let path = format!("/api/lab/plays/{}", simulation.id);
    simulation
        .visitor
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    let started = simulation.visitor.post("/api/lab/plays", Some(json!({}))).await;
    assert_eq!(started.status, 201);
}

#[tokio::test]
async fn events_are_streamed_until_the_lab_closes() {
    let mut simulation = LiveSimulation::start().await;
    let path = format!("/api/lab/plays/{}/events", simulation.id);
    // The response is read to its end, which only comes when the lab closes.
    let mut watcher = simulation.lab_site.site.anonymous();
    let watching = tokio::spawn(async move { watcher.get(&path).await });
    tokio::task::yield_now().await;
    let last = simulation.renew("owner").await;
    tokio::task::yield_now().await;
    assert!(!watching.is_finished());
    simulation.lab_site.lab.close();
    let events = watching.await.expect("an answer").text();
    let snapshots: Vec<Value> = events
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    assert!(events.starts_with("event: play\ndata: {"), "{events}");
    assert_eq!(snapshots.last(), Some(&last));
}
