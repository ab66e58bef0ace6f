//! `keyturn serve`: from a checked configuration to a listening server and to its orderly end.

use std::sync::Arc;

use rotation::Clock;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use super::{CliError, open_database};
use crate::{
    App, AppState,
    config::{Config, LogFormat},
    random::Random,
    router, serve as listener,
};

pub(super) async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(), CliError> {
    start_logging(&config);
    let store = open_database(&config).await?;
    #[cfg(feature = "test-clock")]
    let (clock, adjustable) = {
        drop(clock);
        let adjustable = Arc::new(crate::clock::AdjustableClock::default());
        (Arc::clone(&adjustable) as Arc<dyn Clock>, adjustable)
    };
    #[cfg_attr(
        not(feature = "test-clock"),
        expect(unused_mut, reason = "only the test build changes it")
    )]
    let mut app = App::new(config.clone(), store.clone(), clock, random).await?;
    #[cfg(feature = "test-clock")]
    {
        app.adjustable_clock = Some(adjustable);
    }

    // Everything that can refuse to start has had its say; only now is a port opened.
    let address = config.http.listen;
    let socket = TcpListener::bind(address)
        .await
        .map_err(|why| CliError::Listen { address, why })?;
    if !config.http.site_dir.join("pkg").is_dir() {
        tracing::warn!(dir = %config.http.site_dir.display(), "http.site_dir has no built pages; run ./dev run");
    }
    let stop = stop_signal()?;
    println!("Keyturn is ready: {}", config.origin);
    listener::serve(socket, router(AppState::new(app)), &config.http, stop).await;
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
    println!("Keyturn has stopped.");
    Ok(())
}

fn start_logging(config: &Config) {
    // Checked with the rest of the configuration.
    let filter = EnvFilter::new(&config.log.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Completes on SIGINT (Ctrl-C) or SIGTERM (a supervisor).
fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
