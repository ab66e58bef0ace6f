//! Typed ids. A session id cannot be passed where a user id is expected.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "uuid::serde::simple")] Uuid);

        impl $name {
            /// Creates an id from a time and 80 random bits (UUID version 7, RFC 9562 §5.7). Such ids are unique
            /// without coordination, and ids created at about the same time are neighbours in an index.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The id with this UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_simple().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// An account.
    UserId
);
id!(
    /// One sign-in: a chain of refresh tokens (a token family in RFC 9700 §4.14.2).
    SessionId
);
id!(
    /// One token (`jti`, RFC 7519 §4.1.7).
    Jti
);

/// Position of a refresh token in its session, counted from 1 and incremented by each rotation. Orders the tokens of a
/// session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u32);

impl Generation {
    /// The generation of the token that a login issues.
    pub const FIRST: Self = Self(1);

    /// A generation by its number, counted from 1.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number, counted from 1.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The generation of the successor.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of the key that signs a token (`kid`, RFC 7515 §4.1.4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// A key id by its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text, as in the header `kid`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let earlier = Jti::new(Timestamp::from_millis(1_000), [0xff; 10]);
        let later = Jti::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(earlier < later);
    }

    #[test]
    fn an_id_parses_from_its_text() {
        let id = SessionId::new(Timestamp::from_secs(1_700_000_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 32);
    }

    #[test]
    fn generations_count_from_one() {
        let second = Generation::FIRST.next();
        assert_eq!((Generation::FIRST.number(), second.number()), (1, 2));
        assert_eq!(second.to_string(), "2");
        let last = Generation::new(u32::MAX);
        assert_eq!(last.next(), last);
    }

    #[test]
    fn a_key_id_is_its_text() {
        let key = KeyId::new("2026-11");
        assert_eq!((key.as_str(), key.to_string().as_str()), ("2026-11", "2026-11"));
    }
}
