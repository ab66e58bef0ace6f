//! Chapter C: requests that another site makes a browser send. What browsers do by themselves is in the browser tests.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use super::target::{Target, assert_cross_site_refused, assert_grants_nothing};
use crate::support::{Client, Db, PASSWORD, on_both_databases};

/// Every route that changes something.
const UNSAFE: [(&str, Method); 16] = [
    ("/api/auth/register", Method::POST),
    ("/api/auth/login", Method::POST),
    ("/api/auth/refresh", Method::POST),
    ("/api/auth/logout", Method::POST),
    ("/api/auth/logout-all", Method::POST),
    ("/api/csp-report", Method::POST),
    ("/api/me", Method::PATCH),
    ("/api/sessions", Method::DELETE),
    ("/api/sessions/00000000000070008000000000000000", Method::DELETE),
    ("/api/account", Method::DELETE),
    ("/api/account/alarm", Method::POST),
    ("/api/account/password", Method::POST),
    (
        "/api/admin/users/00000000000070008000000000000000/disable",
        Method::POST,
    ),
    (
        "/api/admin/users/00000000000070008000000000000000/enable",
        Method::POST,
    ),
    (
        "/api/admin/users/00000000000070008000000000000000/sessions",
        Method::DELETE,
    ),
    // Paths that do not exist have no door of their own.
    ("/api/anything", Method::POST),
];

/// Paths that answer to GET, or could.
const SAFE: [&str; 14] = [
    "/",
    "/login",
    "/account",
    "/api/me",
    "/api/auth/session",
    "/api/auth/refresh",
    "/api/auth/logout",
    "/api/auth/logout-all",
    "/api/auth/login",
    "/api/auth/register",
    "/api/sessions",
    "/api/account/events",
    "/api/account/alarm",
    "/api/admin/users",
];

/// Where a forged request comes from, as browsers say it.
const FROM: [(&str, &str); 3] = [
    ("https://evil.example", "cross-site"),
    ("http://sibling.localhost:3000", "same-site"),
    ("null", "cross-site"),
];

/// A request as a page of another site makes a signed-in browser send it. The browser attaches the cookie here: a server
/// must not rely on `SameSite`.
fn forged(user: &Client, method: Method, path: &str, (origin, site): (&str, &str)) -> Request<Body> {
    let mut client = user.clone();
    client.access = None;
    let mut request = client.request(method, path, None);
    let headers = request.headers_mut();
    headers.remove("x-requested-with");
    headers.insert("origin", origin.parse().expect("a value"));
    headers.insert("sec-fetch-site", site.parse().expect("a value"));
    request
}

