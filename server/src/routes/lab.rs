//! `/api/lab`: starts runs and returns their results. All routes are 404 unless the lab is enabled.

mod live;

use std::{convert::Infallible, sync::Arc, time::Duration};

use api_types::{
    lab::{CellEvidence, NewRun, Place, Report, Run as Seen, RunStarted, Stage},
    paths,
    problem::ProblemCode,
};
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{CONTENT_DISPOSITION, USER_AGENT},
        request::Parts,
    },
    middleware::from_fn_with_state,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures::stream::{self, Stream};

use super::not_found;
use crate::{
    error::ApiError,
    extract::{Json, client_ip},
    lab::{Lab, NoRun, runs::Run, watching::StreamPlace},
    middleware::rate_limit::limit_attempts,
    state::AppState,
};

/// How long a stream stays open without an event.
const QUIET: Duration = Duration::from_secs(20);

pub(super) fn router(state: &AppState) -> Router<AppState> {
    // A run costs as much as several sign-ins.
    let start = Router::new()
        .route(paths::LAB_RUNS, post(begin))
        .route_layer(from_fn_with_state(state.clone(), limit_attempts));
    Router::new()
        .route(paths::LAB_RUN, get(read))
        .route(paths::LAB_RUN_EVENTS, get(follow))
        .route(paths::LAB_CELL, get(read_cell))
        .route(paths::LAB_REPORT, get(report))
        .merge(start)
        .merge(live::router(state))
}

/// Proof that the lab is enabled.
struct Open(Arc<Lab>);

impl FromRequestParts<AppState> for Open {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match &state.lab {
            Some(lab) => Ok(Self(Arc::clone(lab))),
            None => Err(not_found().await),
        }
    }
}

/// Proof that the lab is enabled and that this visitor may open another event stream.
struct Watching {
    lab: Arc<Lab>,
    place: StreamPlace,
}

impl FromRequestParts<AppState> for Watching {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Open(lab) = Open::from_request_parts(parts, state).await?;
        match lab.streams.open(client_ip(parts)) {
            Some(place) => Ok(Self { lab, place }),
            None => Err(ApiError::rate_limited(QUIET).with_detail(
                "Too many pages on your network follow the lab live. Close one of them, then reload this page.",
            )),
        }
    }
}

/// Server-sent events, with a header that keeps proxies from buffering them, as nginx would do.
fn event_stream<S>(events: S) -> impl IntoResponse
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
    (
        [(X_ACCEL_BUFFERING, "no")],
        Sse::new(events).keep_alive(KeepAlive::default()),
    )
}

fn find(lab: &Lab, id: &str) -> Result<Arc<Run>, ApiError> {
    lab.runs.find(id).ok_or_else(|| {
        ApiError::new(
            ProblemCode::NotFound,
            "There is no such run. Runs are kept for an hour: start a new one.",
        )
    })
}

/// Starts a run; the runner's page does the rest.
///
/// # Errors
/// 429 if too many were started within a minute.
async fn begin(
    Open(lab): Open,
    headers: HeaderMap,
    Json(new): Json<NewRun>,
) -> Result<(StatusCode, Json<RunStarted>), ApiError> {
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let run = match lab.begin(new, user_agent.unwrap_or_default()).await {
        Ok(run) => run,
        Err(NoRun::TooMany) => return Err(ApiError::rate_limited(Duration::from_mins(1))),
        Err(error @ NoRun::NoAccount(_)) => return Err(ApiError::unavailable(error)),
    };
    let address = |page: &str| format!("{}/{page}?run={}", lab.sites.victim, run.id);
    let started = RunStarted {
        id: run.id.clone(),
        runner: address("play"),
        second_tab: address("second-tab"),
    };
    Ok((StatusCode::CREATED, Json(started)))
}

/// The current state of a run.
///
/// # Errors
/// 404 if the run does not exist.
async fn read(Open(lab): Open, Path(id): Path<String>) -> Result<Json<Seen>, ApiError> {
    Ok(Json(find(&lab, &id)?.seen()))
}

/// Streams a run: its full state after every change, until it is finished.
///
/// # Errors
/// 404 if the run does not exist; 429 if the visitor follows too many.
async fn follow(
    Watching { lab, place }: Watching,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let run = find(&lab, &id)?;
    let changes = run.follow();
    // A watcher does not keep an expired run alive; when the run is dropped, the stream ends.
    let run = Arc::downgrade(&run);
    let events = stream::unfold(Some((lab, place, run, changes, true)), async |state| {
        let (lab, place, run, mut changes, is_first) = state?;
        if !is_first {
            tokio::select! {
                outcome = changes.changed() => outcome.ok()?,
                () = lab.closed() => return None,
                // A browser has few connections per host. A client that still waits for an idle run reconnects.
                () = tokio::time::sleep(QUIET) => return None,
            }
        }
        let seen = run.upgrade()?.seen();
        let event = Event::default().event("run").json_data(&seen).unwrap_or_default();
        let goes_on = seen.stage != Stage::Finished;
        Some((Ok(event), goes_on.then_some((lab, place, run, changes, false))))
    });
    Ok(event_stream(events))
}

/// A cell with its evidence.
///
/// # Errors
/// 404 if the run or cell does not exist.
async fn read_cell(
    Open(lab): Open,
    Path((id, column, row)): Path<(String, String, String)>,
) -> Result<Json<CellEvidence>, ApiError> {
    let run = find(&lab, &id)?;
    match format!("{column}.{row}").parse::<Place>() {
        Ok(place) if place.bench() == run.bench => Ok(Json(run.cell(place))),
        _ => Err(not_found().await),
    }
}

/// The whole run, as a file to download.
///
/// # Errors
/// 404 if the run does not exist.
async fn report(Open(lab): Open, Path(id): Path<String>) -> Result<Response, ApiError> {
    let report: Report = find(&lab, &id)?.report();
    let name = format!("attachment; filename=\"keyturn-lab-{id}.json\"");
    Ok(([(CONTENT_DISPOSITION, name)], Json(report)).into_response())
}
