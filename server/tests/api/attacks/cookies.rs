//! Chapter K: doubled, disguised, planted and damaged cookies at the refresh endpoint, and which answers set one.

use http::{HeaderValue, Method, Request, header::COOKIE};
use serde_json::json;

use super::target::{Target, assert_cookie_refused};
use crate::support::{
    Db, PASSWORD, TestApp, TestResponse, client::claims, http::TestListener, on_both_databases,
};

/// The answer to a refresh with these `Cookie` headers.
async fn refresh_with(target: &Target, headers: &[Vec<u8>]) -> TestResponse {
    let mut request = target
        .app
        .anonymous()
        .request(Method::POST, "/api/auth/refresh", None);
    for bytes in headers {
        let value = HeaderValue::from_bytes(bytes).expect("a header value");
        request.headers_mut().append(COOKIE, value);
    }
    target.send(request).await
}

/// `junk` next to a good cookie, before and behind it, in one header and in two.
fn beside(junk: &[u8], good: &str) -> Vec<Vec<Vec<u8>>> {
    let good = format!("__Host-refresh={good}").into_bytes();
    let joined = |parts: [&[u8]; 2]| vec![parts.join(&b"; "[..])];
    vec![
        joined([junk, &good]),
        joined([&good, junk]),
        vec![junk.to_vec(), good.clone()],
        vec![good, junk.to_vec()],
    ]
}

/// Cookies that are none of ours: alone they are nothing, and next to a good one they do not matter.
async fn are_ignored(db: Db, junk: &[Vec<u8>]) {
    let target = Target::new(db).await;
    for bytes in junk {
        let shown = bytes.escape_ascii().to_string();
        let alone = refresh_with(&target, std::slice::from_ref(bytes)).await;
        assert_eq!(alone.status, 401, "{shown}: {}", alone.text());
        alone.assert_problem(401, "refresh_missing");
        assert_eq!(
            alone.cookies_set().count(),
            0,
            "{shown}: there is nothing to delete"
        );
        for headers in beside(bytes, target.refresh()) {
            let answer = refresh_with(&target, &headers).await;
            assert_eq!(answer.status, 200, "{shown}: {}", answer.text());
        }
    }
    target.assert_unharmed_but_rotated().await;
}

/// Names that look like ours, or become it when a server decodes or trims them.
fn disguises(value: &str) -> Vec<Vec<u8>> {
    [
        &b"%5F%5FHost-refresh"[..],
        b"%5f%5fHost%2Drefresh",
        b"__%48ost-refresh",
        b"__Host-refres%68",
        b"__host-refresh",
        b"__HOST-REFRESH",
        b"__Secure-refresh",
        b"\"__Host-refresh\"",
        b"$__Host-refresh",
        b"Host-refresh",
        b"refresh",
        b"refresh_token",
        b"__Host-rt",
    ]
    .iter()
    .map(|name| [*name, b"=", value.as_bytes()].concat())
    .collect()
}

/// Names with blanks that some servers strip and no browser does.
fn prefixed(value: &str) -> Vec<Vec<u8>> {
    [
        "\u{2000}", "\u{2003}", "\u{3000}", "\u{a0}", "\u{85}", "\u{feff}", "\u{200b}", "\t", "  ",
    ]
    .iter()
    .map(|blank| format!("{blank}__Host-refresh={value}").into_bytes())
    .chain(
        [b"\xa0".to_vec(), b"\x85".to_vec()]
            .map(|blank| [&blank[..], b"__Host-refresh=", value.as_bytes()].concat()),
    )
    .chain(
        [
            format!("__Host-refresh ={value}"),
            format!("__Host-refresh\u{a0}={value}"),
        ]
        .map(String::into_bytes),
    )
    .collect()
}