/// Sends this body to every route that changes something, with everything else as it has to be.
async fn is_refused_everywhere(db: Db, media_type: Option<&str>, body: &str, fetch: &[(&'static str, &str)]) {
    let target = Target::new(db).await;
    for (path, method) in UNSAFE {
        for from in FROM {
            let mut request = forged(&target.user, method.clone(), path, from);
            if let Some(media_type) = media_type {
                request
                    .headers_mut()
                    .insert("content-type", media_type.parse().expect("a value"));
            }
            for (name, value) in fetch {
                request
                    .headers_mut()
                    .insert(*name, value.parse().expect("a value"));
            }
            *request.body_mut() = Body::from(body.to_owned());
            let answer = target.send(request).await;
            assert_cross_site_refused(&answer, &format!("{method} {path} from {from:?}"));
        }
    }
    target.assert_unharmed().await;
}

fn credentials() -> Value {
    json!({ "email": "eve@example.com", "password": PASSWORD })
}

const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("accept", "text/html,*/*"),
];
const NO_CORS: [(&str, &str); 2] = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")];

on_both_databases! {
    async fn c_01_a_form_of_another_site_is_refused(db: Db) {
        let body = "email=eve%40example.com&password=kettle+moss+orbit&current_password=kettle+moss+orbit";
        is_refused_everywhere(db, Some("application/x-www-form-urlencoded"), body, &NAVIGATION).await;
    }

    async fn c_02_a_form_that_writes_json_is_refused(db: Db) {
        // `<input name='{"email":"…","x":"' value='"}'>` with enctype=text/plain.
        let body = format!("{}=", credentials());
        is_refused_everywhere(db, Some("text/plain"), &body, &NAVIGATION).await;
    }

    async fn c_03_a_form_of_parts_is_refused(db: Db) {
        let body = "--x\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\neve@example.com\r\n--x--\r\n";
        is_refused_everywhere(db, Some("multipart/form-data; boundary=x"), body, &NAVIGATION).await;
    }

    async fn c_04_a_script_of_another_site_is_refused(db: Db) {
        is_refused_everywhere(db, Some("text/plain;charset=UTF-8"), &credentials().to_string(), &NO_CORS).await;
    }

    async fn c_05_a_request_without_a_body_is_refused(db: Db) {
        is_refused_everywhere(db, None, "", &NO_CORS).await;
    }

    async fn c_06_a_beacon_is_refused(db: Db) {
        let body = credentials().to_string();
        is_refused_everywhere(db, Some("application/json"), &body, &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty"), ("accept", "*/*")]).await;
    }

    async fn c_07_loading_a_path_changes_nothing(db: Db) {
        let target = Target::new(db).await;
        for path in SAFE {
            for (dest, mode) in [("image", "no-cors"), ("script", "no-cors"), ("document", "navigate"), ("empty", "no-cors")] {
                for purpose in ["", "prefetch", "prefetch;prerender"] {
                    let mut request = forged(&target.user, Method::GET, path, ("https://evil.example", "cross-site"));
                    let headers = request.headers_mut();
                    headers.remove("origin");
                    for (name, value) in [("sec-fetch-dest", dest), ("sec-fetch-mode", mode), ("sec-purpose", purpose)] {
                        headers.insert(name, value.parse().expect("a value"));
                    }
                    let answer = target.send(request).await;
                    assert!(matches!(answer.status, 200 | 401 | 404 | 405), "{path}: {}", answer.status);
                    assert!(answer.status != 200 || !path.starts_with("/api/"), "{path}");
                    assert_grants_nothing(&answer, path);
                }
            }
        }
        target.assert_unharmed().await;
    }

    async fn c_08_a_cookie_without_an_origin_is_refused(db: Db) {
        let target = Target::new(db).await;
        for (path, method) in UNSAFE {
            let mut request = target.user.request(method.clone(), path, None);
            for name in ["origin", "sec-fetch-site"] {
                request.headers_mut().remove(name);
            }
            assert_cross_site_refused(&target.send(request).await, &format!("{method} {path}"));
        }
        target.assert_unharmed().await;
    }

    async fn c_10_an_origin_that_resembles_ours_is_refused(db: Db) {
        let target = Target::new(db).await;
        for origin in [
            "http://localhost:3000.evil.example",
            "http://localhost.evil.example:3000",
            "http://evil-localhost:3000",
            "http://evillocalhost:3000",
            "http://localhost",
            "http://localhost:80",
            "http://localhost:3001",
            "http://localhost:30000",
            "http://localhost:3000.",
            "http://localhost.:3000",
            "http://localhost:3000/",
            "http://localhost:3000#",
            "http://localhost:3000@evil.example",
            "http://evil.example@localhost:3000",
            "http://localhost:3000, https://evil.example",
            "https://localhost:3000",
            "ftp://localhost:3000",
            "HTTP://LOCALHOST:3000",
            "http://LocalHost:3000",
            "http://xn--lcalhost-v2a:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://[::ffff:127.0.0.1]:3000",
            "localhost:3000",
            "//localhost:3000",
            "null",
            "",
            "*",
            "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "moz-extension://00000000-0000-0000-0000-000000000000",
            "file://",
        ] {
            // With and without the header of newer browsers, which would settle it.
            for site in [None, Some("same-origin"), Some("cross-site")] {
                let mut request = target.user.request(Method::POST, "/api/auth/logout", None);
                let headers = request.headers_mut();
                headers.insert("origin", origin.parse().expect("a value"));
                match site {
                    Some(site) => drop(headers.insert("sec-fetch-site", site.parse().expect("a value"))),
                    None => drop(headers.remove("sec-fetch-site")),
                }
                assert_cross_site_refused(&target.send(request).await, origin);
            }
        }
        target.assert_unharmed().await;
    }

    async fn c_13_a_sibling_site_is_refused(db: Db) {
        let target = Target::new(db).await;
        for (path, method) in UNSAFE {
            // With all that only our own pages send, too.
            let mut request = target.user.request(method.clone(), path, None);
            request.headers_mut().insert("sec-fetch-site", "same-site".parse().expect("a value"));
            assert_cross_site_refused(&target.send(request).await, &format!("{method} {path}"));
        }
        target.assert_unharmed().await;
    }

    async fn c_14_another_site_cannot_sign_in_as_the_attacker(db: Db) {
        let target = Target::new(db).await;
        let mut attacker = target.app.anonymous();
        assert_eq!(attacker.register("eve@example.com", PASSWORD).await.status, 201);
        for (path, media_type) in [
            ("/api/auth/login", "application/json"),
            ("/api/auth/login", "text/plain"),
            ("/api/auth/register", "application/json"),
        ] {
            for from in FROM {
                let mut victim = target.user.clone();
                let mut request = forged(&victim, Method::POST, path, from);
                request.headers_mut().insert("content-type", media_type.parse().expect("a value"));
                *request.body_mut() = Body::from(credentials().to_string());
                let answer = victim.send(request).await;
                assert_cross_site_refused(&answer, path);
                assert_eq!(victim.refresh, target.user.refresh);
            }
        }
        // It was the guard that stopped it, and not the credentials.
        assert_eq!(target.app.anonymous().login("eve@example.com", PASSWORD).await.status, 200);
        target.assert_unharmed_but_rotated().await;
    }

    async fn c_15_another_site_cannot_sign_out(db: Db) {
        let target = Target::new(db).await;
        for path in ["/api/auth/logout", "/api/auth/logout-all"] {
            for from in FROM {
                for (name, value) in [("accept", "*/*"), ("x-requested-with", "keyturn")] {
                    let mut request = forged(&target.user, Method::POST, path, from);
                    request.headers_mut().insert(name, value.parse().expect("a value"));
                    assert_cross_site_refused(&target.send(request).await, path);
                }
            }
        }
        target.assert_unharmed().await;
    }

    async fn c_17_a_preflight_grants_nothing(db: Db) {
        let target = Target::new(db).await;
        for (path, method) in UNSAFE.into_iter().chain(SAFE.map(|path| (path, Method::GET))) {
            for origin in ["https://evil.example", "null", "http://sibling.localhost:3000", "http://localhost:3000"] {
                let mut request = forged(&target.user, Method::OPTIONS, path, (origin, "cross-site"));
                for (name, value) in [
                    ("access-control-request-method", method.as_str()),
                    ("access-control-request-headers", "content-type,x-requested-with,authorization"),
                    ("access-control-request-private-network", "true"),
                    ("access-control-request-local-network", "true"),
                ] {
                    request.headers_mut().insert(name, value.parse().expect("a value"));
                }
                let answer = target.send(request).await;
                let granted: Vec<_> = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).collect();
                assert!(granted.is_empty(), "{path} to {origin}: {granted:?}");
                assert_grants_nothing(&answer, path);
                assert!(answer.status < 500, "{path}: {}", answer.text());
            }
        }
        target.assert_unharmed().await;
    }

    // Cheap means: answered from memory. With a database or a password hash it could not be answered here.
    async fn c_18_preflights_ask_no_database(db: Db) {
        let target = Target::new(db).await;
        target.app.state.store.clone().close().await.expect("closes");
        for (path, _) in UNSAFE {
            for _ in 0..60 {
                let request = forged(&target.user, Method::OPTIONS, path, FROM[0]);
                let answer = target.send(request).await;
                assert!(matches!(answer.status, 404 | 405), "{path}: {}", answer.text());
            }
        }
    }

    async fn c_20_a_method_cannot_be_overridden(db: Db) {
        let target = Target::new(db).await;
        let headers = ["x-http-method-override", "x-http-method", "x-method-override"];
        for (path, overridden) in [("/api/account", "DELETE"), ("/api/sessions", "DELETE"), ("/api/me", "PATCH"), ("/api/auth/logout", "POST")] {
            for name in headers {
                for method in [Method::GET, Method::HEAD] {
                    let mut request = forged(&target.user, method, path, FROM[0]);
                    request.headers_mut().insert(name, overridden.parse().expect("a value"));
                    let answer = target.send(request).await;
                    assert!(matches!(answer.status, 401 | 405), "{path}: {}", answer.status);
                }
            }
            let mut request = target.user.request(Method::GET, &format!("{path}?_method={overridden}"), None);
            request.headers_mut().remove("authorization");
            assert!(matches!(target.send(request).await.status, 401 | 405), "{path}");
            // In a body that our own page would not send either.
            let mut request = target.user.request(Method::POST, path, Some(json!({ "_method": overridden })));
            request.headers_mut().insert("origin", "https://evil.example".parse().expect("a value"));
            assert_cross_site_refused(&target.send(request).await, path);
        }
        target.assert_unharmed().await;
    }

    async fn c_21_head_does_no_work_of_post(db: Db) {
        let target = Target::new(db).await;
        for (path, method) in UNSAFE {
            if method != Method::POST || path == "/api/anything" || path == "/api/account/alarm" {
                continue;
            }
            let mut request = target.user.request(Method::HEAD, path, Some(credentials()));
            request.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a value"));
            let answer = target.send(request).await;
            assert_eq!(answer.status, 405, "{path}");
            assert_eq!(answer.cookies_set().count(), 0, "{path}");
        }
        target.assert_unharmed().await;
    }

    async fn c_22_a_read_from_another_site_shows_nothing(db: Db) {
        let target = Target::new(db).await;
        for path in ["/api/me", "/api/auth/session", "/api/sessions", "/api/account/events", "/api/account/alarm"] {
            for from in FROM {
                let answer = target.send(forged(&target.user, Method::GET, path, from)).await;
                answer.assert_problem(401, "invalid_token");
                assert_grants_nothing(&answer, path);
                assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
                // A bearer that a script of another site could not have does not open the answer to that script either.
                let mut request = target.user.request(Method::GET, path, None);
                request.headers_mut().insert("origin", from.0.parse().expect("a value"));
                request.headers_mut().insert("sec-fetch-site", from.1.parse().expect("a value"));
                assert_grants_nothing(&target.send(request).await, path);
            }
        }
        target.assert_unharmed().await;
    }

    async fn c_25_a_referer_is_no_proof(db: Db) {
        let target = Target::new(db).await;
        for path in ["/api/auth/logout", "/api/auth/refresh", "/api/auth/login", "/api/account"] {
            let mut request = target.user.request(Method::POST, path, None);
            let headers = request.headers_mut();
            for name in ["origin", "sec-fetch-site"] {
                headers.remove(name);
            }
            headers.insert("referer", "http://localhost:3000/account".parse().expect("a value"));
            assert_cross_site_refused(&target.send(request).await, path);
        }
        target.assert_unharmed().await;
    }

    async fn c_28_a_form_is_not_redirected(db: Db) {
        let target = Target::new(db).await;
        for path in ["/api/auth/login", "/api/auth/logout", "/api/login_user", "/login", "/account"] {
            for referer in ["https://evil.example/", "//evil.example", "http://localhost:3000/account"] {
                let mut request = forged(&target.user, Method::POST, path, FROM[0]);
                let headers = request.headers_mut();
                for (name, value) in [("referer", referer), ("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")] {
                    headers.insert(name, value.parse().expect("a value"));
                }
                *request.body_mut() = Body::from("email=eve%40example.com&password=x");
                assert_cross_site_refused(&target.send(request).await, path);
            }
        }
        target.assert_unharmed().await;
    }
}
