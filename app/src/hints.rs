//! Hints while somebody types a new password. Advice only: whether it is accepted is the server's decision.

/// The shortest password that the server accepts unless it is configured otherwise, in code points.
pub const MIN_PASSWORD: usize = 15;
/// The longest one.
pub const MAX_PASSWORD: usize = 256;

/// How far a new password is, by its length alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordHint {
    #[default]
    Empty,
    /// So many code points are there, and more are wanted.
    Short(usize),
    LongEnough(usize),
    TooLong(usize),
}

impl PasswordHint {
    /// Counts code points, as the server does: `ä` and `🗝` are one each, and nothing is trimmed.
    pub fn of(password: &str) -> Self {
        match password.chars().count() {
            0 => Self::Empty,
            count @ 1..MIN_PASSWORD => Self::Short(count),
            count @ MIN_PASSWORD..=MAX_PASSWORD => Self::LongEnough(count),
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

    /// What stands beside the meter.
    pub fn text(self) -> String {
        match self {
            Self::Empty => format!("0 of {MIN_PASSWORD}"),
            Self::Short(count) => format!("{count} of {MIN_PASSWORD}"),
            Self::LongEnough(count) => format!("{count}, long enough"),
            Self::TooLong(count) => format!("{count}, {MAX_PASSWORD} at most"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_count_and_not_bytes() {
        assert_eq!(PasswordHint::of("äöüß🗝"), PasswordHint::Short(5));
        assert_eq!(PasswordHint::of(&"ä".repeat(15)), PasswordHint::LongEnough(15));
    }

    #[test]
    fn spaces_count_like_everything_else() {
        assert_eq!(PasswordHint::of("   "), PasswordHint::Short(3));
    }

    #[test]
    fn the_bounds_are_inclusive() {
        assert_eq!(PasswordHint::of(&"x".repeat(14)), PasswordHint::Short(14));
        assert_eq!(PasswordHint::of(&"x".repeat(256)), PasswordHint::LongEnough(256));
        assert_eq!(PasswordHint::of(&"x".repeat(257)), PasswordHint::TooLong(257));
        assert_eq!(PasswordHint::of(""), PasswordHint::Empty);
    }
}
