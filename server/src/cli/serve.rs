//! `keyturn serve`: from a checked configuration to a listening server and to its orderly end.

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
};

use rotation::Clock;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::{CliError, database, lab::OpenLab};
use crate::{
    App, AppState, background::Background, config::Config, random::Random, router, serve as listener,
    telemetry,
};

pub(super) async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(), CliError> {
    telemetry::start_logging(&config.log);
    let store = database::open(&config).await?;
    // By the system's clock, whatever becomes of the site's: the lab is no part of the site.
    let lab = match &config.lab {
        Some(sites) => Some(OpenLab::new(&config, sites, &clock, &random).await?),
        None => None,
    };
    #[cfg(feature = "test-clock")]
    let (clock, adjustable) = {
        drop(clock);
        let adjustable = Arc::new(crate::clock::AdjustableClock::default());
        (Arc::clone(&adjustable) as Arc<dyn Clock>, adjustable)
    };
    let mut app = App::new(config.clone(), store.clone(), clock, random).await?;
    #[cfg(feature = "test-clock")]
    {
        app.adjustable_clock = Some(adjustable);
    }
    app.lab = lab.as_ref().map(|open| Arc::clone(&open.lab));
    let state = AppState::new(app);

    // Everything that can refuse to start has had its say; only now are ports opened.
    let socket = bind(config.http.listen, "http.listen").await?;
    let metrics = match config.admin.listen {
        Some(address) => Some((bind(address, "admin.listen").await?, telemetry::start_metrics()?)),
        None => None,
    };
    if !config.http.site_dir.join("pkg").is_dir() {
        tracing::warn!(dir = %config.http.site_dir.display(), "http.site_dir has no built pages; run ./dev run");
    }
    let stop = stop_signal()?;
    let closing = state.lab.clone();
    let stop = async move {
        stop.await;
        // Before the requests under way are waited for: a stream of events is one of them.
        if let Some(lab) = closing {
            lab.close();
        }
    };
    let background = Background::start(&state);
    say(format_args!("Keyturn is ready: {}", config.origin));
    if state.lab.is_some() {
        say(format_args!("The lab is open: {}/lab", config.origin));
    }

    let stopped = CancellationToken::new();
    let site = async {
        listener::serve(socket, router(state), &config.http, stop).await;
        stopped.cancel();
    };
    let admin = async {
        if let Some((socket, router)) = metrics {
            listener::serve(socket, router, &config.http, stopped.cancelled()).await;
        }
    };
    let lab = async {
        if let Some(open) = lab {
            open.serve(&config.http).await;
        }
    };
    tokio::join!(site, admin, lab);
    background.stop().await;
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
    say(format_args!("Keyturn has stopped."));
    Ok(())
}

/// Tells whoever reads the standard output. A server goes on if nobody does, as in `keyturn serve | head -n 1`.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub(super) async fn bind(address: SocketAddr, key: &'static str) -> Result<TcpListener, CliError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|why| CliError::Listen { key, address, why })
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
