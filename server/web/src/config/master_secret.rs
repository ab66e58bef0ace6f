//! The master secret: configured, or generated next to an embedded database.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{ConfigError, OneOrMany, Origin, database_url, secret_strength};
use crate::{
    private_files,
    random::{Random, SystemRandom},
};

const MIN_SECRET_BYTES: usize = 32;
const MIN_DISTINCT_BYTES: usize = 10;

/// The configured secrets, or the one next to an embedded database. Each is strong enough for what it protects.
///
/// # Errors
/// If there is none, or one is weak or cannot be read.
pub(super) fn master_secrets(
    configured: Option<OneOrMany>,
    origin: &Origin,
    url: &str,
    read_only: bool,
) -> Result<Vec<SecretString>, ConfigError> {
    let secrets = match configured {
        Some(OneOrMany::One(secret)) => vec![secret],
        Some(OneOrMany::Many(secrets)) if secrets.is_empty() => {
            return Err(ConfigError::new(
                "secrets.master",
                "the list is empty; at least one secret is needed",
            ));
        }
        Some(OneOrMany::Many(secrets)) => secrets,
        None => {
            let Some(database) = database_url::sqlite_path(url) else {
                let why = "is required with PostgreSQL, the same on every node: make one with: openssl rand -base64 48";
                return Err(ConfigError::new("secrets.master", why));
            };
            if origin.is_https() {
                let why = "is required with an https origin: make one with: openssl rand -base64 48";
                return Err(ConfigError::new("secrets.master", why));
            }
            vec![embedded_secret(&database, read_only)?]
        }
    };
    // With an embedded database on a loopback origin the secret protects no other users.
    let is_public = origin.is_https() || database_url::sqlite_path(url).is_none();
    secrets
        .iter()
        .try_for_each(|secret| check_strength(secret, is_public))?;
    Ok(secrets)
}

fn check_strength(secret: &SecretString, is_public: bool) -> Result<(), ConfigError> {
    let bytes = secret.expose_secret().as_bytes();
    let refuse = |why: String| {
        let remedy = "make one with: openssl rand -base64 48";
        Err(ConfigError::new("secrets.master", format!("{why}; {remedy}")))
    };
    if bytes.len() < MIN_SECRET_BYTES {
        return refuse(format!(
            "is too short: {} bytes, at least {MIN_SECRET_BYTES} random ones are needed",
            bytes.len()
        ));
    }
    let distinct = (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count();
    if distinct < MIN_DISTINCT_BYTES {
        return refuse("has too few different characters".to_owned());
    }
    match secret_strength::weakness_of(secret.expose_secret()) {
        Some(weakness) if is_public => refuse(weakness.to_string()),
        _ => Ok(()),
    }
}

/// Reads the secret next to the embedded database, or generates one there that only its owner can read.
fn embedded_secret(database: &Path, read_only: bool) -> Result<SecretString, ConfigError> {
    let path = database.with_file_name("master.key");
    let mistake = |why: &str| ConfigError::new("secrets.master", format!("{}: {why}", path.display()));
    if !path.exists() {
        if database.exists() {
            return Err(mistake(
                "is missing, and the database was made with it: restore it from a backup",
            ));
        }
        let random: &dyn Random = &SystemRandom::default();
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<48>()));
        if read_only {
            return Ok(SecretString::from(text.as_str()));
        }
        private_files::write_once(&path, text.as_bytes()).map_err(|why| mistake(&why.to_string()))?;
    }
    if private_files::is_open_to_others(&path).map_err(|why| mistake(&why.to_string()))? {
        let why = format!(
            "can be read by others; run: chmod 600 {}. Where something else sets the mode, such as a volume of Kubernetes, \
             put the secret into the environment instead: KEYTURN__SECRETS__MASTER",
            path.display()
        );
        return Err(mistake(&why));
    }
    let text = Zeroizing::new(fs::read_to_string(&path).map_err(|why| mistake(&why.to_string()))?);
    Ok(SecretString::from(text.trim()))
}
