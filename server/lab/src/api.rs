//! `/api/lab`: starts runs and simulations, and returns their results.
//!
//! # Layout
//! - [`runs`] `/api/lab/runs`; [`simulations`] `/api/lab/plays`; [`events`] the event streams of both

mod events;
mod runs;
mod simulations;

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};
use web::{middleware::rate_limit::limit_attempts, state::AppState};

use crate::state::Lab;

/// The lab's part of the site's API. It shares the limits of `site`.
pub fn router(lab: &Arc<Lab>, site: &AppState) -> Router<AppState> {
    // A run costs as much as several sign-ins, a simulation as one.
    let start = runs::start_router()
        .merge(simulations::start_router())
        .route_layer(from_fn_with_state(site.clone(), limit_attempts));
    runs::router()
        .merge(simulations::router())
        .merge(start)
        .with_state(Arc::clone(lab))
}
