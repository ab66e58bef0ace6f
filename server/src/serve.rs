//! The listener: connections, time-outs, and an end that finishes what was begun.
//!
//! `axum::serve` arms no time-out for the head of a request, so a client that sends it byte by byte would hold its
//! connection for ever; hyper's own builder does.

use std::{convert::Infallible, future::Future, io, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use crate::{config::Http, extract::Peer};

/// Room for our own headers several times over, and an end to everything else.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;
/// How long to pause when the system has no more file descriptors to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` completes, then lets the requests under way finish, for a bounded time.
pub async fn serve(listener: TcpListener, router: Router, http: &Http, shutdown: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(http.header_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS);
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);

    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            answer(router.clone(), request.map(Body::new))
        });
        let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }

    drop(listener);
    if timeout(http.shutdown_timeout, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

async fn answer(router: Router, request: Request<Body>) -> Result<axum::response::Response, Infallible> {
    router.oneshot(request).await
}

async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "accept failed");
    sleep(ACCEPT_PAUSE).await;
}
