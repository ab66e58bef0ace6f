//! Reads the layers of the configuration and reports each mistake with its key.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use toml::Table;

use super::{
    Config, ConfigError, RawConfig,
    environment::{Environment, fields_of, nearest_key, variable_of},
    lifetimes,
    validate::validate,
};

/// What the command line may set; it overrides everything else.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// A file that must exist. Without this flag, `keyturn.toml` is read if it exists.
    pub file: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub port: Option<u16>,
    pub public_origin: Option<String>,
    /// Change nothing: no secret is generated.
    pub read_only: bool,
}

const DEFAULT_FILE: &str = "keyturn.toml";

/// Reads and checks the configuration.
///
/// # Errors
/// The first mistake.
pub fn load(flags: &Flags) -> Result<Config, ConfigError> {
    validate(read(flags)?, flags.read_only)
}

fn read(flags: &Flags) -> Result<RawConfig, ConfigError> {
    let file = match &flags.file {
        Some(file) if !file.is_file() => {
            let why = format!("there is no file {}", file.display());
            return Err(ConfigError::new("--config", why));
        }
        Some(file) => Some(file.as_path()),
        None => Some(Path::new(DEFAULT_FILE)).filter(|file| file.is_file()),
    };
    let written = file.map(read_file).transpose()?.unwrap_or_default();
    let environment = Environment::read(std::env::vars_os())?;
    let (all, mut raw) = merge(&written, file, &environment)?;
    let tokens = all.get("tokens").and_then(toml::Value::as_table);
    lifetimes::fill_unset(&mut raw.tokens, |key| {
        tokens.is_some_and(|tokens| tokens.contains_key(key))
    });

    if let Some(listen) = flags.listen {
        raw.http.listen = listen;
    }
    if let Some(port) = flags.port {
        raw.http.listen.set_port(port);
    }
    if let Some(origin) = &flags.public_origin {
        raw.http.public_origin = Some(origin.clone());
    }
    Ok(raw)
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let mistake = |why: String| ConfigError::new("the file", format!("{why}{}", from_file(Some(path))));
    let text = fs::read_to_string(path).map_err(|error| mistake(error.to_string()))?;
    text.parse()
        .map_err(|error: toml::de::Error| mistake(syntax_error(&error.to_string())))
}

/// Merges the layers. The key's type decides whether `true` or `12345` in the environment is a text: if the type rejects
/// the parsed value, it gets the raw text instead.
fn merge(
    written: &Table,
    file: Option<&Path>,
    environment: &Environment,
) -> Result<(Table, RawConfig), ConfigError> {
    let mut as_text = BTreeSet::new();
    let mut refused: Option<(String, ConfigError)> = None;
    loop {
        let mut all = written.clone();
        environment.apply_to(&mut all, &as_text);
        let error = match serde_path_to_error::deserialize(all.clone()) {
            Ok(raw) => return Ok((all, raw)),
            Err(error) => error,
        };
        let path = error.path().to_string();
        // A path into a list continues with an index in brackets.
        let key = path.split('[').next().unwrap_or_default().to_owned();
        let from = if environment.sets(&key) {
            " (in the environment)".to_owned()
        } else {
            from_file(file)
        };
        let mistake = mistake(&path, error.inner().message(), &from);
        match refused {
            // The text does not match either, and the first reason is more helpful.
            Some((earlier, first)) if earlier == key => return Err(first),
            _ if environment.sets(&key) && as_text.insert(key.clone()) => refused = Some((key, mistake)),
            _ => return Err(mistake),
        }
    }
}

fn from_file(file: Option<&Path>) -> String {
    file.map_or_else(String::new, |file| format!(" (in {})", file.display()))
}

/// A mistake with its key and source. `message` is serde's: never the value in it, because it may be a secret.
fn mistake(path: &str, message: &str, from: &str) -> ConfigError {
    let wanted = message
        .rsplit_once(", expected ")
        .map_or("another", |(_, wanted)| wanted);
    let why = if message.starts_with("unknown field ") {
        unknown_key(path)
    } else if path.starts_with("secrets.") {
        "is not a secret or a list of secrets".to_owned()
    } else if message.starts_with("invalid type: ") {
        format!("has the wrong type, {wanted} is wanted")
    } else if message.starts_with("invalid value: ") {
        format!("has a value that does not fit, {wanted} is wanted")
    } else {
        message.lines().next().unwrap_or_default().to_owned()
    };
    ConfigError::new(path, format_args!("{why}{from}"))
}

fn unknown_key(key: &str) -> String {
    if let Some(meant) = nearest_key(key) {
        let variable = variable_of(&meant);
        return format!("there is no such key; did you mean {meant} (in the environment {variable})?");
    }
    let section = key.rsplit_once('.').map(|(section, _)| section);
    format!(
        "there is no such key; there are {}",
        fields_of(section).join(", ")
    )
}

/// The position and the error of the TOML parser, without the quoted line between them, which may contain a secret.
fn syntax_error(message: &str) -> String {
    let lines: Vec<_> = message.lines().filter(|line| !line.contains('|')).collect();
    lines.join(": ")
}
