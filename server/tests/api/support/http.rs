//! Real connections, for tests of concurrent requests.

use std::sync::Arc;

use axum::Router;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Barrier, oneshot},
    task::JoinSet,
};
use web::config::Http;

/// The server on a real port, until it is dropped.
pub(crate) struct TestListener {
    address: std::net::SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// What a connection returned.
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl TestListener {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            web::serve::serve(listener, router, &Http::default(), shutdown).await;
        });
        Self { address, _stop: stop }
    }

    /// Sends these bytes, and returns all that comes back until the server closes the connection. A server may close it
    /// before it has read everything.
    pub(crate) async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let (mut read, mut write) = stream.split();
        let mut answer = Vec::new();
        let (_, received) = tokio::join!(write.write_all(request), read.read_to_end(&mut answer));
        // What was read before a reset counts as well.
        drop(received);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The same, and closes the sending side after these bytes, so that the server waits for no more.
    pub(crate) async fn exchange_and_close(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let (mut read, mut write) = stream.split();
        let send = async {
            if write.write_all(request).await.is_ok() {
                let _ = write.shutdown().await;
            }
        };
        let mut answer = Vec::new();
        let ((), received) = tokio::join!(send, read.read_to_end(&mut answer));
        drop(received);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The status of the first answer to these bytes; `None` if the connection was closed without one.
    pub(crate) async fn status_of(&self, request: &[u8]) -> Option<u16> {
        self.exchange(request).await.split(' ').nth(1)?.parse().ok()
    }

    /// Sends the same request on `count` connections at the same time. Each one connects and writes all but the last
    /// byte, waits at a barrier for the others, and then writes that byte.
    pub(crate) async fn at_once(&self, count: usize, request: &str) -> Vec<RawResponse> {
        let barrier = Arc::new(Barrier::new(count));
        let mut all = JoinSet::new();
        for _ in 0..count {
            let (address, request, barrier) = (self.address, request.to_owned(), Arc::clone(&barrier));
            all.spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("connects");
                stream.set_nodelay(true).expect("no delay");
                let (head, last) = request.as_bytes().split_at(request.len() - 1);
                stream.write_all(head).await.expect("writes");
                barrier.wait().await;
                stream.write_all(last).await.expect("writes");
                let mut text = String::new();
                stream.read_to_string(&mut text).await.expect("reads");
                let status = text
                    .split(' ')
                    .nth(1)
                    .and_then(|code| code.parse().ok())
                    .expect("a status");
                RawResponse { status, text }
            });
        }
        all.join_all().await
    }
}

impl RawResponse {
    /// The refresh token that the answer sets.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        let line = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: __Host-refresh="))?;
        line.split(';').next()
    }
}
