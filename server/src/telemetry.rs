//! What operators can see: the log, and the metrics behind a listener of their own.
//!
//! Metrics are counted by the `metrics` crate wherever something happens; without `admin.listen` nobody collects them,
//! and counting costs nothing.

use std::future::{Future, poll_fn};

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use metrics::{NoopRecorder, with_local_recorder};
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

/// Does work of which nothing is counted: what the lab's copy of the product does is no figure of the site's. Tasks that it
/// spawns are on their own.
pub fn uncounted<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let mut work = Box::pin(work);
    poll_fn(move |context| with_local_recorder(&NoopRecorder, || work.as_mut().poll(context)))
}

async fn show(State(handle): State<PrometheusHandle>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], handle.render())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn what_is_uncounted_is_not_counted_before_or_after_a_pause() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let count = async || {
            metrics::counter!("things").increment(1);
            tokio::task::yield_now().await;
            metrics::counter!("things").increment(1);
        };
        let mut work = pin!(async {
            count().await;
            uncounted(count()).await;
        });
        poll_fn(|context| with_local_recorder(&recorder, || work.as_mut().poll(context))).await;
        let shown = recorder.handle().render();
        assert!(shown.contains("things 2\n"), "{shown}");
    }
}