on_both_databases! {
    async fn k_02_two_cookies_in_two_headers_are_refused_and_kept(db: Db) {
        let target = Target::new(db).await;
        let good = format!("__Host-refresh={}", target.refresh()).into_bytes();
        for junk in ["__Host-refresh=junk", "__Host-refresh=", "__Host-refresh", "__Host-refresh=a.b.c; other=1"] {
            let is_a_cookie = junk.contains('=');
            for headers in [[good.clone(), junk.into()], [junk.into(), good.clone()]] {
                let answer = refresh_with(&target, &headers).await;
                if is_a_cookie {
                    answer.assert_problem(400, "ambiguous_cookie");
                    assert_eq!(answer.cookies_set().count(), 0);
                } else {
                    assert_eq!(answer.status, 200, "{junk}");
                }
            }
        }
        // The same cookie twice is no better: which of the two a server takes must not matter.
        let answer = refresh_with(&target, &[good.clone(), good.clone()]).await;
        answer.assert_problem(400, "ambiguous_cookie");
        // Crumbs of one jar, as HTTP/2 splits them and a proxy may pass them on.
        let crumbs = [b"theme=dark".to_vec(), good, b"__Host-refresh-known=x".to_vec()];
        assert_eq!(refresh_with(&target, &crumbs).await.status, 200);
        target.assert_unharmed_but_rotated().await;
    }

    async fn k_03_a_name_that_decodes_to_ours_is_ignored(db: Db) {
        are_ignored(db, &disguises("evil")).await;
    }

    async fn k_05_a_name_behind_a_strange_blank_is_ignored(db: Db) {
        are_ignored(db, &prefixed("evil")).await;
    }

    async fn k_06_no_byte_of_another_cookie_hides_ours(db: Db) {
        let bytes: Vec<Vec<u8>> = (0x80..=0xff_u8).step_by(3).map(|byte| vec![b'a', b'=', byte, byte]).collect();
        let texts = ["k\u{1f511}=\u{1f340}", "\u{e9}=1", "a=\u{feff}", "=", "==", "novalue", "", "a=\"b", "a=b,c", "a=\\"];
        let texts = texts.iter().map(|text| text.as_bytes().to_vec());
        are_ignored(db, &bytes.into_iter().chain(texts).collect::<Vec<_>>()).await;
    }

    async fn k_09_a_damaged_value_is_refused_and_forgotten(db: Db) {
        let target = Target::new(db).await;
        let good = target.refresh().to_owned();
        let (begin, end) = good.split_at(40);
        for value in [
            String::new(),
            " ".into(),
            "\"\"".into(),
            format!("\"{good}\""),
            format!("{begin} {end}"),
            format!("{begin},{end}"),
            format!("{begin}\\{end}"),
            format!("{begin};{end}"),
            format!("{good},"),
            format!("{good}\\"),
            format!("{good}="),
            format!("={good}"),
            format!("Bearer {good}"),
            good.replace('.', "%2e"),
        ] {
            let answer = refresh_with(&target, &[format!("__Host-refresh={value}").into_bytes()]).await;
            assert_cookie_refused(&answer, &value);
        }
        for value in [b"\xff".to_vec(), "\u{1f511}".into(), [good.as_bytes(), b"\xff"].concat()] {
            let answer = refresh_with(&target, &[[b"__Host-refresh=", &value[..]].concat()]).await;
            assert_cookie_refused(&answer, &value.escape_ascii().to_string());
        }
        target.assert_unharmed().await;
    }

    async fn k_10_a_cookie_of_a_sibling_has_no_effect(db: Db) {
        // What a sibling domain can set: other names, and whatever attributes, of which a request shows nothing.
        let tossed = ["refresh", "Host-refresh", "__Secure-__Host-refresh", "__Host-refresh-", "x__Host-refresh"];
        let tossed = tossed.map(|name| format!("{name}=tossed").into_bytes());
        are_ignored(db, &tossed).await;
    }

    async fn k_11_an_attackers_own_cookie_cannot_be_planted(db: Db) {
        let target = Target::new(db).await;
        let mut attacker = target.app.anonymous();
        assert_eq!(attacker.register("eve@example.com", PASSWORD).await.status, 201);
        let planted = attacker.refresh.clone().expect("a token");
        let ada = claims(target.refresh())["sub"].clone();
        for junk in disguises(&planted).into_iter().chain(prefixed(&planted)) {
            let shown = junk.escape_ascii().to_string();
            refresh_with(&target, std::slice::from_ref(&junk)).await.assert_problem(401, "refresh_missing");
            for headers in beside(&junk, target.refresh()) {
                let answer = refresh_with(&target, &headers).await;
                assert_eq!(answer.status, 200, "{shown}");
                let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
                assert_eq!(claims(&token)["sub"], ada, "{shown}");
            }
        }
        // Under the very name it makes two, and neither is taken.
        for headers in beside(format!("__Host-refresh={planted}").as_bytes(), target.refresh()) {
            refresh_with(&target, &headers).await.assert_problem(400, "ambiguous_cookie");
        }
        // The attacker's session was not touched by any of it.
        assert_eq!(attacker.refresh().await.status, 200);
        target.assert_unharmed_but_rotated().await;
    }

    async fn k_12_many_cookies_are_read_or_refused_as_a_whole(db: Db) {
        let target = Target::new(db).await;
        let many: Vec<_> = (0..2_000).map(|number| format!("c{number}=1")).collect();
        let many = many.join("; ").into_bytes();
        for headers in beside(&many, target.refresh()) {
            assert_eq!(refresh_with(&target, &headers).await.status, 200);
        }
        let server = TestListener::start(target.app.router.clone()).await;
        let request = |cookies: &str| format!(
            "POST /api/auth/refresh HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
             x-requested-with: keyturn\r\nconnection: close\r\ncontent-length: 0\r\n{cookies}\r\n"
        );
        let good = format!("cookie: __Host-refresh={}\r\n", target.refresh());
        for (count, statuses) in [(20, &[200][..]), (100, &[400, 431]), (10_000, &[400, 431])] {
            let cookies: Vec<_> = (0..count).map(|number| format!("cookie: c{number}=1\r\n")).collect();
            let status = server.status_of(request(&format!("{good}{}", cookies.concat())).as_bytes()).await;
            assert!(status.is_none_or(|status| statuses.contains(&status)), "{count}: {status:?}");
        }
        target.assert_unharmed_but_rotated().await;
    }

    async fn k_13_a_long_value_is_refused_and_forgotten(db: Db) {
        let target = Target::new(db).await;
        for length in [4_096, 4_097, 30_000, 1_000_000] {
            let mut long = target.refresh().to_owned();
            long.push_str(&"a".repeat(length - long.len()));
            assert_cookie_refused(&target.cookie(&long).await, &length.to_string());
            assert_cookie_refused(&target.cookie(&"a".repeat(length)).await, &length.to_string());
        }
        target.assert_unharmed().await;
    }

    async fn k_14_the_cookie_opens_no_other_endpoint(db: Db) {
        let target = Target::new(db).await;
        for (method, path, body) in [
            (Method::GET, "/api/me", None),
            (Method::PATCH, "/api/me", Some(json!({ "display_name": "Eve" }))),
            (Method::GET, "/api/auth/session", None),
            (Method::GET, "/api/sessions", None),
            (Method::DELETE, "/api/sessions", None),
            (Method::GET, "/api/account/events", None),
            (Method::POST, "/api/account/password", Some(json!({ "current_password": PASSWORD, "new_password": "a lantern under snow" }))),
            (Method::DELETE, "/api/account", Some(json!({ "current_password": PASSWORD }))),
            (Method::POST, "/api/auth/logout-all", None),
        ] {
            let mut client = target.user.clone();
            client.access = None;
            let request = client.request(method.clone(), path, body);
            let answer = client.send(request).await;
            answer.assert_problem(401, "invalid_token");
            assert_eq!(answer.cookies_set().count(), 0, "{method} {path}");
        }
        target.assert_unharmed().await;
    }
}

