//! Reads `database.url` before a driver does.
//!
//! Drivers quote the URL, or parts of it, in their errors and log lines, and it contains a password. So this module
//! checks everything that a driver could reject, and none of its error messages contains any part of the URL.

use std::path::{Path, PathBuf};

use url::{Url, form_urlencoded};

/// The parameters that the PostgreSQL driver reads. It would log any other parameter together with its value.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];
const SSL_MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Why a URL cannot be used. Never contains any part of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DatabaseUrlError {
    #[error("must begin with sqlite:// or postgres://")]
    Scheme,
    #[error(
        "is not a URL of the form postgres://user:password@host:port/database; in the password write % as %25, \
         @ as %40, : as %3A, / as %2F, ? as %3F and # as %23"
    )]
    NotAUrl,
    #[error(
        "has an @, / or # where none can be, probably from the password; in it write % as %25, @ as %40, : as %3A, \
         / as %2F, ? as %3F and # as %23"
    )]
    UnencodedPassword,
    #[error("has a wrong %-sequence: write % itself as %25")]
    Encoding,
    #[error(
        "has an unknown parameter; known are application_name, host, options, port, sslmode, sslrootcert, sslcert, \
         sslkey, statement-cache-capacity, user, password and dbname"
    )]
    Parameter,
    #[error("has a parameter whose value must be a number (port, statement-cache-capacity) and is none")]
    NotANumber,
    #[error("has an unknown sslmode; there are disable, allow, prefer, require, verify-ca and verify-full")]
    SslMode,
    #[error("must name a file, such as sqlite://data/keyturn.db")]
    NoFile,
    #[error("has a user and a host, which SQLite does not have; for PostgreSQL begin with postgres://")]
    SqliteWithHost,
    #[error("has a parameter, and for SQLite there is only mode=rwc; a ? in the path is written %3F")]
    SqliteParameter,
    #[error("begins with ~, but the environment variable HOME is not set; write the whole path")]
    NoHome,
    #[error("begins with ~ and a name, which only a shell understands; write the whole path")]
    OthersHome,
}

