//! Chapter N: bodies that are no JSON, no JSON that was asked for, too large or too slow.

use axum::body::{Body, Bytes};
use futures::{StreamExt, stream};
use http::{Method, Request};
use serde_json::json;

use super::target::Target;
use crate::support::{Client, Db, PASSWORD, TestApp, TestResponse, http::TestListener, on_both_databases};

/// Every endpoint that reads a body, with the method that it takes.
const WITH_BODY: [(&str, Method); 6] = [
    ("/api/auth/register", Method::POST),
    ("/api/auth/login", Method::POST),
    ("/api/me", Method::PATCH),
    ("/api/account/password", Method::POST),
    ("/api/account/alarm", Method::POST),
    ("/api/account", Method::DELETE),
];

fn request(client: &Client, (path, method): &(&str, Method), body: impl Into<Body>) -> Request<Body> {
    let mut request = client.request(method.clone(), path, Some(json!({})));
    *request.body_mut() = body.into();
    request
}

/// An error that says nothing of our types and repeats nothing of the body.
#[track_caller]
fn assert_says_little(answer: &TestResponse, what: &str) {
    let text = answer.text();
    for leaked in [
        "Request",
        "serde",
        "struct",
        "line 1",
        "column",
        "expected",
        "marker-of-the-body",
    ] {
        assert!(!text.contains(leaked), "{what}: {text}");
    }
    assert_eq!(answer.cookies_set().count(), 0, "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
}

/// Sends each body to every endpoint. All are refused with one of these.
async fn refuses(db: Db, allowed: &[(u16, &str)], bodies: &[Vec<u8>]) {
    let target = Target::new(db).await;
    for route in &WITH_BODY {
        for body in bodies {
            let shown = format!("{} {}", route.0, body[..body.len().min(80)].escape_ascii());
            let answer = target.send(request(&target.user, route, body.clone())).await;
            let code = answer.json()["code"].as_str().expect("a code").to_owned();
            assert!(
                allowed.contains(&(answer.status, &code)),
                "{shown}: {}",
                answer.text()
            );
            assert_says_little(&answer, &shown);
        }
    }
    target.assert_unharmed().await;
}

const MALFORMED: (u16, &str) = (400, "malformed_json");
const SHAPE: (u16, &str) = (422, "validation_failed");

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A sign-in whose password is this JSON text.
fn password_is(value: &str) -> String {
    format!(r#"{{"email":"ada@example.com","password":{value}}}"#)
}

on_both_databases! {
    async fn n_01_what_is_no_json_is_refused(db: Db) {
        let texts = [
            "{", "}", "{\"email\"", "{\"email\":}", "{\"email\":\"a\",}", "{\"email\":\"a\" \"password\":\"b\"}", "{email:\"a\"}",
            "{'email':'a'}", "{\"email\":NaN}", "{\"email\":Infinity}", "{\"email\":undefined}", "{\"email\":01}", "{\"email\":+1}",
            "{\"email\":.5}", "{\"email\":0x1f}", "/* comment */ {}", "{} // comment", "{}{}", "{},", "{\"email\":\"a\u{1}b\"}",
            "{\"email\":\"\\x41\"}", "{\"email\":\"\\u12\"}", "{\"email\":\"unclosed", "email=a&password=b", "<email>a</email>",
            "marker-of-the-body", "\u{0}{}", ")]}',\n{}", "True", "None",
        ];
        refuses(db, &[MALFORMED], &bytes(&texts)).await;
    }

    async fn n_02_deep_nesting_is_refused(db: Db) {
        let (open, close) = ("[".repeat(8_000), "]".repeat(8_000));
        let objects = "{\"a\":".repeat(2_500);
        let bodies = [
            open.clone(),
            format!("{open}{close}"),
            format!("{{\"email\":{}{}}}", "[".repeat(7_000), "]".repeat(7_000)),
            objects.clone(),
            format!("{objects}1{}", "}".repeat(2_500)),
            "[".repeat(16_000),
        ];
        refuses(db, &[MALFORMED, SHAPE], &bodies.map(String::into_bytes)).await;
    }

    async fn n_04_what_is_not_asked_for_is_refused(db: Db) {
        let target = Target::new(db).await;
        for (route, body) in [
            (&WITH_BODY[0], json!({ "email": "eve@example.com", "password": PASSWORD })),
            (&WITH_BODY[1], json!({ "email": "ada@example.com", "password": PASSWORD })),
            (&WITH_BODY[2], json!({ "display_name": "Eve" })),
            (&WITH_BODY[3], json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" })),
            (&WITH_BODY[4], json!({ "id": "x" })),
            (&WITH_BODY[5], json!({ "current_password": PASSWORD })),
        ] {
            for name in ["role", "id2", "is_admin", "__proto__", "constructor", "token_epoch", "disabled_at", "Email", "email ", ""] {
                let mut more = body.clone();
                more[name] = json!("marker-of-the-body");
                let answer = target.send(request(&target.user, route, more.to_string())).await;
                assert_eq!(answer.status, 422, "{} {name}: {}", route.0, answer.text());
                assert!(!answer.text().contains("marker-of-the-body"), "{}", answer.text());
            }
            // Which of two values counts must not be a question.
            let first = body.as_object().expect("an object").keys().next().expect("a member").clone();
            for doubled in [format!("{{\"{first}\":\"other\","), format!("{{\"\\u{:04x}{}\":\"other\",", u32::from(first.as_bytes()[0]), &first[1..])] {
                let text = body.to_string().replacen('{', &doubled, 1);
                let answer = target.send(request(&target.user, route, text)).await;
                answer.assert_problem(422, "validation_failed");
            }
        }
        target.assert_unharmed().await;
    }

    async fn n_05_another_media_type_is_refused(db: Db) {
        refuses_media_types(db, &[
            &[][..], &[""], &["text/json"], &["text/plain"], &["application/x-www-form-urlencoded"], &["application/xml"],
            &["application/problem+json"], &["application/json5"], &["application/ld+json"], &["application/csp-report"],
            &["application/json, text/plain"], &["application/json", "text/plain"], &["application/json", "application/json"],
            &["text/plain; application/json"], &["*/*"], &["json"],
        ]).await;
    }

    async fn n_06_another_charset_is_refused(db: Db) {
        refuses_media_types(db, &[
            &["application/json; charset=utf-16"][..], &["application/json; charset=utf-16le"], &["application/json; charset=iso-8859-1"],
            &["application/json; charset=us-ascii"], &["application/json; charset=utf-7"], &["application/json; charset=utf-8; charset=utf-16"],
            &["application/json; charset"], &["application/json; charset=\"utf-8"],
        ]).await;
    }

    async fn n_07_what_is_no_text_is_refused(db: Db) {
        let utf_16: Vec<u8> = password_is("\"x\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let in_password = |bytes: &[u8]| {
            let (begin, end) = ("{\"email\":\"ada@example.com\",\"password\":\"", "\"}");
            [begin.as_bytes(), bytes, end.as_bytes()].concat()
        };
        let bodies = [
            in_password(b"\xff"),
            in_password(b"\xc0\xaf"),
            in_password(b"\xed\xa0\x80"),
            in_password(b"\xf4\x90\x80\x80"),
            in_password(b"\xe2\x82"),
            in_password(br"\ud800"),
            in_password(br"\udc00\ud800"),
            in_password(br"\ud800x"),
            [b"\xef\xbb\xbf", password_is("\"x\"").as_bytes()].concat(),
            [b"\xff\xfe".to_vec(), utf_16.clone()].concat(),
            utf_16,
        ];
        refuses(db, &[MALFORMED, SHAPE], &bodies).await;
    }

    async fn n_08_a_large_body_is_refused_before_it_is_read(db: Db) {
        let target = Target::new(db).await;
        let server = TestListener::start(target.app.router.clone()).await;
        let head = |path: &str, more: &str| format!(
            "POST {path} HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\nconnection: close\r\n{more}\r\n\r\n"
        );
        for path in ["/api/auth/login", "/api/auth/register"] {
            // By what it announces: not one byte of the body is sent.
            for (length, status) in [("16385", 413), ("2097153", 413), ("18446744073709551615", 431), ("18446744073709551616", 400)] {
                let request = head(path, &format!("content-length: {length}"));
                assert_eq!(server.status_of(request.as_bytes()).await, Some(status), "{path} {length}");
            }
            let asking = head(path, "content-length: 2097153\r\nexpect: 100-continue");
            let answer = server.exchange(asking.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "it is not asked to go on: {answer}");
            // Without a length: by what came so far.
            let mut chunked = head(path, "transfer-encoding: chunked");
            let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
            chunked.push_str(&chunk.repeat(40));
            chunked.push_str("0\r\n\r\n");
            // A connection that is closed while more is sent may lose the answer.
            let status = server.status_of(chunked.as_bytes()).await;
            assert!(status.is_none_or(|status| status == 413), "{path}: {status:?}");
        }
        // A stream that would never end is not read to its end either.
        let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&read);
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024]))
        });
        let answer = target.send(request(&target.user, &WITH_BODY[1], Body::from_stream(endless))).await;
        answer.assert_problem(413, "payload_too_large");
        assert!(read.load(std::sync::atomic::Ordering::Relaxed) <= 20);
        target.assert_unharmed().await;
    }

    async fn n_10_a_huge_number_is_refused(db: Db) {
        let numbers = ["1e400", "-1e400", "1e999999999", "9".repeat(4_000).as_str(), &format!("0.{}1", "0".repeat(4_000)), "1e-400"].map(password_is);
        refuses(db, &[MALFORMED, SHAPE], &numbers.map(String::into_bytes)).await;
    }

    async fn n_11_an_empty_body_is_refused(db: Db) {
        refuses(db.again(), &[MALFORMED], &bytes(&["", " ", "\n", "\u{0}"])).await;
    }

    async fn n_11_a_body_that_is_no_object_is_refused(db: Db) {
        refuses(db, &[SHAPE], &bytes(&["null", "[]", "[{}]", "true", "1", "\"x\"", "[\"ada@example.com\",\"kettle moss orbit\",true]"])).await;
    }

    async fn n_13_fields_of_a_form_are_not_read(db: Db) {
        let target = Target::new(db).await;
        for body in [
            "email=ada%40example.com&password=kettle+moss+orbit",
            "user[email]=ada%40example.com&user[password]=kettle+moss+orbit",
            &format!("a{}=1", "[b]".repeat(2_000)),
            &"a[]=1&".repeat(2_000),
            "__proto__[admin]=1",
        ] {
            for route in &WITH_BODY {
                let mut request = request(&target.user, route, body.to_owned());
                request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().expect("a value"));
                target.send(request).await.assert_problem(415, "unsupported_media_type");
            }
        }
        target.assert_unharmed().await;
    }

    async fn n_14_parts_of_a_form_are_not_read(db: Db) {
        refuses_media_types(db, &[
            &["multipart/form-data; boundary=x"][..], &["multipart/form-data"], &["multipart/mixed; boundary=x"], &["multipart/related; type=\"application/json\""],
        ]).await;
    }
}

