//! The listener: an orderly end, and no patience with those who dawdle.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use server::config::Http;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";

async fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

#[tokio::test]
async fn a_request_under_way_is_finished_after_the_signal_to_stop() {
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
        server::serve::serve(listener, router, &Http::default(), shutdown).await;
    });

    let mut idle = TcpStream::connect(address).await.expect("connects");
    let mut busy = TcpStream::connect(address).await.expect("connects");
    busy.write_all(REQUEST).await.expect("writes");
    entered.notified().await;
    stop.send(()).expect("the server listens for it");

    // The idle connection is closed at once, which also shows that the signal has arrived.
    let mut nothing = Vec::new();
    idle.read_to_end(&mut nothing).await.expect("closed");
    assert!(nothing.is_empty());
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");

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
async fn a_head_that_trickles_in_is_cut_off() {
    let (listener, address) = listener().await;
    let http = Http {
        header_timeout: Duration::from_millis(100),
        ..Http::default()
    };
    let router = Router::new().route("/", get(|| async { "unreached" }));
    tokio::spawn(async move { server::serve::serve(listener, router, &http, std::future::pending()).await });

    let mut slow = TcpStream::connect(address).await.expect("connects");
    slow.write_all(&REQUEST[..REQUEST.len() - 2])
        .await
        .expect("writes");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("closed");
    assert!(!answer.contains("unreached"), "{answer}");
}
