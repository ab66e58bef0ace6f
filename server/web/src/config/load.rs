//! Reads the layers of the configuration and reports each mistake with its key.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Format, Toml},
};

use super::{
    Config, ConfigError, Sections, check,
    environment::{Environment, nearest_key, variable_of},
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
    pub only_look: bool,
}

const DEFAULT_FILE: &str = "keyturn.toml";

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
    let environment = Environment::read(std::env::vars_os())?;
    let (figment, mut sections) = extract(&figment, &environment)?;
    sections
        .tokens
        .follow(|key| figment.contains(&format!("tokens.{key}")));

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

/// Reads all layers. The key's type decides whether `true` or `12345` in the environment is a text: if the type rejects
/// the parsed value, it gets the raw text instead.
fn extract(file: &Figment, environment: &Environment) -> Result<(Figment, Sections), ConfigError> {
    let mut as_text = BTreeSet::new();
    let mut refused: Option<(String, ConfigError)> = None;
    loop {
        let figment = environment.lay_over(file.clone(), &as_text);
        let error = match figment.extract() {
            Ok(sections) => return Ok((figment, sections)),
            Err(error) => error,
        };
        let key = error
            .clone()
            .into_iter()
            .next()
            .map_or_else(String::new, |error| error.path.join("."));
        let mistake = first_mistake(error);
        match refused {
            // The text does not match either, and the first reason is more helpful.
            Some((earlier, first)) if earlier == key => return Err(first),
            _ if environment.sets(&key) && as_text.insert(key.clone()) => refused = Some((key, mistake)),
            _ => return Err(mistake),
        }
    }
}

/// Figment can report several mistakes, over several lines. This returns only the first, with its key and source.
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
            match nearest_key(&key.join(".")) {
                Some(meant) => {
                    let variable = variable_of(&meant);
                    format!("there is no such key; did you mean {meant} (in the environment {variable})?")
                }
                None => format!("there is no such key; there are {}", expected.join(", ")),
            }
        }
        // Never the value, and never the line that contains it: it may be a secret.
        Kind::InvalidType(_, expected) => format!("has the wrong type, {expected} is wanted"),
        Kind::InvalidValue(_, expected) => format!("has a value that does not fit, {expected} is wanted"),
        Kind::Message(_) if key.first().is_some_and(|section| section == "secrets") => {
            "is not a secret or a list of secrets".to_owned()
        }
        // A syntax error quotes the line; the error itself is in the first and the last line of the message.
        Kind::Message(message) if key.is_empty() => syntax_error(message),
        kind => kind.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let key = if key.is_empty() {
        "the file".to_owned()
    } else {
        key.join(".")
    };
    ConfigError::new(key, format_args!("{why}{from}"))
}

/// The position and the error of the TOML parser, without the quoted line between them.
fn syntax_error(message: &str) -> String {
    let lines: Vec<_> = message.lines().filter(|line| !line.contains('|')).collect();
    lines.join(": ")
}
