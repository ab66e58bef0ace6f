//! The victim's host: the runner's pages, and the servers that they use.
//!
//! # Layout
//! - this file: the routes; [`assets`] what browsers load
//! - [`runner`] what the runner's pages ask and report; [`theft`] the thief's copies of tokens

mod assets;
mod runner;
mod theft;

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::{csrf_defences, host, naive_server, race_server, recorder, state::Lab, vulnerable_page};
use assets::{asset, page};

/// The router of the victim's host.
pub fn router(lab: &Arc<Lab>) -> Router {
    let servers = naive_server::router()
        .merge(csrf_defences::router())
        .merge(race_server::router())
        .merge(vulnerable_page::router())
        .with_state(Arc::clone(lab))
        .fallback_service(lab.product.router.clone())
        .layer(from_fn_with_state(Arc::clone(lab), recorder::record));
    let host = Router::new()
        .route("/play", get(async || page("play.js")))
        .route("/second-tab", get(async || page("second-tab.js")))
        .route("/restart", get(async || page("restart.js")))
        .route("/tab", get(async || page("tab.js")))
        .route("/assets/{*file}", get(asset))
        .route("/gadget.js", get(vulnerable_page::gadget))
        .route("/runs/{id}/plan", get(runner::plan))
        .route("/runs/{id}/evidence", post(runner::record))
        .route("/runs/{id}/sign-in", post(runner::sign_in))
        .route("/runs/{id}/comment", get(runner::comment))
        .route("/runs/{id}/second-tab-wanted", post(runner::request_second_tab))
        .route("/runs/{id}/second-tab", get(runner::second_tab))
        .route("/runs/{id}/second-tab-over", post(runner::end_second_tab))
        .route("/runs/{id}/is-decided", get(runner::is_decided))
        .route("/runs/{id}/finish", post(runner::finish))
        .route("/runs/{id}/steal", post(theft::steal))
        .route("/runs/{id}/replay", post(theft::replay))
        .with_state(Arc::clone(lab))
        .fallback_service(servers);
    host::restrict(host, lab, &[&lab.sites.victim])
}
