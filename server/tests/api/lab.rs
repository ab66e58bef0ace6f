//! The lab from outside: disabled by default, and isolated from the site when it is enabled. The results of its attacks
//! are measured in browsers; see `end2end/tests/lab`.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header::HOST},
    middleware::map_request,
};
use lab::{Lab, PRODUCT_COOKIE, attacker, victim};
use serde_json::{Value, json};
use tower::ServiceExt;
use web::{
    config::{LabSites, Origin},
    random::SystemRandom,
};

use crate::support::{Client, Db, PASSWORD, TestApp, app::ORIGIN, on_both_databases};

const VICTIM: &str = "http://lab.localhost:3002";

/// The site with an enabled lab, and its product, which is a separate server.
pub(crate) struct LabSite {
    pub(crate) site: TestApp,
    pub(crate) product: TestApp,
    pub(crate) lab: Arc<Lab>,
}

impl LabSite {
    pub(crate) async fn start() -> Self {
        Self::on(Db::sqlite()).await
    }

    /// With a product on this database.
    async fn on(db: Db) -> Self {
        let product = TestApp::with(db, |sections| {
            sections.http.listen.set_port(3002);
            sections.http.public_origin = Some(VICTIM.into());
            sections.tokens.audience = "keyturn-lab".into();
            sections.cookies.name = PRODUCT_COOKIE.into();
        })
        .await;
        let origin = |text| Origin::parse(text).expect("an origin");
        let sites = LabSites {
            listen: ([127, 0, 0, 1], 3002).into(),
            attacker_listen: ([127, 0, 0, 1], 3003).into(),
            victim: origin(VICTIM),
            attacker: origin("http://attacker.localhost:3003"),
            sibling: origin("http://sibling.lab.localhost:3003"),
            database_url: None,
            allow_port_fallback: false,
        };
        let random = Arc::new(SystemRandom::default());
        let lab = Arc::new(Lab::new(sites, origin(ORIGIN), product.state.clone(), random));
        Self {
            site: TestApp::with_lab(Db::sqlite(), Arc::clone(&lab)).await,
            product,
            lab,
        }
    }

    /// A browser at the victim's host.
    fn victim(&self) -> Client {
        Client::new(with_host("lab.localhost:3002", victim::router(&self.lab)))
    }

    /// The cookies that a sign-in sets. Parsed by hand, because the client's jar holds only one.
    async fn sign_in(&self, path: &str) -> Vec<String> {
        let request = self.victim().request(http::Method::POST, path, None);
        let host = with_host("lab.localhost:3002", victim::router(&self.lab));
        let Ok(signed_in) = host.oneshot(request).await;
        assert_eq!(signed_in.status(), 204);
        let cookies = signed_in.headers().get_all(http::header::SET_COOKIE).iter();
        cookies
            .filter_map(|cookie| cookie.to_str().ok())
            .filter(|cookie| !cookie.contains("Max-Age=0"))
            .filter_map(|cookie| Some(cookie.split(';').next()?.to_owned()))
            .collect()
    }

    async fn start_run(&self) -> String {
        self.start_run_of("storage").await
    }

