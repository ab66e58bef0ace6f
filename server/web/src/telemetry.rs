//! What operators can observe: the log, and metrics on a separate listener.
//!
//! The `metrics` crate counts at every place where something happens; without `admin.listen` nothing collects the
//! metrics, and counting costs nothing.

use std::{
    env,
    ffi::OsStr,
    future::{Future, poll_fn},
    io::{self, IsTerminal},
    net::IpAddr,
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE, uri::Authority},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{NoopRecorder, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

pub use metrics_exporter_prometheus::BuildError as MetricsError;

use crate::{
    config::{Admin, Log, LogFormat},
    middleware::host::only_host,
};

/// The Prometheus text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What every filter begins with; a configured filter that names one of these targets takes precedence.
///
/// Spans of requests are always on: if only `keyturn::security` is logged, its lines still need the request's id. The
/// libraries log routine events: a schema check that finds nothing to do, and PostgreSQL's notices about tables that
/// exist already.
const BASE_FILTER: &str = "keyturn::request=error,sea_orm_migration=warn,sqlx::postgres::notice=warn";

/// Starts logging to standard error.
pub fn start_logging(log: &Log) {
    // Already validated with the rest of the configuration.
    let filter = EnvFilter::new(format!("{BASE_FILTER},{}", log.filter));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(use_colour(
            io::stderr().is_terminal(),
            env::var_os("NO_COLOR").as_deref(),
        ))
        .with_writer(io::stderr);
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Whether to use colours: only on a terminal, and not if `NO_COLOR` has a value (<https://no-color.org>), except an
/// empty one.
fn use_colour(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

/// Starts collecting metrics, and returns the router that serves them.
///
/// # Errors
/// If another recorder is installed already.
pub fn start_metrics(admin: &Admin) -> Result<Router, BuildError> {
    Ok(metrics_router(
        PrometheusBuilder::new().install_recorder()?,
        admin,
    ))
}

/// Serves the metrics to requests that name this listener by an IP address, a loopback name or a name of `admin.hosts`.
///
/// A page on the internet can point its own name at the address of this listener (DNS rebinding) and then read the
/// metrics as same-origin content; the `Host` header still contains that name.
fn metrics_router(handle: PrometheusHandle, admin: &Admin) -> Router {
    let hosts: Arc<[String]> = admin.hosts.clone().into();
    Router::new()
        .route("/metrics", get(render_metrics))
        .with_state(handle)
        .layer(from_fn_with_state(hosts, check_host))
}

async fn check_host(State(hosts): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let host = only_host(request.headers(), request.uri());
    if host.is_some_and(|host| is_own_name(host, &hosts)) {
        return next.run(request).await;
    }
    let host: String = host.unwrap_or_default().chars().take(100).collect();
    tracing::info!(?host, "metrics refused: not a name of admin.hosts");
    let why = "Ask for the metrics by IP address, or list this host name in admin.hosts.\n";
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

/// Accepts any port, because a container or a tunnel may use a different one.
fn is_own_name(host: &str, own: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if bare.unwrap_or(name).parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || own.iter().any(|own| own.eq_ignore_ascii_case(&name))
}

/// Runs work without counting metrics: the lab's copy of the product must not affect the site's metrics. Tasks that it
/// spawns are not covered.
pub fn without_metrics<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let mut work = Box::pin(work);
    poll_fn(move |context| with_local_recorder(&NoopRecorder, || work.as_mut().poll(context)))
}

async fn render_metrics(State(handle): State<PrometheusHandle>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], handle.render())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn colours_need_a_terminal_and_no_no_color() {
        assert!(use_colour(true, None));
        assert!(use_colour(true, Some(OsStr::new(""))));
        assert!(!use_colour(true, Some(OsStr::new("1"))));
        assert!(!use_colour(false, None));
    }

    #[tokio::test]
    async fn metrics_are_shown_under_own_names_only() {
        let admin = Admin {
            hosts: vec!["metrics.internal".into()],
            ..Admin::default()
        };
        let router = metrics_router(PrometheusBuilder::new().build_recorder().handle(), &admin);
        for (host, status) in [
            ("127.0.0.1:9464", 200),
            ("10.1.2.3:9464", 200),
            ("[::1]:9464", 200),
            ("[2001:db8::1]", 200),
            ("localhost:9464", 200),
            ("keyturn.localhost", 200),
            ("Metrics.Internal.:9464", 200),
            ("rebound.evil.example:9464", 421),
            ("metrics.internal.evil.example", 421),
            ("127.0.0.1.evil.example", 421),
            ("localhost.evil.example", 421),
            ("ada@localhost", 421),
            ("", 421),
        ] {
            let request = Request::get("/metrics").header("host", host);
            let request = request.body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), status, "{host:?}");
        }
        let nameless = Request::get("/metrics").body(Body::empty()).expect("a request");
        let response = router.oneshot(nameless).await.expect("an answer");
        assert_eq!(response.status(), 421);
    }

    #[tokio::test]
    async fn without_metrics_counts_nothing_across_await() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let count = async || {
            metrics::counter!("things").increment(1);
            tokio::task::yield_now().await;
            metrics::counter!("things").increment(1);
        };
        let mut work = pin!(async {
            count().await;
            without_metrics(count()).await;
        });
        poll_fn(|context| with_local_recorder(&recorder, || work.as_mut().poll(context))).await;
        let shown = recorder.handle().render();
        assert!(shown.contains("things 2\n"), "{shown}");
    }
}
