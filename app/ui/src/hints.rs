//! Hints while a new password is typed: its length, and the length that the server requires.

use leptos::prelude::use_context;
use password_policy::{DEFAULT_MIN_CODE_POINTS, MAX_CODE_POINTS};

/// The shortest password that this server accepts, in code points. Provided as context by the server for each page, and in
/// the browser from what `app::shell` wrote into `<html data-min-password>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinPassword(pub usize);

impl Default for MinPassword {
    fn default() -> Self {
        Self(DEFAULT_MIN_CODE_POINTS)
    }
}

impl MinPassword {
    /// The value in the context.
    pub fn get() -> usize {
        use_context::<Self>().unwrap_or_default().0
    }

    /// Parses `data-min-password`.
    pub fn from_marker(marker: &str) -> Self {
        marker.parse().map(Self).unwrap_or_default()
    }
}

/// The length rule, for the field.
pub fn length_rule(min: usize) -> String {
    format!(
        "{min} to {MAX_CODE_POINTS} characters, taken exactly as you type them. Four unrelated words do well."
    )
}

/// The error for an empty new password.
pub fn empty_password_error(min: usize) -> String {
    format!("Choose a password of at least {min} characters.")
}

/// The state of a new password, by its length alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordHint {
    #[default]
    Empty,
    /// The number of code points so far; more are required.
    Short(usize),
    LongEnough(usize),
    TooLong(usize),
}

impl PasswordHint {
    /// Counts code points, as the server does: `ä` and `🗝` are one each, and nothing is trimmed.
    pub fn of(password: &str, min: usize) -> Self {
        match password.chars().count() {
            0 => Self::Empty,
            count if count < min => Self::Short(count),
            count if count <= MAX_CODE_POINTS => Self::LongEnough(count),
            count => Self::TooLong(count),
        }
    }

    /// The number of characters, for the meter.
    pub fn count(self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Short(count) | Self::LongEnough(count) | Self::TooLong(count) => count,
        }
    }

    /// The text next to the meter.
    pub fn text(self, min: usize) -> String {
        match self {
            Self::Empty => format!("0 of {min}"),
            Self::Short(count) => format!("{count} of {min}"),
            Self::LongEnough(count) => format!("{count}, long enough"),
            Self::TooLong(count) => format!("{count}, {MAX_CODE_POINTS} at most"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(password: &str) -> PasswordHint {
        PasswordHint::of(password, 15)
    }

    #[test]
    fn length_counts_code_points_not_bytes() {
        assert_eq!(of("äöüß🗝"), PasswordHint::Short(5));
        assert_eq!(of(&"ä".repeat(15)), PasswordHint::LongEnough(15));
    }

    #[test]
    fn spaces_count_like_everything_else() {
        assert_eq!(of("   "), PasswordHint::Short(3));
    }

    #[test]
    fn the_bounds_are_inclusive() {
        assert_eq!(of(&"x".repeat(14)), PasswordHint::Short(14));
        assert_eq!(of(&"x".repeat(256)), PasswordHint::LongEnough(256));
        assert_eq!(of(&"x".repeat(257)), PasswordHint::TooLong(257));
        assert_eq!(of(""), PasswordHint::Empty);
    }

    #[test]
    fn minimum_length_comes_from_the_server() {
        assert_eq!(PasswordHint::of("eight by", 8), PasswordHint::LongEnough(8));
        assert_eq!(PasswordHint::of(&"x".repeat(15), 20), PasswordHint::Short(15));
        assert_eq!(PasswordHint::Short(3).text(20), "3 of 20");
        assert!(length_rule(20).starts_with("20 to 256 characters"));
        assert_eq!(MinPassword::from_marker("20"), MinPassword(20));
        assert_eq!(MinPassword::from_marker("").0, 15);
    }
}