    async fn start_run_of(&self, experiment: &str) -> String {
        let new = json!({ "bench": experiment });
        let answer = self.site.anonymous().post("/api/lab/runs", Some(new)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// Sends every request under this host name.
fn with_host(host: &'static str, router: Router) -> Router {
    router.layer(map_request(move |mut request: Request| async move {
        request.headers_mut().insert(HOST, HeaderValue::from_static(host));
        request
    }))
}

/// The victim of a strategy, as the runner receives it.
async fn victim_of(client: &mut Client, run: &str, strategy: &str) -> Value {
    let plan = client.get(&format!("/runs/{run}/plan")).await.json();
    plan["people"][strategy]["victim"].clone()
}

#[tokio::test]
async fn an_open_lab_has_a_page_and_runs() {
    let lab_site = LabSite::start().await;
    let mut visitor = lab_site.site.anonymous();
    let page = visitor.get("/lab").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("data-lab"));

    let run = lab_site.start_run().await;
    let seen = visitor.get(&format!("/api/lab/runs/{run}")).await.json();
    let cells = seen["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 13 * 6);
    assert!(cells.iter().all(|cell| cell["verdict"] == "not-measured"));
    visitor
        .get("/api/lab/runs/unknown")
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn tokens_of_the_lab_and_of_the_site_are_not_interchangeable() {
    let lab_site = LabSite::start().await;
    let (mut visitor, mut lab_client) = (lab_site.site.user().await, lab_site.product.anonymous());
    // As a page on the lab's host would.
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
    let request = register(&lab_client);
    let answer = lab_client.send(request).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(
        answer
            .set_cookie()
            .is_some_and(|cookie| cookie.starts_with("__Host-lab-refresh="))
    );

    std::mem::swap(&mut visitor.access, &mut lab_client.access);
    std::mem::swap(&mut visitor.refresh, &mut lab_client.refresh);
    visitor.get("/api/me").await.assert_problem(401, "invalid_token");
    visitor.refresh().await.assert_problem(401, "refresh_invalid");
    let mut request = lab_client.request(http::Method::GET, "/api/me", None);
    request
        .headers_mut()
        .insert("host", VICTIM[7..].parse().expect("a header"));
    lab_client
        .send(request)
        .await
        .assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn the_naive_server_rotates_and_accepts_only_its_own_tokens() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    let mut client = lab_site.victim();
    let at = |strategy: &str, endpoint: &str| {
        format!("/weak/{strategy}/{endpoint}?run={run}&cell={strategy}.reload")
    };
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
async fn requests_of_a_cell_are_recorded_and_others_refused() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    let mut client = lab_site.victim();
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

    let mut visitor = lab_site.site.anonymous();
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
async fn each_experiment_has_its_own_cells() {
    let lab_site = LabSite::start().await;
    let mut visitor = lab_site.site.anonymous();
    for (experiment, cells, own, foreign) in [
        ("storage", 13 * 6, "memory/reload", "origin/sibling-form"),
        ("forgery", 14 * 9, "origin/sibling-form", "our-policy/act"),
        ("scripts", 15 * 4, "our-policy/act", "memory/reload"),
        ("races", 3 * 7, "grace/lost-answer", "memory/reload"),
    ] {
        let run = lab_site.start_run_of(experiment).await;
        let seen = visitor.get(&format!("/api/lab/runs/{run}")).await.json();
        assert_eq!(seen["bench"], experiment);
        assert_eq!(
            seen["cells"].as_array().map(Vec::len),
            Some(cells),
            "{experiment}"
        );
        let cell = |place: &str| format!("/api/lab/runs/{run}/cells/{place}");
        assert_eq!(visitor.get(&cell(own)).await.status, 200, "{own}");
        visitor.get(&cell(foreign)).await.assert_problem(404, "not_found");
        // Nothing is recorded for one either.
        let foreign = foreign.replace('/', ".");
        let endpoint = format!("/guarded/origin/transfer?run={run}&cell={foreign}");
        assert_eq!(
            lab_site.victim().post(&endpoint, None).await.status,
            404,
            "{experiment}"
        );
    }
}

/// The defences really refuse: the table shows what their endpoints answered.
#[tokio::test]
async fn every_csrf_defence_protects_its_endpoint() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run_of("forgery").await;
    let mut visitor = lab_site.victim();
    let cookies = lab_site.sign_in(&format!("/runs/{run}/sign-in")).await;
    assert_eq!(cookies.len(), 8, "{cookies:?}");

    for (defence, forged) in [
        ("no-guard", 200),
        // Without a browser no cookie is withheld.
        ("same-site-lax", 200),
        ("same-site-strict", 200),
        ("origin", 403),
        ("fetch-metadata", 403),
        ("custom-header", 403),
        ("double-submit", 403),
        ("host-double-submit", 403),
    ] {
        let endpoint = format!("/guarded/{defence}/transfer?run={run}&cell={defence}.other-site-form");
        let mut request = visitor.request(http::Method::POST, &endpoint, None);
        let headers = request.headers_mut();
        headers.remove("x-requested-with");
        for (name, value) in [
            ("origin", "http://attacker.localhost:3003"),
            ("sec-fetch-site", "cross-site"),
            ("cookie", &cookies.join("; ")),
        ] {
            headers.insert(name, value.parse().expect("a header"));
        }
        assert_eq!(visitor.send(request).await.status, forged, "{defence}");

        // Our own page says where it comes from, and repeats the cookies that it can read.
        let mut own = visitor.request(http::Method::POST, &endpoint, Some(json!(cookies)));
        for (name, value) in [
            ("origin", VICTIM),
            ("sec-fetch-site", "same-origin"),
            ("x-requested-with", "keyturn"),
            ("cookie", &cookies.join("; ")),
        ] {
            own.headers_mut().insert(name, value.parse().expect("a header"));
        }
        assert_eq!(visitor.send(own).await.status, 200, "{defence}: our own page");
    }
    let unguarded = format!("/guarded/no-guard/transfer?run={run}&cell=no-guard.other-site-link");
    assert_eq!(lab_site.victim().get(&unguarded).await.status, 401);
}

// The last column of the races is the product, on either database of the lab.
on_both_databases! {
    async fn concurrent_refreshes_at_the_product_get_the_same_token(db: Db) {
        let lab_site = LabSite::on(db).await;
        let run = lab_site.start_run_of("races").await;
        let place = format!("run={run}&cell=keyturn-server.many-tabs");
        let mut visitor = lab_site.victim();
        let cookies = lab_site.sign_in(&format!("/runs/{run}/sign-in?{place}")).await;
        let refresh = || {
            let path = format!("/api/auth/refresh?{place}");
            let mut request = visitor.request(http::Method::POST, &path, None);
            for (name, value) in [("origin", VICTIM), ("cookie", &cookies.join("; "))] {
                request.headers_mut().insert(name, value.parse().expect("a header"));
            }
            with_host("lab.localhost:3002", victim::router(&lab_site.lab)).oneshot(request)
        };
        let (one, other) = tokio::join!(refresh(), refresh());
        for Ok(answer) in [one, other] {
            assert_eq!(answer.status(), 200);
        }
        let seen = json!({ "kind": "seen", "who": "page", "when": "afterwards", "user": "ada" });
        let report = format!("/runs/{run}/evidence?{place}");
        assert_eq!(visitor.post(&report, Some(seen)).await.status, 204);
        let cell = lab_site
            .site
            .anonymous()
            .get(&format!("/api/lab/runs/{run}/cells/keyturn-server/many-tabs"))
            .await
            .json();
        assert_eq!(cell["verdict"], "survives", "{cell}");
        let counts: Vec<_> = cell["tally"].as_array().expect("a tally").iter().map(|one| &one["count"]).collect();
        assert_eq!(counts, [1, 1, 0]);
    }
}

#[tokio::test]
async fn the_vulnerable_page_has_the_policy_of_its_cell() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run_of("scripts").await;
    let mut visitor = lab_site.victim();
    for (policy, has) in [
        ("no-policy", None),
        ("weak-policy", Some("'unsafe-inline'")),
        ("our-policy", Some("'wasm-unsafe-eval'")),
        ("trusted-types", Some("require-trusted-types-for 'script'")),
    ] {
        let page = visitor
            .get(&format!("/page?run={run}&cell={policy}.inline-script&at=1"))
            .await;
        assert_eq!(page.status, 200, "{policy}");
        let header = page.header("content-security-policy").unwrap_or_default();
        assert_eq!(has.is_none(), header.is_empty(), "{policy}: {header}");
        assert!(header.contains(has.unwrap_or_default()), "{policy}: {header}");
        assert!(page.text().contains("<script>fetch("), "the hole is there");
    }
    let mut attacker = Client::new(with_host(
        "sibling.lab.localhost:3003",
        attacker::router(&lab_site.lab),
    ));
    let hit = format!("/hit?run={run}&cell=our-policy.style&what=ada");
    assert_eq!(attacker.get(&hit).await.status, 200);
    let cell = lab_site
        .site
        .anonymous()
        .get(&format!("/api/lab/runs/{run}/cells/our-policy/style"))
        .await
        .json();
    assert_eq!(cell["evidence"][0]["found"][0]["value"], "ada");
}

#[tokio::test]
async fn runs_are_limited_per_minute_and_expire_after_an_hour() {
    let lab_site = LabSite::start().await;
    let first = lab_site.start_run().await;
    for _ in 1..12 {
        lab_site.start_run().await;
    }
    let mut visitor = lab_site.site.anonymous();
    let refused = visitor.post("/api/lab/runs", Some(json!({}))).await;
    refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());

    lab_site.product.advance(std::time::Duration::from_mins(61));
    lab_site.start_run().await;
    visitor
        .get(&format!("/api/lab/runs/{first}"))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_attacker_s_host_serves_only_attacks() {
    let lab_site = LabSite::start().await;
    let mut client = Client::new(with_host(
        "attacker.localhost:3003",
        attacker::router(&lab_site.lab),
    ));
    let script = client.get("/attacks/single-execution-theft.js").await;
    assert_eq!(script.status, 200);
    assert_eq!(script.header("access-control-allow-origin"), Some("*"));
    for path in [
        "/attacks/none.js",
        "/attacks/..%2fkit.js",
        "/api/me",
        "/play",
        "/csrf?run=x&cell=y&at=0",
        "/unseen?run=x&at=0&source=sibling",
        "/hit?run=x&cell=our-policy.style",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn lab_hosts_refuse_other_names_of_the_machine() {
    // Under that host name the browser would send the site's own cookies, and they would become evidence.
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    for (router, path) in [
        (victim::router(&lab_site.lab), format!("/play?run={run}")),
        (victim::router(&lab_site.lab), format!("/runs/{run}/plan")),
        (
            victim::router(&lab_site.lab),
            format!("/weak/memory/me?run={run}&cell=memory.reload"),
        ),
        (attacker::router(&lab_site.lab), "/attacks/kit.js".to_owned()),
    ] {
        for host in ["localhost:3002", "127.0.0.1:3002", "localhost:3000"] {
            let mut client = Client::new(with_host(host, router.clone()));
            assert_eq!(client.get(&path).await.status, 421, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn requests_are_refused_when_a_cell_s_evidence_is_full() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    let mut client = lab_site.victim();
    let me = format!("/weak/memory/me?run={run}&cell=memory.reload");
    let mut served = 0;
    while client.get(&me).await.status == 401 {
        served += 1;
        assert!(served < 1000, "it never ends");
    }
    assert_eq!(client.get(&me).await.status, 429);
    let cell = lab_site
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
    let report = format!("/runs/{run}/evidence?cell=memory.new-tab");
    assert_eq!(client.post(&report, Some(long)).await.status, 413);
    let forged = json!({ "kind": "note", "who": "attacker", "text": "gave up" });
    assert_eq!(client.post(&report, Some(forged)).await.status, 400);
}

#[tokio::test]
async fn a_stream_of_events_ends_when_the_lab_closes() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    let lab = Arc::clone(&lab_site.lab);
    // The response is read to its end, which only comes when the lab closes: nothing happens in this run.
    let path = format!("/api/lab/runs/{run}/events");
    let mut watcher = lab_site.site.anonymous();
    let watching = tokio::spawn(async move { watcher.get(&path).await });
    tokio::task::yield_now().await;
    assert!(!watching.is_finished());
    lab.close();
    let events = watching.await.expect("an answer").text();
    assert!(events.starts_with("event: run\ndata: {"), "{events}");
}

#[tokio::test]
async fn a_visitor_may_follow_a_limited_number_of_streams() {
    let lab_site = LabSite::start().await;
    let run = lab_site.start_run().await;
    let path = format!("/api/lab/runs/{run}/events");
    let open = async |visitor: [u8; 4]| {
        let mut request = lab_site.site.anonymous().request(http::Method::GET, &path, None);
        request
            .extensions_mut()
            .insert(web::extract::Peer((visitor, 1).into()));
        let response = lab_site.site.router.clone().oneshot(request).await;
        response.expect("the router answers")
    };
    let mut followed = Vec::new();
    let refused = loop {
        let response = open([192, 0, 2, 1]).await;
        if response.status() != 200 {
            break response;
        }
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        followed.push(response);
        assert!(followed.len() <= 12, "there is no limit");
    };
    assert_eq!((refused.status().as_u16(), followed.len()), (429, 12));
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(open([192, 0, 2, 2]).await.status(), 200, "another visitor");
    followed.pop();
    assert_eq!(open([192, 0, 2, 1]).await.status(), 200, "a place is free again");
}
