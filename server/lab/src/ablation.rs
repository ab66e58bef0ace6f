//! The product with one defence disabled (ablation).
//!
//! The product's own code stays unchanged: this module alters requests before it and responses after it. If a verdict
//! does not change without a defence, that defence did not cause it.

use api_types::{
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    paths::{ME, REFRESH},
};
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ORIGIN, SET_COOKIE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use lab_types::{CellId, Defence, Strategy};
use serde_json::json;
use web::{
    cookies::CookieLookup,
    extract::{Json, bearer_token},
};

use crate::{run::Run, state::Lab};

/// Responds to a request as the product does, except for the defence that this run disables.
pub async fn respond(lab: &Lab, run: &Run, cell: CellId, mut request: Request, next: Next) -> Response {
    let is_ours = matches!(
        cell,
        CellId::Storage {
            strategy: Strategy::Keyturn,
            ..
        }
    );
    if !is_ours {
        return next.run(request).await;
    }
    match run.without {
        None => next.run(request).await,
        Some(Defence::HttpOnly) => replace_attribute(next.run(request).await, "; HttpOnly", ""),
        Some(Defence::CrossSite) => {
            pretend_same_origin(lab, request.headers_mut());
            replace_attribute(next.run(request).await, "SameSite=Strict", "SameSite=None")
        }
        Some(Defence::Revocation) => {
            let accepted = accept_by_signature(lab, &request);
            let response = next.run(request).await;
            match accepted {
                Some(accepted) if response.status() == StatusCode::UNAUTHORIZED => accepted,
                _ => response,
            }
        }
        Some(Defence::ReuseDetection) => without_reuse_detection(lab, run, request, next).await,
    }
}

/// Replaces an attribute of the cookies that are set.
fn replace_attribute(mut response: Response, attribute: &str, instead: &str) -> Response {
    let cookies: Vec<HeaderValue> = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| HeaderValue::try_from(cookie.to_str().ok()?.replace(attribute, instead)).ok())
        .collect();
    response.headers_mut().remove(SET_COOKIE);
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Disables the cross-site guard: every request seems to come from the site's own pages.
fn pretend_same_origin(lab: &Lab, headers: &mut HeaderMap) {
    headers.remove("sec-fetch-site");
    let origin = HeaderValue::try_from(lab.sites.victim.as_str()).expect("an origin is visible ASCII");
    headers.insert(ORIGIN, origin);
    let custom = HeaderValue::from_static(REQUESTED_WITH_KEYTURN);
    headers.insert(REQUESTED_WITH, custom);
}

/// Behaves like a server that checks only an access token's signature and expiry.
fn accept_by_signature(lab: &Lab, request: &Request) -> Option<Response> {
    if request.method() != Method::GET || request.uri().path() != ME {
        return None;
    }
    let token = bearer_token(request.headers()).ok()??;
    let claims = lab
        .product
        .app
        .tokens
        .verify_access(token, lab.product.app.clock.now())
        .ok()?;
    Some(Json(json!({ "id": claims.sub.to_string() })).into_response())
}

/// Behaves like a server that refuses a used refresh token and does nothing else about it.
async fn without_reuse_detection(lab: &Lab, run: &Run, request: Request, next: Next) -> Response {
    let presented = match lab.product.app.cookie.read(request.headers()) {
        CookieLookup::Token(token) if request.uri().path() == REFRESH => token.expose().to_owned(),
        _ => return next.run(request).await,
    };
    if run.with_state(|tables| tables.spent.contains(&presented)) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "code": "refresh_invalid" })),
        )
            .into_response();
    }
    let response = next.run(request).await;
    if response.status().is_success() {
        run.with_state(|tables| tables.spent.insert(presented));
    }
    response
}
