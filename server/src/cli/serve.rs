//! `keyturn serve`: starts the server from a checked configuration and shuts it down gracefully.

use std::{
    env, fmt,
    io::{self, Write},
    sync::Arc,
};

use axum::Router;
use rotation::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use web::{
    App, AppState,
    background::Background,
    config::{self, Config, Http},
    random::Random,
    router,
    serve::{self as listener, ConnectionGate},
    site::{self, SiteError},
    telemetry,
};

use super::{database, error::CliError, listen::bind, open_lab::OpenLab};

pub(super) async fn serve(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<(), CliError> {
    telemetry::start_logging(&config.log);
    for variable in config::misspelt_variables(env::vars_os().map(|(name, _)| name)) {
        tracing::warn!(
            name = variable.name,
            meant = variable.meant,
            "environment variable ignored: misspelt"
        );
    }
    let site = check_site(&config.http)?;
    let store = database::open(&config).await?;
    // Uses the system's clock, even if the site's clock is moved: the lab is not part of the site.
    let lab = match &config.lab {
        Some(sites) => Some(OpenLab::new(&config, sites, &clock, &random).await?),
        None => None,
    };
    #[cfg(feature = "test-clock")]
    let (clock, adjustable) = {
        drop(clock);
        let adjustable = Arc::new(web::clock::AdjustableClock::default());
        (Arc::clone(&adjustable) as Arc<dyn Clock>, adjustable)
    };
    let app = App::new(config.clone(), store.clone(), clock, random).await?;
    #[cfg(feature = "test-clock")]
    let app = App {
        adjustable_clock: Some(adjustable),
        ..app
    };
    let state = AppState::new(app);

    // Everything that can prevent the start has run; only now are ports opened.
    let socket = bind(config.http.listen, "http.listen").await?;
    let metrics = match config.admin.listen {
        Some(address) => Some((
            bind(address, "admin.listen").await?,
            telemetry::start_metrics(&config.admin)?,
        )),
        None => None,
    };
    if let Site::NotBuilt(why) = site {
        tracing::warn!(%why, "pages not built: serving the API alone");
    }
    warn_about_descriptor_limit(&config.http);
    let stop = stop_signal()?;
    let closing = lab.as_ref().map(|open| Arc::clone(&open.lab));
    let stop = async move {
        stop.await;
        // Before waiting for the requests in progress: an event stream is one of them.
        if let Some(lab) = closing {
            lab.close();
        }
    };
    let background = Background::start(&state);
    print_line(format_args!("Keyturn is ready: {}", config.origin));
    if lab.is_some() {
        print_line(format_args!("The lab is open: {}/lab", config.origin));
    }

    let more = match &lab {
        Some(open) => lab::api::router(&open.lab, &state),
        None => Router::new(),
    };
    let stopped = CancellationToken::new();
    let site = async {
        listener::serve(socket, router(state, more), &config.http, stop).await;
        stopped.cancel();
    };
    let admin = async {
        if let Some((socket, router)) = metrics {
            let gate = ConnectionGate::small(&config.http);
            listener::serve_through(socket, router, &config.http, &gate, stopped.cancelled()).await;
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
        tracing::warn!(%error, "database not closed cleanly");
    }
    print_line(format_args!("Keyturn has stopped."));
    Ok(())
}

/// Whether there are pages to serve.
pub(super) enum Site {
    Built,
    /// A debug build without pages, as tests and `cargo run` make it: it may serve only the API.
    NotBuilt(SiteError),
}

/// Refuses a folder of pages that does not belong to this build.
pub(super) fn check_site(http: &Http) -> Result<Site, CliError> {
    match site::check(&http.site_dir, &std::env::current_exe()?) {
        Ok(()) => Ok(Site::Built),
        Err(why @ SiteError::NoHashes(_)) if cfg!(debug_assertions) => Ok(Site::NotBuilt(why)),
        Err(why) => Err(why.into()),
    }
}

/// File descriptors for everything except connections: databases, listeners, logs, refused connections.
const OTHER_DESCRIPTORS: usize = 160;

/// Warns if `http.max_connections` exceeds what the system lets this process open. A connection needs one descriptor,
/// and one more while a file is sent.
fn warn_about_descriptor_limit(http: &Http) {
    let needed = http
        .max_connections
        .saturating_mul(2)
        .saturating_add(OTHER_DESCRIPTORS);
    if let Some(limit) = descriptor_limit().filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "http.max_connections exceeds the open files limit: raise it (ulimit -n, LimitNOFILE=) or lower the key"
        );
    }
}

/// The soft limit on open files. `None`: there is no limit, or it is unknown on this system.
fn descriptor_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Writes a line to standard output. A write error is ignored, so that the server continues when the reader exits, as
/// in `keyturn serve | head -n 1`.
fn print_line(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
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
