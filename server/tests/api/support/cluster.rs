//! PostgreSQL servers for one test, which it may stop, lose and promote.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::process::free_address;

/// A cluster on a free loopback port. It is stopped when this is dropped.
pub(crate) struct Cluster {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    settings: String,
}

impl Cluster {
    /// Creates a cluster and starts it, with additional `postgres` settings (`-c name=value`).
    pub(crate) fn start(settings: &str) -> Self {
        Self::prepare(settings, |data| {
            run(
                "initdb",
                &["--pgdata", data, "--username", "postgres", "--auth", "trust"],
                &["--encoding", "UTF8", "--locale", "C", "--no-sync"],
            );
        })
    }

    /// A hot standby of this cluster, by streaming replication.
    pub(crate) fn standby(&self) -> Self {
        let port = self.address.port().to_string();
        Self::prepare("", |data| {
            run(
                "pg_basebackup",
                &[
                    "--pgdata",
                    data,
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port,
                    "--username",
                    "postgres",
                ],
                &[
                    "--write-recovery-conf",
                    "--checkpoint",
                    "fast",
                    "--wal-method",
                    "stream",
                ],
            );
        })
    }

    fn prepare(settings: &str, make: impl FnOnce(&str)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status();
            assert!(owned.expect("chown").success(), "the folder belongs to postgres");
        }
        let cluster = Self {
            address: free_address(),
            settings: settings.to_owned(),
            folder,
        };
        make(&cluster.data());
        cluster.resume();
        cluster
    }

    /// Restarts a stopped cluster on the same port.
    pub(crate) fn resume(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=60 {}",
            self.address.port(),
            self.settings
        );
        let log = format!("{}/log", self.data());
        run(
            "pg_ctl",
            &["--pgdata", &self.data(), "--log", &log, "--silent", "--wait"],
            &["--options", &options, "start"],
        );
    }

    /// Stops the server: `fast`, or `immediate` as when its host is lost.
    pub(crate) fn stop(&self, mode: &str) {
        run(
            "pg_ctl",
            &["--pgdata", &self.data(), "--mode", mode],
            &["--silent", "--wait", "stop"],
        );
    }

    /// Promotes a standby to primary.
    pub(crate) fn promote(&self) {
        run(
            "pg_ctl",
            &["--pgdata", &self.data()],
            &["--silent", "--wait", "promote"],
        );
    }

    /// The URL for administrators.
    pub(crate) fn admin_url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    pub(crate) fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = as_postgres(
            "pg_ctl",
            &["--pgdata", &data, "--mode", "immediate", "--silent", "stop"],
        );
    }
}

fn run(program: &str, first: &[&str], then: &[&str]) {
    let arguments: Vec<&str> = first.iter().chain(then).copied().collect();
    let output = as_postgres(program, &arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs a PostgreSQL server program, which refuses to run as root. Its child processes must not hold our pipes.
fn as_postgres(program: &str, arguments: &[&str]) -> Output {
    let program = programs().join(program);
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let errors = tempfile::NamedTempFile::new().expect("a temporary file");
    let status = command
        .args(arguments)
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(errors.reopen().expect("the same file"))
        .status()
        .expect("PostgreSQL's programs start");
    Output {
        status,
        stdout: Vec::new(),
        stderr: std::fs::read(errors.path()).expect("reads"),
    }
}

/// Debian installs them outside the PATH, per version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    folders.sort();
    folders.pop().unwrap_or_else(|| Path::new("/usr/bin").to_owned())
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.trim_ascii() == b"0"
}
