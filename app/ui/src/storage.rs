//! What page script can read in this browser, and how to describe it.

/// Everything that script in this page could read, as [`Platform::storage_report`](crate::platform::Platform) found it
/// a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageReport {
    pub local_storage: StorageArea,
    pub session_storage: StorageArea,
    /// Cookies in `document.cookie`. An httpOnly cookie is not among them.
    pub readable_cookies: Vec<StorageEntry>,
}

/// One kind of storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageArea {
    /// All entries; an empty list means empty storage.
    Entries(Vec<StorageEntry>),
    /// The browser refuses access, so none of our entries are in it either.
    Refused,
}

/// One entry, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageEntry {
    pub key: String,
    /// The result of [`looks_like_token`] for the value.
    pub looks_like_token: bool,
}

/// The verdict on what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageFinding {
    Empty,
    /// There are entries, none of which looks like a token.
    NoToken {
        keys: Vec<String>,
    },
    /// Something that looks like a token is readable. Keyturn never writes one, so other code did.
    TokenFound {
        keys: Vec<String>,
    },
}

impl StorageReport {
    /// The verdict on `localStorage` and `sessionStorage`.
    pub fn storage(&self) -> StorageFinding {
        StorageFinding::of(&[self.local_storage.entries(), self.session_storage.entries()])
    }

    /// The verdict on `document.cookie`.
    pub fn cookies(&self) -> StorageFinding {
        StorageFinding::of(&[&self.readable_cookies])
    }
}

impl StorageFinding {
    fn of(places: &[&[StorageEntry]]) -> Self {
        let entries = || places.iter().copied().flatten();
        let tokens: Vec<String> = entries()
            .filter(|entry| entry.looks_like_token)
            .map(|entry| entry.key.clone())
            .collect();
        let all: Vec<String> = entries().map(|entry| entry.key.clone()).collect();
        if !tokens.is_empty() {
            Self::TokenFound { keys: tokens }
        } else if all.is_empty() {
            Self::Empty
        } else {
            Self::NoToken { keys: all }
        }
    }
}

impl StorageArea {
    fn entries(&self) -> &[StorageEntry] {
        match self {
            Self::Entries(entries) => entries,
            Self::Refused => &[],
        }
    }
}

impl Default for StorageArea {
    fn default() -> Self {
        Self::Entries(Vec::new())
    }
}

/// Whether a text contains something with the shape of a compact JWS (RFC 7515 §3.1). That is `eyJ`, the base64url of
/// `{"`, and then two dots with base64url on both sides of each.
pub fn looks_like_token(text: &str) -> bool {
    text.match_indices("eyJ").any(|(start, _)| {
        let mut parts = text[start..].split('.');
        let solid =
            |part: Option<&str>| part.is_some_and(|part| part.len() > 3 && part.bytes().all(is_base64url));
        solid(parts.next())
            && solid(parts.next())
            && parts
                .next()
                .is_some_and(|part| part.bytes().next().is_some_and(is_base64url))
    })
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &str) -> StorageEntry {
        StorageEntry {
            key: key.into(),
            looks_like_token: looks_like_token(value),
        }
    }

    const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

    #[test]
    fn tokens_are_recognised_alone_and_inside_json() {
        assert!(looks_like_token(TOKEN));
        assert!(looks_like_token(&format!("{{\"access_token\":\"{TOKEN}\"}}")));
    }

    #[test]
    fn other_values_are_not_tokens() {
        for value in [
            "",
            "dark",
            "1763692800",
            "eyJ",
            "eyJ.eyJ.",
            "eyJhbGciOiJFZERTQSJ9",
            "a.b.c",
        ] {
            assert!(!looks_like_token(value), "{value}");
        }
    }

    #[test]
    fn refused_storage_counts_as_empty() {
        assert_eq!(StorageReport::default().storage(), StorageFinding::Empty);
        assert_eq!(StorageReport::default().cookies(), StorageFinding::Empty);
        let refused = StorageReport {
            local_storage: StorageArea::Refused,
            ..StorageReport::default()
        };
        assert_eq!(refused.storage(), StorageFinding::Empty);
    }

    #[test]
    fn other_keys_are_listed_without_alarm() {
        let report = StorageReport {
            local_storage: StorageArea::Entries(vec![entry("keyturn.color_scheme", "dark")]),
            ..StorageReport::default()
        };
        assert_eq!(
            report.storage(),
            StorageFinding::NoToken {
                keys: vec!["keyturn.color_scheme".into()]
            }
        );
    }

    #[test]
    fn a_readable_token_takes_precedence() {
        let report = StorageReport {
            local_storage: StorageArea::Entries(vec![entry("keyturn.color_scheme", "dark")]),
            session_storage: StorageArea::Entries(vec![entry("token", TOKEN)]),
            readable_cookies: vec![entry("lang", "en")],
        };
        assert_eq!(
            report.storage(),
            StorageFinding::TokenFound {
                keys: vec!["token".into()]
            }
        );
        assert_eq!(
            report.cookies(),
            StorageFinding::NoToken {
                keys: vec!["lang".into()]
            }
        );
    }
}
