//! The listener: a graceful shutdown, and time-outs for slow clients.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, oneshot},
    time::timeout,
};
use web::config::Http;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";
/// Longer than any step takes unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

async fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

#[tokio::test]
async fn graceful_shutdown_finishes_requests_in_progress() {
    let (listener, address) = listener().await;
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
        move || async move {
            entered.notify_one();
            release.notified().await;
            "finished"
        }
    };
    let router = Router::new().route("/", get(handler));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        web::serve::serve(listener, router, &Http::default(), shutdown).await;
    });

    let mut idle = TcpStream::connect(address).await.expect("connects");
    let mut busy = TcpStream::connect(address).await.expect("connects");
    busy.write_all(REQUEST).await.expect("writes");
    entered.notified().await;
    stop.send(()).expect("the server listens for it");

    // The idle connection is closed immediately, which also shows that the signal has arrived.
    let mut nothing = Vec::new();
    idle.read_to_end(&mut nothing).await.expect("closed");
    assert!(nothing.is_empty());
    assert!(
        TcpStream::connect(address).await.is_err(),
        "no new connection is accepted"
    );

    release.notify_one();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.expect("reads");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"),
        "{answer}"
    );
    server.await.expect("the server ends by itself");
}

#[tokio::test]
async fn a_slow_request_head_is_closed_after_the_timeout() {
    let (listener, address) = listener().await;
    let http = Http {
        header_timeout: Duration::from_millis(100),
        ..Http::default()
    };
    let router = Router::new().route("/", get(|| async { "unreached" }));
    tokio::spawn(async move { web::serve::serve(listener, router, &http, std::future::pending()).await });

    let mut slow = TcpStream::connect(address).await.expect("connects");
    slow.write_all(&REQUEST[..REQUEST.len() - 2])
        .await
        .expect("writes");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("closed");
    assert!(!answer.contains("unreached"), "{answer}");
}

async fn start(router: Router, http: Http) -> std::net::SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move { web::serve::serve(listener, router, &http, std::future::pending()).await });
    address
}

/// Reads one response whose body ends with `end`, and leaves the connection open.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert!(
            read.expect("in time").expect("reads") > 0,
            "closed: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    String::from_utf8(answer).expect("UTF-8")
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection may also end with a reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("in time");
    String::from_utf8(answer).expect("UTF-8")
}

async fn connect_from(local: [u8; 4], to: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((local, 0).into()).expect("a loopback address");
    socket.connect(to).await.expect("connects")
}

#[tokio::test]
async fn the_header_timeout_does_not_apply_to_idle_connections() {
    let http = Http {
        header_timeout: Duration::from_millis(100),
        ..Http::default()
    };
    let address = start(Router::new().route("/", get(|| async { "answered" })), http).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stream.write_all(REQUEST).await.expect("still open");
        assert!(
            read_until(&mut stream, "answered")
                .await
                .starts_with("HTTP/1.1 200")
        );
    }
}

#[tokio::test]
async fn a_connection_over_the_limit_gets_503_and_is_closed() {
    let http = Http {
        max_connections: 3,
        max_connections_per_address: 2,
        ..Http::default()
    };
    let address = start(Router::new().route("/", get(|| async { "answered" })), http).await;
    let ask = async |local| {
        let mut stream = connect_from(local, address).await;
        stream.write_all(REQUEST).await.expect("writes");
        stream
    };
    let mut held = Vec::new();
    for local in [[127, 0, 0, 1], [127, 0, 0, 1], [127, 0, 0, 2]] {
        let mut stream = ask(local).await;
        assert!(
            read_until(&mut stream, "answered")
                .await
                .starts_with("HTTP/1.1 200")
        );
        if held.len() == 1 {
            // One address uses its whole share, and other addresses still have theirs.
            let refused = read_all(&mut ask([127, 0, 0, 1]).await).await;
            assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
            assert!(refused.contains("from your network"), "{refused}");
        }
        held.push(stream);
    }
    let refused = read_all(&mut ask([127, 0, 0, 3]).await).await;
    let lower = refused.to_ascii_lowercase();
    assert!(lower.starts_with("http/1.1 503"), "{refused}");
    for line in [
        "retry-after: 2",
        "connection: close",
        "content-type: application/problem+json",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        r#""code":"busy""#,
    ] {
        assert!(lower.contains(line), "{line} is not in {refused}");
    }

    // The existing connections were not affected, and when one closes another may be opened.
    for stream in &mut held {
        stream.write_all(REQUEST).await.expect("writes");
        read_until(stream, "answered").await;
    }
    held.remove(0);
    let served = async {
        loop {
            let mut stream = ask([127, 0, 0, 3]).await;
            let mut start = [0; 12];
            stream.read_exact(&mut start).await.expect("an answer");
            if &start == b"HTTP/1.1 200" {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("a place is free again");
}

#[tokio::test]
async fn a_client_that_does_not_read_the_response_is_closed() {
    let http = Http {
        write_timeout: Duration::from_millis(200),
        ..Http::default()
    };
    let large = Router::new().route("/", get(|| async { vec![b'x'; 64 * 1024 * 1024] }));
    let address = start(large, http).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(REQUEST).await.expect("writes");
    // Nothing is read, so a write fails once the server has closed its end.
    let closed = async {
        while stream.write_all(b"\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, closed).await.expect("closed");
}
