//! Keeps the logs of test servers in the folder that `KEYTURN_TEST_LOGS` names, where `./dev test` searches them for
//! secrets. Without it, nothing is kept.

use std::{
    fs::{File, OpenOptions},
    path::PathBuf,
    process::Stdio,
    sync::Mutex,
};

/// What is searched: our own crates completely, the others as far as the log stays readable.
pub(crate) const FILTER: &str = "debug,server=trace,store=trace,sqlx=trace,sea_orm=trace,h2=info";

/// Whether the logs are searched afterwards; if not, servers log at their default level.
pub(crate) fn are_kept() -> bool {
    std::env::var_os("KEYTURN_TEST_LOGS").is_some()
}

/// Starts logging everything in this process. Nextest runs each test in a separate process.
pub(crate) fn start() {
    let Some(file) = open("in-process") else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(FILTER)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    // Already set for the second server of a test.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The destination of a child process's standard error.
pub(crate) fn stderr() -> Stdio {
    open("child").map_or_else(Stdio::null, Stdio::from)
}

fn open(kind: &str) -> Option<File> {
    let folder = PathBuf::from(std::env::var_os("KEYTURN_TEST_LOGS")?);
    let name = format!("rust-{kind}-{}.log", std::process::id());
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(name));
    Some(file.expect("KEYTURN_TEST_LOGS names a folder that can be written to"))
}
