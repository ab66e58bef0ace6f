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
pub(crate) struct Listening {
    address: std::net::SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// What a connection returned.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Listening {
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

    /// Sends the same request on `count` connections at the same time. Each one connects and writes all but the last
    /// byte, waits at a barrier for the others, and then writes that byte.
    pub(crate) async fn at_once(&self, count: usize, request: &str) -> Vec<Raw> {
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
                Raw { status, text }
            });
        }
        all.join_all().await
    }
}

impl Raw {
    /// The refresh token that the answer sets.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        let line = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: __Host-refresh="))?;
        line.split(';').next()
    }
}
