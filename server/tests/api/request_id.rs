//! Request ids: whose id counts, and that every log line of a request carries it.

use http::Method;
use serde_json::json;
use web::extract::Peer;

use crate::support::{Db, TestApp, TestResponse, log::Log};

const PROXY: &str = "10.0.0.1:40000";
const STRANGER: &str = "198.51.100.7:40000";

async fn behind_a_proxy() -> TestApp {
    TestApp::with(Db::sqlite(), |config| {
        config.http.trusted_proxies = serde_json::from_value(json!(["10.0.0.0/8"])).expect("a network");
    })
    .await
}

/// A refused request over `peer` with these values of `X-Request-Id`.
async fn ask(app: &TestApp, peer: &str, ids: &[&[u8]]) -> TestResponse {
    let mut client = app.anonymous();
    let mut request = client.request(Method::GET, "/api/me", None);
    let peer = peer.parse().expect("a socket address");
    request.extensions_mut().insert(Peer(peer));
    for id in ids {
        let value = http::HeaderValue::from_bytes(id).expect("a header value");
        request.headers_mut().append("x-request-id", value);
    }
    let answer = client.send(request).await;
    // Also checks that the problem has the id of the header.
    answer.assert_problem(401, "invalid_token");
    answer
}

#[tokio::test]
async fn the_request_id_of_a_trusted_proxy_is_used() {
    let app = behind_a_proxy().await;
    let log = Log::start();
    let longest = "x".repeat(64);
    for id in ["Edge-7.f_1", "0", &longest] {
        let answer = ask(&app, PROXY, &[id.as_bytes()]).await;
        assert_eq!(answer.header("x-request-id"), Some(id));
        let lines = log.lines();
        assert!(
            lines.iter().any(|line| line.contains("request refused")
                && line.contains(&format!("request_id={id} method=GET route=\"/api/me\""))),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn the_request_id_of_an_untrusted_peer_is_replaced() {
    let app = behind_a_proxy().await;
    let log = Log::start();
    let answer = ask(&app, STRANGER, &[b"chosen-by-a-client"]).await;
    assert_is_ours(&answer);
    assert!(
        log.lines()
            .iter()
            .all(|line| !line.contains("chosen-by-a-client")),
        "{:?}",
        log.lines()
    );
}

#[tokio::test]
async fn a_malformed_or_repeated_request_id_is_replaced() {
    let app = behind_a_proxy().await;
    let too_long = [b'x'; 65];
    for ids in [
        &[][..],
        &[&b""[..]],
        &[&too_long],
        &[b"two words"],
        &[b"a\"b"],
        &[b"a,b"],
        &[b"a=b"],
        &["ä".as_bytes()],
        &[b"\xff"],
        &[b"one", b"two"],
        &[b"one", b"one"],
    ] {
        assert_is_ours(&ask(&app, PROXY, ids).await);
    }
}

#[tokio::test]
async fn each_request_gets_a_unique_request_id() {
    let app = behind_a_proxy().await;
    let one = ask(&app, STRANGER, &[]).await;
    let other = ask(&app, STRANGER, &[]).await;
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[track_caller]
fn assert_is_ours(answer: &TestResponse) {
    let id = answer.header("x-request-id").expect("an id");
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
}
