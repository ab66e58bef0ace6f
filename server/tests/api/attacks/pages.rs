//! Chapter X, as far as the server decides it: what pages repeat, and how files are served. The rest needs a browser.

use http::Method;
use serde_json::json;

use super::{percent_encoded, target::Target};
use crate::support::{Db, TestApp, on_both_databases};

/// Texts that run as a program if they are inserted into HTML, a script, a template or a style sheet.
const PROGRAMS: [&str; 16] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "'\"></title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}",
    "`${alert(1)}`",
    "<!--",
    "]]>",
    "<style>@import 'https://evil.example'</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "&lt;script&gt;",
    "<base href=//evil.example>",
];

on_both_databases! {
    async fn x_01_user_text_is_json_and_never_in_pages(db: Db) {
        let mut target = Target::new(db).await;
        for text in PROGRAMS {
            let answer = target.user.patch("/api/me", json!({ "display_name": text })).await;
            assert_eq!(answer.status, 200, "{text}: {}", answer.text());
            assert_eq!(answer.json()["display_name"], text);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            // The browser's own name is shown on the list of sessions.
            let mut client = target.app.anonymous();
            let body = json!({ "email": "ada@example.com", "password": crate::support::PASSWORD });
            let mut request = client.request(Method::POST, "/api/auth/login", Some(body));
            request.headers_mut().insert("user-agent", text.parse().expect("a value"));
            assert_eq!(client.send(request).await.status, 200);
            let sessions = client.get("/api/sessions").await;
            assert_eq!(sessions.header("content-type"), Some("application/json"));
            assert_eq!(client.logout().await.status, 204);
            for path in ["/", "/account", "/account/sessions", "/account/security"] {
                let html = target.user.get(path).await.text();
                assert!(!is_telling(text) || !html.contains(text), "{path} holds {text}");
            }
        }
        for text in ["line\u{2028}separator", "line\u{2029}separator", &"x".repeat(10_000)] {
            target.user.patch("/api/me", json!({ "display_name": text })).await.assert_problem(422, "validation_failed");
        }
    }

    async fn x_02_no_page_repeats_its_address_as_markup(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.anonymous();
        for text in PROGRAMS {
            let encoded = percent_encoded(text);
            for path in [
                format!("/login?next={encoded}"),
                format!("/login?__err={encoded}"),
                format!("/register?error={encoded}&message={encoded}"),
                format!("/?{encoded}"),
                format!("/{encoded}"),
                format!("/lab?view={encoded}"),
            ] {
                let answer = client.get(&path).await;
                assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.status);
                let html = answer.text();
                // Those without a character that HTML minds may stand in a text.
                assert!(!is_telling(text) || !text.contains(['<', '"']) || !html.contains(text), "{path}");
                assert!(!html.contains("alert(1)</script>"), "{path}");
            }
            let answer = client.get(&format!("/api/{encoded}")).await;
            answer.assert_problem(404, "not_found");
            assert!(!answer.text().contains("alert(1)"), "{}", answer.text());
        }
    }
}

/// Whether a page could hold this text for no other reason than that it was given it.
fn is_telling(text: &str) -> bool {
    text.contains("alert") || text.contains("evil")
}

#[tokio::test]
async fn x_13_files_are_what_their_names_say() {
    let site = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(site.path().join("pkg")).expect("a folder");
    for name in ["pkg/app.js", "pkg/app.wasm", "pkg/app.css", "icon.svg"] {
        std::fs::write(site.path().join(name), "").expect("writes");
    }
    let folder = site.path().to_owned();
    let app = TestApp::with(Db::sqlite(), move |sections| sections.http.site_dir = folder).await;
    let mut client = app.anonymous();
    for (path, media_type) in [
        ("/pkg/app.js", "text/javascript; charset=utf-8"),
        ("/pkg/app.wasm", "application/wasm"),
        ("/pkg/app.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml; charset=utf-8"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(media_type), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}