/// A sound body under media types that no endpoint takes.
async fn refuses_media_types(db: Db, types: &[&[&str]]) {
    let target = Target::new(db).await;
    for route in &WITH_BODY {
        for values in types {
            let mut request = request(&target.user, route, password_is("\"kettle moss orbit\""));
            request.headers_mut().remove("content-type");
            for value in *values {
                request
                    .headers_mut()
                    .append("content-type", value.parse().expect("a value"));
            }
            let answer = target.send(request).await;
            answer.assert_problem(415, "unsupported_media_type");
            assert_says_little(&answer, &format!("{} {values:?}", route.0));
        }
    }
    target.assert_unharmed().await;
}

/// On a paused clock, which moves on when everything waits for it, which a connection pool does not survive: so on SQLite, before any
/// database is asked.
#[tokio::test]
async fn n_12_a_body_that_trickles_in_is_cut_off() {
    let app = TestApp::new(Db::sqlite()).await;
    let user = app.user().await;
    tokio::time::pause();
    for route in &WITH_BODY[..2] {
        let begun = tokio::time::Instant::now();
        let slow = stream::iter(password_is("\"kettle moss orbit\"").into_bytes()).then(|byte| async move {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
        });
        let answer = app
            .anonymous()
            .send(request(&user, route, Body::from_stream(slow)))
            .await;
        answer.assert_problem(408, "request_timeout");
        assert_says_little(&answer, route.0);
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(9),
            "{:?}",
            begun.elapsed()
        );
        // One that stops altogether.
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        app.anonymous()
            .send(request(&user, route, silent))
            .await
            .assert_problem(408, "request_timeout");
    }
}
