//! The listener: connections, their limits and time-outs, and a graceful shutdown.
//!
//! # Layout
//! - this file: accepting connections until the server stops
//! - [`connection`] the phases of one connection and their time-outs, which neither axum nor hyper offers in this form
//! - [`gate`] how many connections may be open

mod connection;
mod gate;

use std::{convert::Infallible, future::Future, io, net::SocketAddr, time::Duration};

use api_types::problem::ProblemCode;
use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request, Response,
        header::{CONNECTION, RETRY_AFTER},
    },
    response::IntoResponse,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::TokioIo,
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::ServiceExt;

use crate::{config::Http, error::ApiError, extract::Peer, middleware::security_headers};
use connection::{ExceededTimeout, Monitor, Timeouts};
use gate::ConnectionLimit;

pub use gate::ConnectionGate;

/// Maximum size of a request's headers: several times what our own need.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;
/// How long to pause when the system has no free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a refused connection may take to send its request and receive the refusal.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves the site until `shutdown` completes, then lets the requests in progress finish, for a bounded time.
pub async fn serve(listener: TcpListener, router: Router, http: &Http, shutdown: impl Future<Output = ()>) {
    serve_through(listener, router, http, &ConnectionGate::new(http), shutdown).await;
}

/// Like [`serve`], for listeners that share the limits on open connections or have limits other than the site's.
pub async fn serve_through(
    listener: TcpListener,
    router: Router,
    http: &Http,
    gate: &ConnectionGate,
    shutdown: impl Future<Output = ()>,
) {
    let server = Server {
        protocol: protocol(),
        timeouts: Timeouts::new(http),
        router,
        gate: gate.clone(),
    };
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after_accept_error(&error).await;
                    continue;
                }
            },
        };
        server.accept(stream, peer, connections.watcher());
    }

    drop(listener);
    if timeout(http.shutdown_timeout, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("shutdown time-out reached: requests in progress aborted");
    }
}

/// What all connections of a listener share. Cheap to clone.
#[derive(Clone)]
struct Server {
    protocol: http1::Builder,
    timeouts: Timeouts,
    router: Router,
    gate: ConnectionGate,
}

fn protocol() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // See `connection`.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS);
    builder
}

impl Server {
    fn accept(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        match self.gate.admit(peer.ip()) {
            Ok(admission) => {
                let server = self.clone();
                tokio::spawn(async move {
                    server.serve_connection(stream, peer, watcher).await;
                    drop(admission);
                });
            }
            // Not accepting would leave the client waiting and tell a proxy nothing; a 503 lets both try elsewhere.
            Err(refusal) => {
                if let Some(permit) = self.gate.refusal_permit() {
                    let server = self.refusing(refusal);
                    tokio::spawn(async move {
                        // The time-out covers the whole exchange, so that a slow connection does not keep the place of
                        // another one.
                        let _ =
                            timeout(REFUSAL_TIMEOUT, server.serve_connection(stream, peer, watcher)).await;
                        drop(permit);
                    });
                }
            }
        }
    }

    /// A server that answers every request with “too many connections”.
    fn refusing(&self, refusal: ConnectionLimit) -> Self {
        Self {
            timeouts: self.timeouts.at_most(REFUSAL_TIMEOUT),
            router: Router::new().fallback(async move || too_many_connections(refusal)),
            ..self.clone()
        }
    }

    /// Answers the requests of a connection until it ends or exceeds a time-out.
    async fn serve_connection<S>(self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let monitor = Monitor::start();
        let service = service_fn({
            let monitor = monitor.clone();
            move |mut request: Request<Incoming>| {
                let guard = monitor.begin_request();
                request.extensions_mut().insert(Peer(peer));
                let answer = self.router.clone().oneshot(request.map(Body::new));
                async move {
                    let response = answer.await.unwrap_or_else(|never: Infallible| match never {});
                    Ok::<_, Infallible>(guard.until_sent(response))
                }
            }
        });
        let stream = TokioIo::new(monitor.watch(stream));
        let connection = watcher.watch(self.protocol.serve_connection(stream, service));
        match monitor.within(self.timeouts, connection).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "connection ended"),
            Err(expired) => report_timeout(expired, &self.gate),
        }
    }
}

