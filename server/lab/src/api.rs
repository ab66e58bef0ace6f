//! `/api/lab`: starts runs and returns their results.

mod live;

use std::{convert::Infallible, sync::Arc, time::Duration};

use api_types::problem::ProblemCode;
use axum::{
    Router,
    extract::{FromRequestParts, Path, State},
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
use lab_types::paths;
use lab_types::{CellEvidence, NewRun, Place, Report, Run as Seen, RunStarted, Stage};
use web::{
    error::ApiError,
    extract::{Json, client_ip},
    middleware::rate_limit::limit_attempts,
    state::AppState,
};

use crate::{Lab, NoRun, runs::Run, watching::StreamPlace};

/// How long a stream stays open without an event.
const QUIET: Duration = Duration::from_secs(20);

/// The lab's part of the site's API. It shares the limits of `site`.
pub fn router(lab: &Arc<Lab>, site: &AppState) -> Router<AppState> {
    // A run costs as much as several sign-ins.
    let start = Router::<Arc<Lab>>::new()
        .route(paths::RUNS, post(begin))
        .route_layer(from_fn_with_state(site.clone(), limit_attempts));
    Router::new()
        .route(paths::RUN, get(read))
        .route(paths::RUN_EVENTS, get(follow))
        .route(paths::CELL, get(read_cell))
        .route(paths::REPORT, get(report))
        .merge(start)
        .merge(live::router(site))
        .with_state(Arc::clone(lab))
}

/// Proof that this visitor may open another event stream.
struct Watching {
    lab: Arc<Lab>,
    place: StreamPlace,
}

impl FromRequestParts<Arc<Lab>> for Watching {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, ApiError> {
        match lab.streams.open(client_ip(parts)) {
            Some(place) => Ok(Self { lab: Arc::clone(lab), place }),
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
    State(lab): State<Arc<Lab>>,
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
async fn read(State(lab): State<Arc<Lab>>, Path(id): Path<String>) -> Result<Json<Seen>, ApiError> {
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
    State(lab): State<Arc<Lab>>,
    Path((id, column, row)): Path<(String, String, String)>,
) -> Result<Json<CellEvidence>, ApiError> {
    let run = find(&lab, &id)?;
    match format!("{column}.{row}").parse::<Place>() {
        Ok(place) if place.bench() == run.bench => Ok(Json(run.cell(place))),
        _ => Err(ApiError::not_found()),
    }
}

/// The whole run, as a file to download.
///
/// # Errors
/// 404 if the run does not exist.
async fn report(State(lab): State<Arc<Lab>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let report: Report = find(&lab, &id)?.report();
    let name = format!("attachment; filename=\"keyturn-lab-{id}.json\"");
    Ok(([(CONTENT_DISPOSITION, name)], Json(report)).into_response())
}
