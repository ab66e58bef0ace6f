//! How hard a new password would be to guess, as an estimate in plain words.
//!
//! It is advice and nothing else: whether a password is accepted is the server's decision, and nothing is sent anywhere
//! to make the estimate. The estimator ([`zxcvbn`](https://docs.rs/zxcvbn)) weighs three times as much as the rest of
//! the application, for it brings its word lists along, so it is a part of the program of its own:
//! [`crate::pages::parts`] fetches it when somebody turns to the field of a new password.

#[cfg(any(feature = "hydrate", test))]
mod judge;

#[cfg(any(feature = "hydrate", test))]
pub use judge::judge;

/// So many characters are looked at. What follows can only make a password better, and the time that the estimate takes
/// grows faster than its input.
pub const MOST_CHARACTERS: usize = 100;

/// Words about somebody that are shorter than this are in half of all passwords by chance.
const SHORTEST_PERSONAL: usize = 3;

/// What is said about a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub score: Score,
    /// The one thing that makes it weaker than it looks.
    pub warning: Option<&'static str>,
    /// The one thing to try.
    pub suggestion: Option<&'static str>,
}

/// From the first that a program would try to one that it would not arrive at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Score {
    VeryEasy,
    Easy,
    Fair,
    Hard,
    VeryHard,
}

impl Score {
    /// The highest value of a score.
    pub const MAX: u8 = 4;

    /// How much of a meter it fills.
    pub fn value(self) -> u8 {
        self as u8
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::VeryEasy => "Very easy to guess",
            Self::Easy => "Easy to guess",
            Self::Fair => "Could be guessed",
            Self::Hard => "Hard to guess",
            Self::VeryHard => "Very hard to guess",
        }
    }
}

/// The server renders the field and has nothing to judge.
#[cfg(not(any(feature = "hydrate", test)))]
pub fn judge(_password: &str, _personal: &[String]) -> Verdict {
    Verdict {
        score: Score::VeryEasy,
        warning: None,
        suggestion: None,
    }
}

/// What somebody who knows a person would try first: their address, their name, the words of both, and ours.
pub fn personal_words(email: &str, display_name: &str) -> Vec<String> {
    let mut words = vec!["keyturn".to_owned()];
    for text in [email, display_name] {
        let text = text.trim().to_lowercase();
        let pieces = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
        for word in pieces.chain([text.clone()]) {
            if word.chars().count() >= SHORTEST_PERSONAL && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_count_whole_and_in_pieces() {
        assert_eq!(
            personal_words("Ada.Lovelace@example.com", " Ada King "),
            [
                "keyturn",
                "ada",
                "lovelace",
                "example",
                "com",
                "ada.lovelace@example.com",
                "king",
                "ada king"
            ]
        );
        assert_eq!(personal_words("", "Al"), ["keyturn"]);
    }

    #[test]
    fn scores_are_in_order_and_fill_the_meter() {
        let scores = [
            Score::VeryEasy,
            Score::Easy,
            Score::Fair,
            Score::Hard,
            Score::VeryHard,
        ];
        assert!(scores.is_sorted());
        assert_eq!(scores.map(Score::value), [0, 1, 2, 3, Score::MAX]);
    }
}
