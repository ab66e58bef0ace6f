//! What operators can see: the log, and the metrics behind a listener of their own.
//!
//! Metrics are counted by the `metrics` crate wherever something happens; without `admin.listen` nobody collects them,
//! and counting costs nothing.

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// The Prometheus text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes the log to standard error from now on.
pub fn start_logging(log: &Log) {
    // Checked with the rest of the configuration.
    let filter = EnvFilter::new(&log.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Collects metrics from now on, and answers the router that shows them.
///
/// # Errors
/// If somebody collects them already.
pub fn start_metrics() -> Result<Router, BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    Ok(Router::new().route("/metrics", get(show)).with_state(handle))
}

async fn show(State(handle): State<PrometheusHandle>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], handle.render())
}
