//! Whether a new password would be accepted, and how hard it is to guess, in plain words.
//!
//! The rules are the server's own (`password_policy`). A password that the server would refuse is refused here with the
//! same sentence. A password that passes gets an estimate, which is advice. Nothing is sent for either. Only the server
//! knows the operator's list of breached passwords.
//!
//! The estimator ([`zxcvbn`](https://docs.rs/zxcvbn)) and the word lists weigh three times as much as the rest of the
//! application. So they are a separate part of the app: the pages fetches it when the field of a new
//! password gets the focus.

#[cfg(any(feature = "hydrate", test))]
mod judge;

#[cfg(any(feature = "hydrate", test))]
pub use judge::judge;
pub use password_policy::PolicyViolation;

/// The number of characters that are judged. More characters can only make a password better, and the time for the
/// estimate grows faster than its input.
pub const MAX_ASSESSED_CHARS: usize = 100;

/// Shorter words about a person occur in half of all passwords by chance.
const MIN_PERSONAL_WORD_LEN: usize = 3;

/// The verdict on a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The server would refuse it.
    Refused(PolicyViolation),
    Accepted(Advice),
}

/// The estimate for a password that would be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    pub score: Score,
    /// The main weakness.
    pub warning: Option<&'static str>,
    /// The best suggestion.
    pub suggestion: Option<&'static str>,
}

/// The input for the verdict: the server's rules, and what is known about the person who chooses the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordContext {
    /// The email of the account, as typed.
    pub email: String,
    /// The current password, which the new one replaces.
    pub current_password: Option<String>,
    /// Words that someone who knows the person would try.
    pub words: Vec<String>,
}

impl PasswordContext {
    pub fn new(email: &str, display_name: &str) -> Self {
        Self {
            email: email.to_owned(),
            current_password: None,
            words: personal_words(email, display_name),
        }
    }

    /// Adds the current password, which the new one replaces.
    #[must_use]
    pub fn with_current_password(self, password: String) -> Self {
        Self {
            current_password: Some(password),
            ..self
        }
    }
}

/// Score, from the first guess of a cracking program to one that it would not reach.
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

    /// How much of a meter this score fills.
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
pub fn judge(_password: &str, _context: &PasswordContext, min_length: usize) -> PasswordVerdict {
    PasswordVerdict::Refused(PolicyViolation::TooShort { min: min_length })
}

/// Words that an attacker who knows a person tries first: their email, their name, the words of both, and ours.
fn personal_words(email: &str, display_name: &str) -> Vec<String> {
    let mut words = vec!["keyturn".to_owned()];
    for text in [email, display_name] {
        let text = text.trim().to_lowercase();
        let pieces = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
        for word in pieces.chain([text.clone()]) {
            if word.chars().count() >= MIN_PERSONAL_WORD_LEN && !words.contains(&word) {
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
    fn personal_words_include_parts_of_names() {
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
