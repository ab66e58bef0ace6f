//! `keyturn config check`: checks what `serve` will need, without serving and without changing anything.
//!
//! A new check is a function that returns [`Finding`]s and is called in [`findings`]. What depends on the values alone
//! is checked when the configuration is read (`config::validate`), for `serve` as well.

use std::{
    env, fmt,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use web::config::{self, Config};

use super::{
    database::{self, Schema},
    error::CliError,
    findings::{Finding, Findings},
    serve,
};

/// How long to wait for a health response from the process that uses our port.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs all checks and reports all findings.
pub(super) async fn run(config: &Config) -> Result<(), CliError> {
    let findings = findings(config).await;
    if findings.is_empty() {
        println!(
            "The configuration is sound: {} on {}.",
            config.origin, config.http.listen
        );
        Ok(())
    } else {
        Err(CliError::Check(Findings(findings)))
    }
}

async fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = environment();
    findings.extend(listeners(config));
    findings.extend(site(config));
    let folder = data_folder(config);
    // Otherwise a problem with the folder would be reported twice.
    if folder.is_empty() {
        findings.extend(database(config).await);
    }
    findings.extend(folder);
    findings
}

fn environment() -> Vec<Finding> {
    let names = env::vars_os().map(|(name, _)| name);
    let misspelt = config::misspelt_variables(names).into_iter();
    misspelt
        .map(|misspelt| Finding::new(misspelt.name.clone(), &misspelt))
        .collect()
}

/// Opens and closes each listener.
fn listeners(config: &Config) -> Vec<Finding> {
    let mut addresses = vec![("http.listen", config.http.listen)];
    addresses.extend(config.admin.listen.map(|address| ("admin.listen", address)));
    if let Some(lab) = config.lab.as_ref().filter(|lab| !lab.allow_port_fallback) {
        addresses.push(("lab.listen", lab.listen));
        addresses.push(("lab.attacker_listen", lab.attacker_listen));
    }
    let tried = addresses.into_iter().filter_map(|(key, address)| {
        let error = TcpListener::bind(address).err()?;
        refusal_of(key, address, &error)
    });
    tried.collect()
}

fn refusal_of(key: &'static str, address: SocketAddr, error: &io::Error) -> Option<Finding> {
    let advice = match error.kind() {
        // A configuration is often checked while the server runs, before a restart.
        ErrorKind::AddrInUse if key == "http.listen" && is_healthy(address) => {
            println!(
                "{key}: a server answers at {address} already; it has to stop before this one can start."
            );
            return None;
        }
        ErrorKind::AddrInUse => "stop the program that listens there, or choose another port",
        ErrorKind::AddrNotAvailable => {
            "no interface of this machine has that address; 0.0.0.0 and [::] are all of them"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege; choose a higher one behind a proxy"
        }
        _ => "choose another address",
    };
    Some(Finding::new(
        key,
        format_args!("cannot listen on {address}: {error}; {advice}"),
    ))
}

/// Whether the process that listens there answers a health check as Keyturn does.
fn is_healthy(address: SocketAddr) -> bool {
    let asked = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(16 * 1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"status":"live"}"#))
}

/// Checks the built pages as `serve` does.
fn site(config: &Config) -> Option<Finding> {
    let why = serve::check_site(&config.http).err()?.to_string();
    let key = "http.site_dir";
    let prefix = format!("configuration: {key}: ");
    let why = why.strip_prefix(&prefix).unwrap_or(&why);
    Some(Finding::new(key, why))
}

/// Checks the data folder. SQLite creates files next to its database, so the folder must be writable too. Nothing is
/// left behind.
fn data_folder(config: &Config) -> Vec<Finding> {
    let Some(file) = config::sqlite_path(&config.database.url) else {
        return Vec::new();
    };
    let refuse = |path: &Path, why: &dyn fmt::Display| {
        let advice = "let the user that runs keyturn write there, or name another place";
        vec![Finding::new(
            "database.url",
            format_args!("{}: {why}; {advice}", path.display()),
        )]
    };
    if file.exists() {
        if !file.is_file() {
            return refuse(&file, &"is not a file");
        }
        if let Err(error) = OpenOptions::new().read(true).write(true).open(&file) {
            return refuse(&file, &format_args!("cannot be written: {error}"));
        }
    }
    // Missing folders are created, so the nearest existing one counts.
    let folder = file.ancestors().skip(1).map(|folder| {
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    });
    let Some(folder) = folder
        .into_iter()
        .find(|folder| fs::symlink_metadata(folder).is_ok())
    else {
        return Vec::new();
    };
    match tempfile::tempfile_in(folder) {
        Ok(_) => Vec::new(),
        Err(_) if folder.exists() && !folder.is_dir() => refuse(folder, &"is not a folder"),
        Err(error) => refuse(folder, &format_args!("nothing can be written there: {error}")),
    }
}

/// Connects to the database and compares the schema.
async fn database(config: &Config) -> Vec<Finding> {
    let finding = |why: &dyn fmt::Display| vec![Finding::new("database.url", why)];
    match database::inspect(config).await {
        Ok((Schema::Same | Schema::Empty, _)) => Vec::new(),
        // `serve` migrates an embedded database.
        Ok((Schema::Older, is_sqlite)) if is_sqlite => Vec::new(),
        Ok((Schema::Older, _)) => finding(&CliError::SchemaOlder),
        Ok((Schema::Newer, _)) => finding(&CliError::SchemaNewer),
        Err(CliError::Database(error)) => finding(&format_args!(
            "{error}; check that the server runs, and the host, user, password and database of the URL"
        )),
        Err(error) => finding(&error),
    }
}
