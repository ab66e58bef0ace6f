//! A browser from the API's point of view: a cookie jar, an access token, and the headers that browsers send.

use ::http::{HeaderMap, Method, Request, header};
use axum::{Router, body::Body};
use http_body_util::BodyExt;
use rotation::SessionId;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::app::ORIGIN;

pub(crate) const COOKIE: &str = "__Host-refresh";
/// The suffix of the known-browser cookie's name.
const KNOWN: &str = "-known";

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) router: Router,
    /// The refresh token in the jar.
    pub(crate) refresh: Option<String>,
    pub(crate) access: Option<String>,
    /// The known-browser cookie in the jar.
    pub(crate) known: Option<String>,
}

pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            refresh: None,
            access: None,
            known: None,
        }
    }

    /// The session in the access token.
    pub(crate) fn session_id(&self) -> SessionId {
        let claims = claims(self.access.as_deref().expect("a token"));
        claims["sid"].as_str().expect("sid").parse().expect("an id")
    }

    pub(crate) async fn register(&mut self, email: &str, password: &str) -> TestResponse {
        let body = json!({ "email": email, "password": password });
        self.post("/api/auth/register", Some(body)).await
    }

    pub(crate) async fn login(&mut self, email: &str, password: &str) -> TestResponse {
        let body = json!({ "email": email, "password": password });
        self.post("/api/auth/login", Some(body)).await
    }

    pub(crate) async fn refresh(&mut self) -> TestResponse {
        self.post("/api/auth/refresh", None).await
    }

    pub(crate) async fn logout(&mut self) -> TestResponse {
        self.post("/api/auth/logout", None).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> TestResponse {
        self.send(self.request(Method::GET, path, None)).await
    }

    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> TestResponse {
        self.send(self.request(Method::PATCH, path, Some(body))).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Option<Value>) -> TestResponse {
        self.send(self.request(Method::POST, path, body)).await
    }

    /// A request as a page of our own origin would send it.
    pub(crate) fn request(&self, method: Method, path: &str, body: Option<Value>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, ORIGIN.trim_start_matches("http://"))
            .header(header::ORIGIN, ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("x-requested-with", "keyturn");
        let refresh = self.refresh.as_ref().map(|token| format!("{COOKIE}={token}"));
        let known = self
            .known
            .as_ref()
            .map(|value| format!("{COOKIE}{KNOWN}={value}"));
        let cookies: Vec<_> = refresh.into_iter().chain(known).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &self.access {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        }
        .expect("a request")
    }

    /// Sends a request and keeps what a browser would keep.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> TestResponse {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
        let answer = TestResponse {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        if let Some(cookie) = answer.set_cookie() {
            let value = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie")
                .1;
            self.refresh = (!value.is_empty()).then(|| value.to_owned());
        }
        if let Some(value) = answer.known_cookie() {
            self.known = Some(value.to_owned());
        }
        if let Some(token) = answer
            .try_json()
            .and_then(|json| json["access_token"].as_str().map(str::to_owned))
        {
            self.access = Some(token);
        }
        answer
    }
}

impl TestResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn try_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body without the request id, to compare two responses byte by byte.
    pub(crate) fn text_without_id(&self) -> String {
        self.text()
            .replace(self.header("x-request-id").expect("an id"), "[id]")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    /// The `Set-Cookie` of the refresh cookie.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        let mut all = self.cookies_set().filter(|(name, _)| !name.ends_with(KNOWN));
        let first = all.next().map(|(_, cookie)| cookie);
        assert!(all.next().is_none(), "two refresh cookies in one answer");
        first
    }

    /// The known-browser cookie that the response sets.
    pub(crate) fn known_cookie(&self) -> Option<&str> {
        let (_, cookie) = self.cookies_set().find(|(name, _)| name.ends_with(KNOWN))?;
        cookie.split(';').next()?.split_once('=').map(|(_, value)| value)
    }

    /// Every cookie that is set: its name, and the whole header.
    pub(crate) fn cookies_set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.get_all(header::SET_COOKIE).into_iter().map(|value| {
            let cookie = value.to_str().expect("ASCII");
            (cookie.split('=').next().expect("a name"), cookie)
        })
    }

    pub(crate) fn clears_the_cookie(&self) -> bool {
        self.set_cookie()
            .is_some_and(|cookie| cookie.starts_with("__Host-refresh=;") && cookie.ends_with("Max-Age=0"))
    }

    /// Asserts that this is a problem with this code, in the format of RFC 9457.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{code}"));
        let id = self.header("x-request-id").expect("an id");
        assert_eq!(problem["request_id"], id);
        if code == "internal_error" {
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(detail.contains(id), "a report needs the number: {detail}");
        }
        for member in ["title", "detail"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} is empty"
            );
        }
        if status == 401 {
            assert!(
                self.header("www-authenticate")
                    .is_some_and(|value| value.starts_with("Bearer"))
            );
        }
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token, unverified.
pub(crate) fn token_header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    let text = token.split('.').nth(index).expect("a part");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}
