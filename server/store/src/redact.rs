//! Keeps the password of the database URL out of error messages.
//!
//! The configuration already rejects URLs that a driver would quote. This is a second barrier, because other code also
//! calls this crate, and drivers change.

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::Error::{Configuration, InvalidArgument},
};

const REDACTED: &str = "***";

/// Removes every part of the URL that may be secret from an error of opening the database at `url`.
///
/// Errors without secrets are returned unchanged, so that callers can still match their kind.
pub(crate) fn redact(error: DbErr, url: &str) -> DbErr {
    // An error about the URL itself may quote any part of it.
    if let DbErr::Conn(RuntimeErr::SqlxError(cause)) = &error
        && matches!(&**cause, Configuration(_) | InvalidArgument(_))
    {
        return internal("the driver does not accept the database URL or what it refers to".to_owned());
    }
    let text = error.to_string();
    let mut clean = text.replace(url, REDACTED);
    for secret in secrets(url) {
        clean = clean.replace(&secret, REDACTED);
    }
    if clean == text && !format!("{error:?}").contains(url) {
        return error;
    }
    internal(clean)
}

fn internal(text: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(text))
}

/// The password as written in the URL and percent-decoded, from the user info and from the parameters.
fn secrets(url: &str) -> Vec<String> {
    let rest = url.split_once(':').map_or(url, |(_, rest)| rest);
    let rest = rest.trim_start_matches('/');
    let user_info = rest.rsplit_once('@').map(|(user_info, _)| user_info);
    let password = user_info
        .and_then(|user_info| user_info.split_once(':'))
        .map(|(_, password)| password);
    let parameters = rest.split_once('?').map_or("", |(_, parameters)| parameters);
    let parameters = parameters
        .split('&')
        .filter_map(|pair| pair.strip_prefix("password="));
    let mut secrets: Vec<String> = password
        .into_iter()
        .chain(parameters)
        .flat_map(|written| [written.to_owned(), percent_decode(written)])
        .filter(|secret| !secret.is_empty())
        .collect();
    // The longest first, in case one contains another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Options, Store};

    #[test]
    fn the_password_is_found_encoded_and_decoded() {
        let secrets = secrets("postgres://keyturn:p%40ss@db/keyturn?sslmode=require&password=other");
        assert_eq!(secrets, ["p%40ss", "other", "p@ss"]);
        assert!(super::secrets("sqlite://data/keyturn.db").is_empty());
    }

    #[test]
    fn other_errors_keep_their_kind() {
        let error = redact(DbErr::RecordNotFound("x".into()), "postgres://u:hunter2@db/x");
        assert!(matches!(error, DbErr::RecordNotFound(_)));
    }

    #[tokio::test]
    async fn no_error_contains_the_password() {
        for url in [
            "hunter2",
            "mysql://keyturn:hunter2@127.0.0.1/keyturn",
            "postgres:keyturn:hunter2@127.0.0.1/keyturn",
            "postgres://keyturn:hunter2@127.0.0.1:port/keyturn",
            "postgres://keyturn:hunter2@127.0.0.1:1/keyturn",
            "postgres://keyturn:hunter2@[db/keyturn",
            "postgres://keyturn:hunter2@127.0.0.1:1/keyturn?sslmode=hunter2",
            "postgres://127.0.0.1:1/keyturn?password=hunter2",
            "postgres://127.0.0.1:1/keyturn?port=hunter2",
            "postgres://keyturn:hunter2@keyturn.invalid:1/keyturn",
            "postgres://keyturn:hunter2%ff@127.0.0.1:1/keyturn",
            "postgres://keyturn:12?sslmode=hunter2@127.0.0.1:1/keyturn",
            "sqlite://keyturn:hunter2@db/keyturn",
            "sqlite:///proc/keyturn.db?key=hunter2",
            "sqlite:///proc/keyturn.db?mode=hunter2",
        ] {
            let options = Options {
                url: url.to_owned(),
                max_connections: 1,
                timeout: Duration::from_millis(500),
                behind_pooler: false,
            };
            let error = Store::connect(&options).await.map(|_| ()).expect_err(url);
            let said = format!("{error} {error:?} {error:#?}");
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
    }
}