/// Every kind of answer that is not a sign-in, a refresh or the end of a session.
#[tokio::test]
async fn k_16_no_other_answer_sets_a_cookie() {
    let site = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    std::fs::write(site.path().join("pkg/app.js"), "plain").expect("writes");
    let folder = site.path().to_owned();
    let app = TestApp::with(Db::sqlite(), move |sections| sections.http.site_dir = folder).await;
    let mut user = app.user().await;
    let file = user.get("/pkg/app.js").await;
    let since = file.header("last-modified").expect("a date").to_owned();
    let with = |request: Request<axum::body::Body>, name: &'static str, value: &str| {
        let mut request = request;
        request
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
        request
    };
    let get = |path: &str| user.request(Method::GET, path, None);
    let post = |path: &str, body| user.request(Method::POST, path, body);
    let requests = [
        (200, get("/")),
        (200, get("/login")),
        (200, get("/pkg/app.js")),
        (304, with(get("/pkg/app.js"), "if-modified-since", &since)),
        (206, with(get("/pkg/app.js"), "range", "bytes=0-1")),
        (200, get("/.well-known/jwks.json")),
        (200, get("/health/live")),
        (200, get("/api/me")),
        (308, get("/login/")),
        (404, get("/nothing-here")),
        (404, get("/api/nothing")),
        (405, get("/api/auth/refresh")),
        (
            403,
            with(post("/api/auth/refresh", None), "origin", "https://evil.example"),
        ),
        (
            403,
            with(post("/api/auth/refresh", None), "x-requested-with", "other"),
        ),
        (421, with(get("/api/me"), "host", "evil.example")),
        (
            415,
            with(
                post("/api/auth/login", Some(json!({}))),
                "content-type",
                "text/plain",
            ),
        ),
        (422, post("/api/auth/login", Some(json!({})))),
        (
            413,
            post("/api/auth/login", Some(json!({ "email": "x".repeat(20_000) }))),
        ),
        (
            401,
            post(
                "/api/auth/login",
                Some(json!({ "email": "ada@example.com", "password": "another password" })),
            ),
        ),
        (
            409,
            post(
                "/api/auth/register",
                Some(json!({ "email": "ada@example.com", "password": PASSWORD })),
            ),
        ),
        (401, with(get("/api/me"), "authorization", "Bearer a.b.c")),
    ];
    for (status, request) in requests {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = app.anonymous().send(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(answer.cookies_set().count(), 0, "{what}");
    }
    assert_eq!(user.refresh().await.status, 200);
}