/// Checks a URL and converts it into the form that the drivers expect: `~` becomes the home folder.
///
/// # Errors
/// Why the URL cannot be used.
pub(super) fn normalize(text: &str, home: Option<&Path>) -> Result<String, DatabaseUrlError> {
    if is_postgres(text) {
        return check_postgres(text).map(|()| text.to_owned());
    }
    let rest = sqlite_rest(text).ok_or(DatabaseUrlError::Scheme)?;
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if !matches!(parameters, "" | "mode=rwc" | "mode=rw") {
        return Err(DatabaseUrlError::SqliteParameter);
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.contains('@') && first.contains(':') {
        return Err(DatabaseUrlError::SqliteWithHost);
    }
    let path = percent_decode(path).ok_or(DatabaseUrlError::Encoding)?;
    if path.is_empty() || path.ends_with('/') || path == ":memory:" || path.contains('\0') {
        return Err(DatabaseUrlError::NoFile);
    }
    if !path.starts_with('~') {
        return Ok(sqlite_url(&path));
    }
    let below = path.strip_prefix("~/").ok_or(DatabaseUrlError::OthersHome)?;
    let home = home.and_then(Path::to_str).ok_or(DatabaseUrlError::NoHome)?;
    Ok(sqlite_url(&format!("{}/{below}", home.trim_end_matches('/'))))
}

/// The file of a SQLite URL, if it is one: the same file that SQLite opens.
pub fn sqlite_path(text: &str) -> Option<PathBuf> {
    let rest = sqlite_rest(text)?;
    let path = rest.split('?').next().unwrap_or(rest);
    percent_decode(path).map(PathBuf::from)
}

pub(super) fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn sqlite_rest(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("sqlite:")?;
    Some(rest.strip_prefix("//").unwrap_or(rest))
}

/// Without `//`: a host would have to follow it, and a host may contain neither blanks nor a second colon.
fn sqlite_url(path: &str) -> String {
    use std::fmt::Write as _;

    let mut url = String::from("sqlite:");
    // The driver drops any number of leading double slashes, and two slashes mean the same as one.
    if path.starts_with('/') {
        url.push('/');
    }
    for byte in path.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn check_postgres(text: &str) -> Result<(), DatabaseUrlError> {
    let url = Url::parse(text).map_err(|_| DatabaseUrlError::NotAUrl)?;
    // The parser skips these characters silently; most likely they were pasted by accident.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(DatabaseUrlError::NotAUrl);
    }
    let path = url.path().trim_start_matches('/');
    let query = url.query().unwrap_or_default();
    if url.fragment().is_some() || path.contains(['@', '/']) || query.contains('@') {
        return Err(DatabaseUrlError::UnencodedPassword);
    }
    let encoded = [url.username(), url.password().unwrap_or_default(), path];
    if encoded.iter().any(|part| percent_decode(part).is_none()) {
        return Err(DatabaseUrlError::Encoding);
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let is_option = name.starts_with("options[") && name.ends_with(']');
        if !is_option && !POSTGRES_PARAMETERS.contains(&&*name) {
            return Err(DatabaseUrlError::Parameter);
        }
        match &*name {
            "sslmode" | "ssl-mode" if !SSL_MODES.contains(&&*value) => return Err(DatabaseUrlError::SslMode),
            "port" if value.parse::<u16>().is_err() => return Err(DatabaseUrlError::NotANumber),
            "statement-cache-capacity" if value.parse::<usize>().is_err() => {
                return Err(DatabaseUrlError::NotANumber);
            }
            "hostaddr" if value.parse::<std::net::IpAddr>().is_err() => {
                return Err(DatabaseUrlError::NotAUrl);
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use DatabaseUrlError::*;

    fn file(text: &str) -> PathBuf {
        let url = normalize(text, Some(Path::new("/home/ada"))).expect(text);
        // First what sqlx parses, then what sea-orm requires.
        assert!(Url::parse(&url).is_ok(), "{url}");
        assert!(
            url.starts_with("sqlite:") && !url.starts_with("sqlite://"),
            "{url}"
        );
        sqlite_path(&url).expect("a path")
    }

    #[test]
    fn a_sqlite_url_names_the_same_file_for_all_readers() {
        for (text, path) in [
            ("sqlite://data/keyturn.db", "data/keyturn.db"),
            ("sqlite:data/keyturn.db", "data/keyturn.db"),
            ("sqlite:///var/lib/keyturn.db?mode=rwc", "/var/lib/keyturn.db"),
            ("sqlite:////var/lib/keyturn.db", "/var/lib/keyturn.db"),
            ("sqlite://my data/keyturn.db", "my data/keyturn.db"),
            ("sqlite://my%20data/keyturn.db", "my data/keyturn.db"),
            ("sqlite:///srv/100%25/a%3Fb%23c.db", "/srv/100%/a?b#c.db"),
            ("sqlite://a:b/x:y.db", "a:b/x:y.db"),
            ("sqlite:///srv/schl%C3%BCssel.db", "/srv/schlüssel.db"),
            ("sqlite:///srv/schlüssel.db", "/srv/schlüssel.db"),
            ("sqlite://~/keyturn.db", "/home/ada/keyturn.db"),
            ("sqlite:~/my keys/keyturn.db", "/home/ada/my keys/keyturn.db"),
            ("sqlite:///srv/~/x.db", "/srv/~/x.db"),
            ("sqlite://[x]/y.db", "[x]/y.db"),
        ] {
            assert_eq!(file(text), Path::new(path), "{text}");
        }
    }

    #[test]
    fn a_normalized_url_stays_as_it_is() {
        for text in ["sqlite:///srv/a b.db", "sqlite://~/x%25.db", "postgres://u:p@h/d"] {
            let once = normalize(text, Some(Path::new("/home/ada"))).expect(text);
            assert_eq!(normalize(&once, None).as_deref(), Ok(&*once));
        }
    }

    #[test]
    fn what_a_driver_would_quote_is_refused_before() {
        for (text, why) in [
            ("", Scheme),
            ("hunter2", Scheme),
            ("mysql://keyturn:hunter2@db/keyturn", Scheme),
            ("postgres:/keyturn:hunter2@db/keyturn", Scheme),
            ("postgres//keyturn:hunter2@db/keyturn", Scheme),
            ("postgres:keyturn:hunter2@db/keyturn", Scheme),
            (" postgres://keyturn:hunter2@db/keyturn", Scheme),
            ("Postgres://keyturn:hunter2@db/keyturn", Scheme),
            ("\"postgres://keyturn:hunter2@db/keyturn\"", Scheme),
            ("postgres://keyturn:hunter2@db:port/keyturn", NotAUrl),
            ("postgres://keyturn:hunter2@db:99999/keyturn", NotAUrl),
            ("postgres://keyturn:hunter2@[db/keyturn", NotAUrl),
            ("postgres://keyturn:hunter2@db<x>/keyturn", NotAUrl),
            ("postgres://keyturn:hunter2@/keyturn:x", NotAUrl),
            ("postgres://keyturn:hunter2", NotAUrl),
            ("postgres://keyturn:hun/ter2@db/keyturn", NotAUrl),
            ("postgres://keyturn:hun#ter2@db/keyturn", NotAUrl),
            ("postgres://keyturn:hun?ter2@db/keyturn", NotAUrl),
            ("postgres://keyturn:12/hunter2@db/keyturn", UnencodedPassword),
            ("postgres://keyturn:12#hunter2@db/keyturn", UnencodedPassword),
            ("postgres://keyturn:12?hunter2@db/keyturn", UnencodedPassword),
            (
                "postgres://keyturn:12?sslmode=hunter2@db/keyturn",
                UnencodedPassword,
            ),
            ("postgres://keyturn:hunter2@db/keyturn#x", UnencodedPassword),
            ("postgres://keyturn:hunter2@db/key/turn", UnencodedPassword),
            ("postgres://keyturn:hunter2%@db/keyturn", Encoding),
            ("postgres://keyturn:hunter2%zz@db/keyturn", Encoding),
            ("postgres://keyturn:hunter2%ff@db/keyturn", Encoding),
            ("postgres://keyturn:hunter2@db/key turn", NotAUrl),
            ("postgres://keyturn:hunter2@db/keyturn\n", NotAUrl),
            ("postgres://keyturn:hun\tter2@db/keyturn", NotAUrl),
            ("postgres://db/keyturn?pasword=hunter2", Parameter),
            ("postgres://db/keyturn?hunter2", Parameter),
            ("postgres://db/keyturn?sslmode=hunter2", SslMode),
            ("postgres://db/keyturn?port=hunter2", NotANumber),
            ("postgres://db/keyturn?hostaddr=hunter2", NotAUrl),
            (
                "postgres://db/keyturn?statement-cache-capacity=hunter2",
                NotANumber,
            ),
            ("sqlite://keyturn:hunter2@db/keyturn", SqliteWithHost),
            ("sqlite://data/x.db?key=hunter2", SqliteParameter),
            ("sqlite://data/x.db?mode=memory", SqliteParameter),
            ("sqlite://data/%zz.db", Encoding),
            ("sqlite://data/%ff.db", Encoding),
            ("sqlite://", NoFile),
            ("sqlite:///srv/", NoFile),
            ("sqlite::memory:", NoFile),
            ("sqlite://%3Amemory%3A", NoFile),
            ("sqlite://~ada/x.db", OthersHome),
            ("sqlite://~", OthersHome),
        ] {
            let refused = normalize(text, Some(Path::new("/home/ada"))).expect_err(text);
            assert_eq!(refused, why, "{text}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
        assert_eq!(normalize("sqlite://~/x.db", None), Err(NoHome));
    }

    #[test]
    fn urls_that_the_driver_understands_are_accepted() {
        for text in [
            "postgres://db/keyturn",
            "postgresql://keyturn:hunter2@db.example:5432/keyturn",
            "postgres://keyturn:p%40ss%2Fw%23rd%3F%25@db/keyturn?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres:///keyturn?host=/run/postgresql",
            "postgres://keyturn@[::1]:5432/keyturn?options[search_path]=keyturn",
        ] {
            assert_eq!(normalize(text, None).as_deref(), Ok(text));
        }
    }
}
