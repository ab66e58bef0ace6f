//! The lab from outside: closed unless it is switched on, and apart from the site when it is open. What its attacks find
//! out is measured in browsers; see `end2end/tests/lab`.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header::HOST},
    middleware::map_request,
};
use serde_json::{Value, json};
use server::{
    config::{LabSites, Origin},
    lab::{Lab, attacker, victim},
    random::SystemRandom,
};

use crate::support::{Client, Db, PASSWORD, TestApp, app::ORIGIN};

const VICTIM: &str = "http://lab.localhost:3002";

/// The site with an open lab, and its product, which is a server of its own.
pub(crate) struct Stage {
    pub(crate) site: TestApp,
    pub(crate) product: TestApp,
    pub(crate) lab: Arc<Lab>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let product = TestApp::with(Db::sqlite(), |sections| {
            sections.http.listen.set_port(3002);
            sections.http.public_origin = Some(VICTIM.into());
            sections.tokens.audience = "keyturn-lab".into();
            sections.cookies.name = "__Host-lab-refresh".into();
        })
        .await;
        let origin = |text| Origin::parse(text).expect("an origin");
        let sites = LabSites {
            listen: ([127, 0, 0, 1], 3002).into(),
            attacker_listen: ([127, 0, 0, 1], 3003).into(),
            victim: origin(VICTIM),
            attacker: origin("http://attacker.localhost:3003"),
            may_move: false,
        };
        let random = Arc::new(SystemRandom::default());
        let lab = Arc::new(Lab::new(sites, origin(ORIGIN), product.state.clone(), random));
        Self {
            site: TestApp::with_lab(Db::sqlite(), Arc::clone(&lab)).await,
            product,
            lab,
        }
    }

    /// A browser that was led to the victim's host.
    fn victim(&self) -> Client {
        Client::new(asked_as("lab.localhost:3002", victim::router(&self.lab)))
    }

    async fn begin(&self) -> String {
        let answer = self.site.anonymous().post("/api/lab/runs", Some(json!({}))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// With every request under this name of the host.
fn asked_as(host: &'static str, router: Router) -> Router {
    router.layer(map_request(move |mut request: Request| async move {
        request.headers_mut().insert(HOST, HeaderValue::from_static(host));
        request
    }))
}

/// The victim of a strategy, as the runner learns of it.
async fn victim_of(client: &mut Client, run: &str, strategy: &str) -> Value {
    let plan = client.get(&format!("/runs/{run}/plan")).await.json();
    plan["people"][strategy]["victim"].clone()
}

#[tokio::test]
async fn an_open_lab_has_a_page_and_runs() {
    let stage = Stage::set().await;
    let mut visitor = stage.site.anonymous();
    let page = visitor.get("/lab").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("data-lab"));

    let run = stage.begin().await;
    let seen = visitor.get(&format!("/api/lab/runs/{run}")).await.json();
    let cells = seen["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 13 * 6);
    assert!(cells.iter().all(|cell| cell["verdict"] == "not-measured"));
    visitor
        .get("/api/lab/runs/nobody")
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn what_the_lab_hands_out_is_nothing_to_the_site_and_the_other_way_round() {
    let stage = Stage::set().await;
    let (mut visitor, mut guinea_pig) = (stage.site.user().await, stage.product.anonymous());
    // As a page of the lab's host would.
    let register = |client: &Client| {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let mut request = client.request(http::Method::POST, "/api/auth/register", Some(body));
        for (name, value) in [("host", &VICTIM[7..]), ("origin", VICTIM)] {
            request
                .headers_mut()
                .insert(name, value.parse().expect("a header"));
        }
        request
    };
    let request = register(&guinea_pig);
    let answer = guinea_pig.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(
        answer
            .set_cookie()
            .is_some_and(|cookie| cookie.starts_with("__Host-lab-refresh="))
    );

    std::mem::swap(&mut visitor.access, &mut guinea_pig.access);
    std::mem::swap(&mut visitor.refresh, &mut guinea_pig.refresh);
    visitor.get("/api/me").await.assert_problem(401, "invalid_token");
    visitor.refresh().await.assert_problem(401, "refresh_invalid");
    let mut request = guinea_pig.request(http::Method::GET, "/api/me", None);
    request
        .headers_mut()
        .insert("host", VICTIM[7..].parse().expect("a header"));
    guinea_pig
        .send(request)
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn the_tutorial_s_server_rotates_and_knows_its_own_tokens_alone() {
    let stage = Stage::set().await;
    let run = stage.begin().await;
    let mut client = stage.victim();
    let at = |strategy: &str, door: &str| format!("/weak/{strategy}/{door}?run={run}&cell={strategy}.reload");
    let who = victim_of(&mut client, &run, "local-storage").await;

    let tokens = client
        .post(&at("local-storage", "login"), Some(who.clone()))
        .await
        .json();
    assert_eq!(
        client.get(&at("local-storage", "me")).await.json()["email"],
        who["email"]
    );
    assert_eq!(
        client.get(&at("memory", "me")).await.status,
        401,
        "another site's token"
    );
    let wrong = json!({ "email": who["email"], "password": "guess" });
    assert_eq!(
        client
            .post(&at("local-storage", "login"), Some(wrong))
            .await
            .status,
        401
    );

    let refresh = Some(json!({ "refresh_token": tokens["refresh_token"] }));
    assert_eq!(
        client
            .post(&at("local-storage", "refresh"), refresh.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        client.post(&at("local-storage", "refresh"), refresh).await.status,
        401
    );
}

#[tokio::test]
async fn every_request_of_a_cell_is_written_down_and_others_are_refused() {
    let stage = Stage::set().await;
    let run = stage.begin().await;
    let mut client = stage.victim();
    let cell = format!("?run={run}&cell=session-cookie.csrf-change");
    assert_eq!(
        client
            .post(&format!("/weak/session-cookie/transfer{cell}"), None)
            .await
            .status,
        401
    );
    assert_eq!(
        client.post("/weak/session-cookie/transfer", None).await.status,
        404
    );
    assert_eq!(
        client.get("/api/me?run=other&cell=memory.reload").await.status,
        404
    );

    let mut visitor = stage.site.anonymous();
    let report = visitor.get(&format!("/api/lab/runs/{run}/report")).await.json();
    let rows = report["rows"].as_array().expect("rows");
    let with_evidence: Vec<_> = rows.iter().filter(|row| row["evidence"] != json!([])).collect();
    let [row] = with_evidence.as_slice() else {
        panic!("one cell has evidence: {with_evidence:?}");
    };
    let exchange = &row["evidence"][0];
    assert_eq!(exchange["kind"], "exchange");
    assert_eq!(exchange["path"], "/weak/session-cookie/transfer");
    assert_eq!(exchange["status"], 401);
    assert_eq!(
        row["verdict"], "not-measured",
        "it was the page itself, and no form of another site"
    );
}

#[tokio::test]
async fn runs_are_few_in_a_minute_and_forgotten_after_an_hour() {
    let stage = Stage::set().await;
    let first = stage.begin().await;
    for _ in 1..12 {
        stage.begin().await;
    }
    let mut visitor = stage.site.anonymous();
    let refused = visitor.post("/api/lab/runs", Some(json!({}))).await;
    refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());

    stage.product.advance(std::time::Duration::from_mins(61));
    stage.begin().await;
    visitor
        .get(&format!("/api/lab/runs/{first}"))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_attacker_s_host_serves_attacks_and_nothing_of_the_victim() {
    let stage = Stage::set().await;
    let mut client = Client::new(asked_as("attacker.localhost:3003", attacker::router(&stage.lab)));
    let script = client.get("/attacks/single-execution-theft.js").await;
    assert_eq!(script.status, 200);
    assert_eq!(script.header("access-control-allow-origin"), Some("*"));
    for path in [
        "/attacks/none.js",
        "/attacks/..%2fkit.js",
        "/api/me",
        "/play",
        "/csrf?run=x&cell=y&at=0",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn under_another_name_of_the_machine_the_lab_s_hosts_answer_nothing() {
    // There the browser would send the cookies of the site itself, and they would become evidence.
    let stage = Stage::set().await;
    let run = stage.begin().await;
    for (router, path) in [
        (victim::router(&stage.lab), format!("/play?run={run}")),
        (victim::router(&stage.lab), format!("/runs/{run}/plan")),
        (
            victim::router(&stage.lab),
            format!("/weak/memory/me?run={run}&cell=memory.reload"),
        ),
        (attacker::router(&stage.lab), "/attacks/kit.js".to_owned()),
    ] {
        for host in ["localhost:3002", "127.0.0.1:3002", "localhost:3000"] {
            let mut client = Client::new(asked_as(host, router.clone()));
            assert_eq!(client.get(&path).await.status, 421, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn evidence_has_an_end_and_then_requests_are_refused() {
    let stage = Stage::set().await;
    let run = stage.begin().await;
    let mut client = stage.victim();
    let me = format!("/weak/memory/me?run={run}&cell=memory.reload");
    let mut served = 0;
    while client.get(&me).await.status == 401 {
        served += 1;
        assert!(served < 1000, "it never ends");
    }
    assert_eq!(client.get(&me).await.status, 429);
    let cell = stage
        .site
        .anonymous()
        .get(&format!("/api/lab/runs/{run}/cells/memory/reload"))
        .await
        .json();
    assert_eq!(
        cell["evidence"].as_array().map(Vec::len),
        Some(served),
        "each one that was served"
    );

    let long = json!({ "kind": "note", "who": "page", "text": "x".repeat(20_000) });
    let tell = format!("/runs/{run}/evidence?cell=memory.new-tab");
    assert_eq!(client.post(&tell, Some(long)).await.status, 413);
    let forged = json!({ "kind": "note", "who": "attacker", "text": "gave up" });
    assert_eq!(client.post(&tell, Some(forged)).await.status, 400);
}

#[tokio::test]
async fn a_stream_of_events_ends_when_the_lab_closes() {
    let stage = Stage::set().await;
    let run = stage.begin().await;
    let lab = Arc::clone(&stage.lab);
    // The answer is read to its end, which only closing brings: nothing happens in this run.
    let path = format!("/api/lab/runs/{run}/events");
    let mut watcher = stage.site.anonymous();
    let watching = tokio::spawn(async move { watcher.get(&path).await });
    tokio::task::yield_now().await;
    assert!(!watching.is_finished());
    lab.close();
    let events = watching.await.expect("an answer").text();
    assert!(events.starts_with("event: run\ndata: {"), "{events}");
}