fn report_timeout(expired: ExceededTimeout, gate: &ConnectionGate) {
    let phase = expired.as_str();
    tracing::debug!(phase, "connection closed: time-out");
    if gate.has_metrics() {
        metrics::counter!("keyturn_connections_timed_out_total", "phase" => phase).increment(1);
    }
}

fn too_many_connections(refusal: ConnectionLimit) -> Response<Body> {
    let mut response = ApiError::new(
        ProblemCode::Busy,
        match refusal {
            ConnectionLimit::Total => {
                "Too many connections to this server are open. Try again in a few seconds."
            }
            ConnectionLimit::PerAddress => {
                "Too many connections from your network are open. Close some, or try again in a few seconds."
            }
        },
    )
    .into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    security_headers::add_common_headers(headers);
    response
}

async fn pause_after_accept_error(error: &io::Error) {
    tracing::warn!(%error, "accept failed");
    sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use futures::{StreamExt, stream};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::Instant,
    };

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    /// More bytes than all buffers of a connection hold.
    const LARGE: usize = 4 * 1024 * 1024;

    /// The client's end of a connection, on a clock that only advances when all tasks are waiting. The second value
    /// keeps the server running.
    fn connect(router: Router) -> (DuplexStream, GracefulShutdown) {
        let http = Http::default();
        let (client, stream) = duplex(16 * 1024);
        let server = Server {
            protocol: protocol(),
            timeouts: Timeouts::new(&http),
            router,
            gate: ConnectionGate::new(&http),
        };
        let running = GracefulShutdown::new();
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        tokio::spawn(server.serve_connection(stream, peer, running.watcher()));
        (client, running)
    }

    fn short() -> Router {
        Router::new().route("/", get(|| async { "answered" }))
    }

    async fn read_answer(client: &mut DuplexStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"answered") {
            let read = client.read_buf(&mut answer).await.expect("reads");
            assert!(read > 0, "closed: {}", String::from_utf8_lossy(&answer));
        }
        String::from_utf8(answer).expect("UTF-8")
    }

    /// How long it takes until the server closes the connection, in whole seconds.
    async fn until_closed(client: &mut DuplexStream) -> u64 {
        let start = Instant::now();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.expect("closed");
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
        start.elapsed().as_secs()
    }

    /// Asserts that one byte per second does not keep the connection open beyond the time-out for heads.
    async fn assert_cut_off(client: &mut DuplexStream, byte: u8, what: &str) {
        for second in 0..60 {
            if client.write_all(&[byte]).await.is_err() {
                // What is due in the same instant may come first.
                assert!((10..=11).contains(&second), "{what}: closed after {second} s");
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
        panic!("{what}: still open");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_for_the_idle_timeout() {
        let (mut client, _running) = connect(short());
        for pause in [0, 11, 74, 74] {
            sleep(Duration::from_secs(pause)).await;
            client.write_all(REQUEST).await.expect("still open");
            assert!(read_answer(&mut client).await.starts_with("HTTP/1.1 200"));
        }
        assert_eq!(until_closed(&mut client).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_closed() {
        let (mut client, _running) = connect(short());
        assert_eq!(until_closed(&mut client).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_bounded_from_its_first_byte() {
        let (mut client, _running) = connect(short());
        sleep(Duration::from_secs(30)).await;
        assert_cut_off(&mut client, b'a', "the first request").await;

        let (mut client, _running) = connect(short());
        client.write_all(REQUEST).await.expect("writes");
        read_answer(&mut client).await;
        sleep(Duration::from_mins(1)).await;
        assert_cut_off(&mut client, b'a', "a later request").await;

        let (mut client, _running) = connect(short());
        assert_cut_off(&mut client, b'\n', "empty lines before a request").await;

        // hyper may have read the beginning of the next request before it answers this one.
        let (mut client, _running) = connect(short());
        client
            .write_all(&[REQUEST, b"GET /"].concat())
            .await
            .expect("writes");
        read_answer(&mut client).await;
        assert!(until_closed(&mut client).await <= 75, "a request behind another");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_has_no_idle_or_head_limit() {
        let slow = Router::new().route(
            "/",
            get(|| async {
                sleep(Duration::from_mins(5)).await;
                "answered"
            }),
        );
        let (mut client, _running) = connect(slow);
        client.write_all(REQUEST).await.expect("writes");
        assert!(read_answer(&mut client).await.starts_with("HTTP/1.1 200"));
        assert_eq!(until_closed(&mut client).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_silent() {
        let events = || async {
            let events = stream::iter(["first", "answered"]).then(async |event| {
                sleep(Duration::from_mins(5)).await;
                Ok::<_, Infallible>(event)
            });
            Body::from_stream(events)
        };
        let (mut client, _running) = connect(Router::new().route("/", get(events)));
        // Closed after the response, so that the response is complete.
        client
            .write_all(b"GET / HTTP/1.0\r\nhost: localhost\r\n\r\n")
            .await
            .expect("writes");
        assert!(read_answer(&mut client).await.contains("first"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_closed() {
        let (mut client, _running) = connect(Router::new().route("/", get(|| async { vec![b'x'; LARGE] })));
        client.write_all(REQUEST).await.expect("writes");
        sleep(Duration::from_secs(29)).await;
        assert!(
            client.write_all(b"a").await.is_ok(),
            "open until the write time-out"
        );
        sleep(Duration::from_secs(2)).await;
        assert!(client.write_all(b"a").await.is_err(), "closed after it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_gets_all_of_it() {
        let (mut client, _running) = connect(Router::new().route("/", get(|| async { vec![b'x'; LARGE] })));
        client.write_all(REQUEST).await.expect("writes");
        let mut piece = vec![0; 64 * 1024];
        let mut received = 0;
        while received < LARGE {
            sleep(Duration::from_secs(20)).await;
            let mut filled = 0;
            while filled < piece.len() && received + filled < LARGE {
                let read = client.read(&mut piece[filled..]).await.expect("open");
                assert!(read > 0, "closed after {received} bytes");
                filled += read;
            }
            received += filled;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn responses_of_hyper_have_our_headers() {
        let many = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
            "a: b\r\n".repeat(MAX_HEADERS + 1)
        );
        let long = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\na: {}\r\n\r\n",
            "b".repeat(2 * MAX_HEADER_BYTES)
        );
        for (request, status) in [
            ("nonsense\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nhost : localhost\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400"),
            (many.as_str(), "431"),
            (long.as_str(), "431"),
        ] {
            for before in [0, 2] {
                let (mut client, _running) = connect(short());
                for _ in 0..before {
                    client.write_all(REQUEST).await.expect("writes");
                    read_answer(&mut client).await;
                }
                // A long head may be refused before all of it is read.
                let _ = client.write_all(request.as_bytes()).await;
                let mut answer = Vec::new();
                let _ = client.read_to_end(&mut answer).await;
                let answer = String::from_utf8(answer).expect("UTF-8").to_ascii_lowercase();
                assert!(
                    answer.starts_with(&format!("http/1.1 {status} ")),
                    "{request:.40}: {answer}"
                );
                for line in [
                    "content-length: 0",
                    "x-content-type-options: nosniff",
                    "content-security-policy: ",
                    "cache-control: no-store",
                ] {
                    assert!(answer.contains(line), "{line} is not in {answer}");
                }
                assert!(answer.ends_with("\r\n\r\n") && answer.matches("\r\n\r\n").count() == 1);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn our_responses_pass_unchanged() {
        let refusal = || async { (axum::http::StatusCode::BAD_REQUEST, "answered") };
        let (mut client, _running) = connect(Router::new().route("/", get(refusal)));
        for _ in 0..3 {
            client.write_all(REQUEST).await.expect("writes");
            let answer = read_answer(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
            assert!(!answer.contains("nosniff"), "{answer}");
        }
        // A refusal without a body. It looks like hyper's own, but comes from a route.
        client
            .write_all(b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .expect("writes");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            client.read_buf(&mut answer).await.expect("reads");
        }
        assert!(!String::from_utf8_lossy(&answer).contains("nosniff"));
    }
}
