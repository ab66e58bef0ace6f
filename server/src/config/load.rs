//! Reads the layers of the configuration and names the key of every mistake.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};

use super::{Config, Sections, check};

/// What the command line may set; it wins over everything else.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// A file that must exist. Without it, `keyturn.toml` is read if it is there.
    pub file: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub port: Option<u16>,
    pub public_origin: Option<String>,
    /// Change nothing: no secret is made.
    pub only_look: bool,
}

/// One mistake, in one line that names the key and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct ConfigError {
    pub key: String,
    pub why: String,
}

impl ConfigError {
    pub fn new(key: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self {
            key: key.into(),
            why: why.to_string(),
        }
    }
}

const DEFAULT_FILE: &str = "keyturn.toml";
const ENV_PREFIX: &str = "KEYTURN__";

/// Reads and checks the configuration.
///
/// # Errors
/// The first mistake.
pub fn load(flags: &Flags) -> Result<Config, ConfigError> {
    check::check(read(flags)?, flags.only_look)
}

fn read(flags: &Flags) -> Result<Sections, ConfigError> {
    let mut figment = Figment::new();
    match &flags.file {
        Some(file) if !file.is_file() => {
            return Err(ConfigError::new(
                "--config",
                format!("there is no file {}", file.display()),
            ));
        }
        Some(file) => figment = figment.merge(Toml::file_exact(file)),
        None if Path::new(DEFAULT_FILE).is_file() => figment = figment.merge(Toml::file_exact(DEFAULT_FILE)),
        None => {}
    }
    figment = figment.merge(Env::prefixed(ENV_PREFIX).split("__"));
    let mut sections: Sections = figment.extract().map_err(first_mistake)?;

    if let Some(listen) = flags.listen {
        sections.http.listen = listen;
    }
    if let Some(port) = flags.port {
        sections.http.listen.set_port(port);
    }
    if let Some(origin) = &flags.public_origin {
        sections.http.public_origin = Some(origin.clone());
    }
    Ok(sections)
}

/// Figment can report several mistakes, over several lines; people want the first, with its key and source.
fn first_mistake(errors: figment::Error) -> ConfigError {
    use figment::error::Kind;

    let Some(error) = errors.into_iter().next() else {
        return ConfigError::new("configuration", "cannot be read");
    };
    let from = error
        .metadata
        .as_ref()
        .map_or(String::new(), |metadata| match &metadata.source {
            Some(source) => format!(" (in {source})"),
            None => " (in the environment)".to_owned(),
        });
    let mut key = error.path.clone();
    let why = match &error.kind {
        Kind::UnknownField(field, expected) => {
            if key.last() != Some(field) {
                key.push(field.clone());
            }
            format!("there is no such key; there are {}", expected.join(", "))
        }
        // Never the value, and never the line that it stands in: it may be a secret.
        Kind::InvalidType(_, expected) => format!("has the wrong type, {expected} is wanted"),
        Kind::InvalidValue(_, expected) => format!("has a value that does not fit, {expected} is wanted"),
        Kind::Message(_) if key.first().is_some_and(|section| section == "secrets") => {
            "is not a secret or a list of secrets".to_owned()
        }
        // A syntax error quotes the line; what is wrong with it stands in the first and the last line of the message.
        Kind::Message(message) if key.is_empty() => syntax_error(message),
        kind => kind.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let key = if key.is_empty() {
        "the file".to_owned()
    } else {
        key.join(".")
    };
    ConfigError {
        key,
        why: format!("{why}{from}"),
    }
}

/// The place and the complaint of the TOML parser, without the line that it quotes between them.
fn syntax_error(message: &str) -> String {
    let lines: Vec<_> = message.lines().filter(|line| !line.contains('|')).collect();
    lines.join(": ")
}
