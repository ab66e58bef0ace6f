//! Keeps what the servers of tests log, in the folder that `KEYTURN_TEST_LOGS` names, for `./dev test` to search for
//! secrets. Without it, nothing is kept.

use std::{
    fs::{File, OpenOptions},
    path::PathBuf,
    process::Stdio,
    sync::Mutex,
};

/// What is worth searching: our own crates completely, the others as far as it stays readable.
pub(crate) const FILTER: &str = "debug,server=trace,store=trace,sqlx=trace,sea_orm=trace,h2=info";

/// Whether they are searched afterwards; if not, servers log what they log by default.
pub(crate) fn are_kept() -> bool {
    std::env::var_os("KEYTURN_TEST_LOGS").is_some()
}

/// Logs everything that happens in this process from now on. Nextest gives each test a process of its own.
pub(crate) fn start() {
    let Some(file) = open("in-process") else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(FILTER)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    // The second server of a test finds it set.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Where the standard error of a child process goes.
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
