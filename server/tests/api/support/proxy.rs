//! A TCP proxy in front of a database, whose connections can be made to fall silent.

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

/// Passes bytes on until it is told not to.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    silence: watch::Sender<()>,
}

impl Proxy {
    /// Listens, and connects everybody with `target`.
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

    /// From now on the connections that are open pass nothing on and are not closed, as when a host is lost or a
    /// firewall forgets them. New ones work.
    pub(crate) fn silence(&self) {
        self.silence.send_replace(());
    }

    /// Connects whoever comes from now on with another server.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
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
