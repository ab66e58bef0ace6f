//! The pages: `app` renders them, with the files that `./dev` built for them.
//!
//! Rendering never sees an access token and never queries the database. All that it knows about the visitor is a
//! *peek*: does the refresh cookie have our signature, and has it not expired? The peek does not consume the cookie. If
//! the page guessed wrong, the silent refresh that follows corrects it.

use std::path::Path;

use app::{App as Pages, hints::MinPassword, lab_open::LabIsOpen, session_hint::SessionHint, shape, shell};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, VARY,
        },
        request::Parts,
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use leptos::{
    config::LeptosOptions,
    context::{provide_context, use_context},
    nonce::use_nonce,
};
use leptos_axum::{LeptosRoutes, ResponseOptions, file_and_error_handler_with_context, generate_route_list};
use tower_http::services::ServeDir;

use crate::{
    cookies::CookieLookup,
    error::ApiError,
    middleware::security_headers::{page_policy, report_directives, reporting_endpoints},
    site::PKG,
    state::AppState,
};

/// The names of the built files contain a hash of their content, so the files may be cached indefinitely.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");
/// The maximum length of a file name on common file systems, minus the extension of its compressed variant.
const MAX_FILE_NAME: usize = 240;
/// The largest page, in bytes; the lab's is some 200 KB.
const MAX_PAGE: usize = 8 * 1024 * 1024;

/// The router for pages, their files, and unmatched paths.
pub fn router(state: &AppState) -> Router<AppState> {
    let pages = generate_route_list(Pages);
    let options: LeptosOptions = axum::extract::FromRef::from_ref(state);
    let files = Path::new(&*options.site_root).join(PKG);
    let files = ServeDir::new(files).precompressed_br().precompressed_gzip();

    let context = {
        let state = state.clone();
        move || page_context(&state)
    };
    let shell = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let rest = Router::new()
        .fallback(file_and_error_handler_with_context::<AppState, _>(
            context.clone(),
            app::shell,
        ))
        .layer(from_fn(cache_for_a_day))
        .layer(from_fn(sign_html))
        .with_state(state.clone());
    Router::new()
        .nest_service(
            &format!("/{PKG}"),
            Router::new()
                .fallback_service(files)
                .layer(from_fn(cache_immutable)),
        )
        .leptos_routes_with_context(state, pages, context, shell)
        .route_layer(from_fn(sign_html))
        .fallback_service(rest)
}

/// Adds a checksum of the page's structure, with which the frontend detects HTML that was changed in transit. Pages are
/// small and rendered without waiting, so buffering one costs no time.
async fn sign_html(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let content_type = response.headers().get(CONTENT_TYPE);
    if !content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(html) = to_bytes(body, MAX_PAGE).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, head.headers).into_response();
    };
    match std::str::from_utf8(&html).ok().and_then(shape::sign) {
        Some(signed) => {
            head.headers.remove(CONTENT_LENGTH);
            Response::from_parts(head, Body::from(signed))
        }
        None => Response::from_parts(head, Body::from(html)),
    }
}

/// Every page has one canonical address: `/login/` redirects to `/login`.
pub async fn redirect_trailing_slash(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let safe = request.method() == Method::GET || request.method() == Method::HEAD;
    let ours = [PKG, "api"]
        .iter()
        .any(|folder| path.trim_start_matches('/').starts_with(folder));
    match path.trim_end_matches('/') {
        shorter if safe && !ours && !shorter.is_empty() && shorter != path => {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            // With the origin as a prefix, so that `//evil.example/` does not become another host's address.
            let location = format!("{}{shorter}{query}", state.config.origin);
            (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response()
        }
        _ => next.run(request).await,
    }
}

/// The context of a page before it is rendered: the peek, and a policy with the nonce of this rendering.
fn page_context(state: &AppState) {
    provide_context(LabIsOpen(state.config.lab.is_some()));
    provide_context(MinPassword(state.config.passwords.min_length));
    if let Some(parts) = use_context::<Parts>() {
        provide_context(session_hint(state, &parts.headers));
    }
    if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce()) {
        let reports = report_directives(state.config.origin.is_https());
        if let Ok(policy) = HeaderValue::from_str(&format!("{}{reports}", page_policy(&nonce))) {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
        let (name, endpoints) = reporting_endpoints();
        if let Ok(endpoints) = HeaderValue::from_str(&endpoints) {
            response.insert_header(name, endpoints);
        }
        response.insert_header(VARY, HeaderValue::from_static("Cookie, Sec-Fetch-Site"));
    }
}

/// Whether the browser appears to be signed in, without consuming anything.
fn session_hint(state: &AppState, headers: &HeaderMap) -> SessionHint {
    match state.cookie.read(headers) {
        CookieLookup::Token(token)
            if state
                .tokens
                .verify_refresh(token.expose(), state.clock.now())
                .is_ok() =>
        {
            SessionHint::SignedIn
        }
        CookieLookup::Missing if would_send_cookie(headers) => SessionHint::Anonymous,
        _ => SessionHint::Unknown,
    }
}

/// A browser withholds a Strict cookie after a link from another site, so its absence then means nothing.
fn would_send_cookie(headers: &HeaderMap) -> bool {
    let site = headers
        .get(HeaderName::from_static("sec-fetch-site"))
        .map(HeaderValue::as_bytes);
    matches!(site, Some(b"same-origin" | b"none"))
}

/// Caches a built file indefinitely; a missing file gets a problem response like everything else.
async fn cache_immutable(request: Request, next: Next) -> Response {
    // Longer than any file system allows; looking it up would fail with an internal error.
    if request
        .uri()
        .path()
        .split('/')
        .any(|segment| segment.len() > MAX_FILE_NAME)
    {
        return ApiError::not_found().into_response();
    }
    let mut response = next.run(request).await;
    match response.status() {
        StatusCode::NOT_FOUND => ApiError::not_found().into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut problem = ApiError::method_not_allowed().into_response();
            problem
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            problem
        }
        status if status.is_success() || status == StatusCode::NOT_MODIFIED => {
            describe_file(response.headers_mut(), IMMUTABLE);
            response
        }
        _ => response,
    }
}

/// Caches files without a hash in their names, such as the icon, for a day.
async fn cache_for_a_day(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() {
        describe_file(response.headers_mut(), A_DAY);
    }
    response
}

/// Sets the cache lifetime of a file, and the character set of a text (OWASP ASVS 4.1.1).
fn describe_file(headers: &mut HeaderMap, keep: HeaderValue) {
    headers.insert(CACHE_CONTROL, keep);
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if let Some(kind @ ("text/css" | "text/javascript" | "text/plain" | "image/svg+xml")) = kind
        && let Ok(kind) = HeaderValue::try_from(format!("{kind}; charset=utf-8"))
    {
        headers.insert(CONTENT_TYPE, kind);
    }
}
