//! Concurrent refreshes, against servers with different protection.
//!
//! The small server here reads the state of a token, waits as long as a remote database would take, and writes. What it
//! does on writing depends on the column. The last two columns are the product itself.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lab_types::{CellId, RaceDefence, RaceScenario};
use serde_json::json;
use web::extract::{Json, bearer_token};

use crate::{
    cookies::{in_request, with_cookies},
    product::ProductError,
    race_session::RaceSession,
    run::Run,
    scope::EvidenceScope,
    state::Lab,
    targets::{RACE_COOKIE, is_product, race_refresh},
};

/// The time between reading and writing: the maximum delay between two concurrent browser requests on a busy machine.
const DATABASE_DELAY: Duration = Duration::from_millis(250);

/// The endpoints.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route("/race/{defence}/refresh", post(refresh))
        .route("/race/{defence}/me", get(me))
}

/// Whether to drop the response to this request: the first response of the cell that contains a token.
pub fn drops_response(run: &Run, cell: CellId, path: &str, status: StatusCode) -> bool {
    match cell {
        CellId::Race {
            remedy,
            load: RaceScenario::LostAnswer,
        } => {
            status == StatusCode::OK
                && path == race_refresh(remedy).0
                && run.with_state(|state| state.dropped.insert(cell))
        }
        _ => false,
    }
}

/// Signs the visitor in for one cell, at that cell's server.
///
/// # Errors
/// If the product does not sign in its visitor.
pub async fn sign_in(
    lab: &Lab,
    run: &Run,
    cell: CellId,
    defence: RaceDefence,
) -> Result<Response, ProductError> {
    let cookies = if is_product(defence) {
        lab.sign_in_at_product(run).await?
    } else {
        let token = lab.new_id();
        let session = RaceSession::new("ada", token.clone());
        run.with_state(|state| state.races.insert(cell, session));
        vec![cookie(&token)]
    };
    Ok(with_cookies(StatusCode::NO_CONTENT.into_response(), &cookies))
}

fn cookie(token: &str) -> String {
    format!("{RACE_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict")
}

fn refused(why: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": why }))).into_response()
}

async fn refresh(
    State(lab): State<Arc<Lab>>,
    Path(defence): Path<RaceDefence>,
    EvidenceScope { run, cell, .. }: EvidenceScope,
    headers: HeaderMap,
) -> Response {
    let token = in_request(&headers, RACE_COOKIE).unwrap_or_default();
    let status = run.with_state(|state| state.races.get(&cell)?.status_of(&token));
    let Some(status) = status else {
        return refused("sign in again");
    };
    tokio::time::sleep(DATABASE_DELAY).await;
    let (successor, access) = (lab.new_id(), lab.new_id());
    let now_ms = lab.runs.now_ms();
    let successor = run.with_state(|state| {
        let session = state.races.get_mut(&cell)?;
        let token = session.refresh(defence, &token, status, successor, now_ms)?;
        session.add_access(access.clone());
        Some(token)
    });
    match successor {
        Some(token) => (
            [(SET_COOKIE, cookie(&token))],
            Json(json!({ "access_token": access })),
        )
            .into_response(),
        None => refused("sign in again"),
    }
}

async fn me(EvidenceScope { run, cell, .. }: EvidenceScope, headers: HeaderMap) -> Response {
    let user = bearer_token(&headers).ok().flatten().and_then(|access| {
        run.with_state(|state| {
            let session = state.races.get(&cell)?;
            session.accepts_access(access).then(|| session.user.clone())
        })
    });
    match user {
        Some(user) => Json(json!({ "email": user })).into_response(),
        None => refused("the access token has ended"),
    }
}
