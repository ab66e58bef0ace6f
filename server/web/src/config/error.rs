//! A mistake in the configuration.

/// One mistake, in one line that names the key and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct ConfigError {
    pub key: String,
    pub why: String,
}

impl ConfigError {
    /// A reason that quotes a value is shortened where it seems to contain a password, such as a URL under the wrong
    /// key.
    pub fn new(key: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self {
            key: key.into(),
            why: without_credentials(&why.to_string()),
        }
    }
}

/// Removes the text between `://` and the last `@` after it.
fn without_credentials(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, after)) => format!("{before}://***@{after}"),
        None => text.to_owned(),
    }
}
