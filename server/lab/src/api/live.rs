//! `/api/lab/plays`: live plays.

use std::{convert::Infallible, sync::Arc, time::Duration};

use api_types::problem::ProblemCode;
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    middleware::from_fn_with_state,
    response::{IntoResponse, sse::Event},
    routing::{get, post},
};
use futures::stream;
use lab_types::live::{Act, NewPlay, Play as Seen};
use lab_types::paths;
use tokio::time::{Instant, sleep_until};
use web::{error::ApiError, extract::Json, middleware::rate_limit::limit_attempts, state::AppState};

use super::{Watching, event_stream};
use crate::{
    Lab, NoRun,
    live::{NoAct, Play},
};

pub(super) fn router(site: &AppState) -> Router<Arc<Lab>> {
    // A play costs as much as a sign-in.
    let start = Router::new()
        .route(paths::PLAYS, post(begin))
        .route_layer(from_fn_with_state(site.clone(), limit_attempts));
    Router::new()
        .route(paths::PLAY, get(read))
        .route(paths::PLAY_ACTS, post(act))
        .route(paths::PLAY_EVENTS, get(follow))
        .merge(start)
}

fn find(lab: &Lab, id: &str) -> Result<Arc<Play>, ApiError> {
    lab.plays.find(id).ok_or_else(|| {
        ApiError::new(
            ProblemCode::NotFound,
            "There is no such play. Plays are kept for an hour at most: start a new one.",
        )
    })
}

/// Starts a play. It runs in a separate task, like every act: a client that disconnects must not leave a partial
/// change.
///
/// # Errors
/// 422 for an unknown design; 429 if too many were started within a minute.
async fn begin(
    State(lab): State<Arc<Lab>>,
    Json(new): Json<NewPlay>,
) -> Result<(StatusCode, Json<Seen>), ApiError> {
    let begun = tokio::spawn(async move { Play::begin(&lab, new.design).await });
    match begun.await.map_err(ApiError::internal)? {
        Ok(play) => Ok((StatusCode::CREATED, Json(play.seen()))),
        Err(NoRun::TooMany) => Err(ApiError::rate_limited(Duration::from_mins(1))),
        Err(error @ NoRun::NoAccount(_)) => Err(ApiError::unavailable(error)),
    }
}

/// Performs an act in a play, and returns the state after it.
///
/// # Errors
/// 404 if the play or token does not exist; 429 once the play has had all its acts.
async fn act(
    State(lab): State<Arc<Lab>>,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<Json<Seen>, ApiError> {
    let play = find(&lab, &id)?;
    let done = tokio::spawn(async move { play.act(&lab, act).await });
    match done.await.map_err(ApiError::internal)? {
        Ok(seen) => Ok(Json(seen)),
        Err(NoAct::NoSuchToken) => Err(ApiError::new(
            ProblemCode::NotFound,
            "This play has no such token. Choose one that is in its tree.",
        )),
        Err(NoAct::Full) => Err(ApiError::new(
            ProblemCode::RateLimited,
            "This play has had all its acts. Start a new one.",
        )),
        Err(NoAct::Store(error)) => Err(error.into()),
        Err(error @ (NoAct::Request(_) | NoAct::NotSignedIn(_))) => Err(ApiError::internal(error)),
    }
}

/// The current state of a play.
///
/// # Errors
/// 404 if the play does not exist.
async fn read(State(lab): State<Arc<Lab>>, Path(id): Path<String>) -> Result<Json<Seen>, ApiError> {
    Ok(Json(find(&lab, &id)?.seen()))
}

/// Streams a play: its full state after every act, until the lab closes or the play is dropped.
///
/// # Errors
/// 404 if the play does not exist; 429 if too many watch it, or the visitor follows too many.
async fn follow(
    Watching { lab, place }: Watching,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let play = find(&lab, &id)?;
    let changes = play
        .follow()
        .ok_or_else(|| ApiError::rate_limited(Duration::from_mins(1)))?;
    let end = Instant::now() + play.time_left(lab.ours.clock.now());
    drop(play);
    let events = stream::unfold(
        (lab, place, changes, end, true),
        async |(lab, place, mut changes, end, is_first)| {
            if !is_first {
                tokio::select! {
                    // Events are sent before the end.
                    biased;
                    outcome = changes.changed() => outcome.ok()?,
                    () = lab.closed() => return None,
                    () = sleep_until(end) => return None,
                }
            }
            let event = {
                let seen = changes.borrow_and_update();
                Event::default()
                    .event("play")
                    .json_data(&*seen)
                    .unwrap_or_default()
            };
            Some((Ok::<_, Infallible>(event), (lab, place, changes, end, false)))
        },
    );
    Ok(event_stream(events))
}
