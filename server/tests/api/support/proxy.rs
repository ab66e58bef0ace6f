//! A TCP proxy in front of a database, whose connections a test can silence.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Forwards bytes until it is told to stop.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    silence: watch::Sender<()>,
}

impl Proxy {
    /// Listens, and connects every client to `target`.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let target = Arc::new(Mutex::new(target));
        let (silence, _) = watch::channel(());
        let (current, silences) = (Arc::clone(&target), silence.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target = *current.lock().expect("no panic");
                tokio::spawn(relay(client, target, silences.subscribe()));
            }
        });
        Self {
            address,
            target,
            silence,
        }
    }

    /// From now on the open connections forward nothing but stay open, as when a host is lost or a firewall drops them.
    /// New connections work.
    pub(crate) fn silence(&self) {
        self.silence.send_replace(());
    }

    /// Connects all future clients to another server.
    pub(crate) fn redirect_to(&self, target: SocketAddr) {
        *self.target.lock().expect("no panic") = target;
    }
}

async fn relay(mut client: TcpStream, target: SocketAddr, mut silence: watch::Receiver<()>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = silence.changed() => pending().await,
    }
}
