#![doc = include_str!("../README.md")]

mod common;

use unicode_normalization::UnicodeNormalization;

/// The maximum length of a password, in code points. It bounds the cost of hashing; no one types more.
pub const MAX_CODE_POINTS: usize = 256;

/// The default minimum length of a password, in code points. The server's configuration can change it.
pub const DEFAULT_MIN_CODE_POINTS: usize = 15;

/// The minimum length of an email name that is checked, in code points. A shorter name would reject too much: almost
/// every password contains an `a`.
const MIN_NAME_LEN: usize = 4;

/// The input to the policy, besides the password.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The minimum length, in code points.
    pub min_length: usize,
    /// The account's email address as typed. Empty if there is none yet.
    pub email: &'a str,
    /// The password that the new one replaces.
    pub current: Option<&'a str>,
}

/// Why a password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyViolation {
    TooShort { min: usize },
    TooLong,
    TooCommon,
    ContainsEmail,
    Unchanged,
}

impl PolicyViolation {
    /// The stable code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong => "too_long",
            Self::TooCommon => "too_common",
            Self::ContainsEmail => "contains_email",
            Self::Unchanged => "unchanged",
        }
    }

    /// The message for people: what is wrong and what to do.
    pub fn sentence(self) -> String {
        match self {
            Self::TooShort { min } => {
                format!("Use at least {min} characters. A few words in a row are easy to remember.")
            }
            Self::TooLong => format!("Use at most {MAX_CODE_POINTS} characters."),
            Self::TooCommon => {
                "This password is one that attackers try first. Choose a few unrelated words instead.".into()
            }
            Self::ContainsEmail => {
                "This password contains the name of your email address. Choose one that does not.".into()
            }
            Self::Unchanged => "This is the password that you have already. Choose another.".into(),
        }
    }
}

/// Whether the password exceeds the limit for every account, by its bytes alone. A client thus cannot make the server
/// count or hash a very long one.
pub fn is_longer_than_any(password: &str) -> bool {
    password.len() > 4 * MAX_CODE_POINTS
}

/// Checks a new password exactly as typed.
///
/// # Errors
/// The first rule that the password violates.
pub fn check(password: &str, rules: &Rules<'_>) -> Result<(), PolicyViolation> {
    if rules.current == Some(password) {
        return Err(PolicyViolation::Unchanged);
    }
    // Bytes first, because counting the characters of a megabyte takes time too.
    if is_longer_than_any(password) {
        return Err(PolicyViolation::TooLong);
    }
    let length = password.chars().count();
    if length > MAX_CODE_POINTS {
        return Err(PolicyViolation::TooLong);
    }
    if length < rules.min_length {
        return Err(PolicyViolation::TooShort {
            min: rules.min_length,
        });
    }
    let folded = fold(password);
    if common::is_common(&folded) {
        return Err(PolicyViolation::TooCommon);
    }
    if name_of(rules.email).is_some_and(|name| folded.contains(&name)) {
        return Err(PolicyViolation::ContainsEmail);
    }
    Ok(())
}

/// The part of an address before its last `@`, folded. `None` if it is too short to matter.
fn name_of(email: &str) -> Option<String> {
    let (name, _) = email.trim().rsplit_once('@')?;
    // A bound before any other work: no address is longer.
    if name.len() > MAX_CODE_POINTS {
        return None;
    }
    let name = fold(name);
    (name.chars().count() >= MIN_NAME_LEN).then_some(name)
}

/// Folds a text for comparison: capitals, full-width letters and ligatures do not make a different password.
fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase().replace('ß', "ss")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "ada.lovelace@example.com";

    fn code_for(password: &str, email: &str) -> Option<&'static str> {
        let rules = Rules {
            min_length: 15,
            email,
            current: None,
        };
        check(password, &rules).err().map(PolicyViolation::code)
    }

    fn code(password: &str) -> Option<&'static str> {
        code_for(password, EMAIL)
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(code("fourteen chars"), Some("too_short"));
        assert_eq!(code("fifteen letters"), None);
        assert_eq!(code(&"\u{1f511}\u{1f340}".repeat(7)), Some("too_short"));
        assert_eq!(code("ключ поворачива"), None);
        let long = "kettle moss orbit ".repeat(16);
        assert_eq!(code(&long[..256]), None);
        assert_eq!(code(&long[..257]), Some("too_long"));
        assert_eq!(code(&"x".repeat(1_000_000)), Some("too_long"));
    }

    #[test]
    fn minimum_length_comes_from_the_server() {
        let rules = |min_length| Rules {
            min_length,
            email: EMAIL,
            current: None,
        };
        assert_eq!(check("kettle moss", &rules(8)), Ok(()));
        assert_eq!(
            check("kettle moss", &rules(20)),
            Err(PolicyViolation::TooShort { min: 20 })
        );
        assert!(
            PolicyViolation::TooShort { min: 20 }
                .sentence()
                .contains("at least 20")
        );
    }

    #[test]
    fn there_are_no_rules_about_kinds_of_characters() {
        for password in [
            "only lower case words",
            "  spaces around it  ",
            "ünïcödé is fine tøø",
            "rattle-quill-zebra",
            "}~^#&*(%%@!<>?/|{;:",
            "🔑🍀🦊🎈🧭🪐🌵🧊🥁🪴🛶🧵🪁🦉🧀🪨",
            "love}~^#&*(%%@!<>?/|{",
            "84019375620184739265",
            "kettle moss orbit",
            "a lantern under snow",
            "opal lantern under fresh snow",
            "Sommer Fahrrad Zitrone 42",
            "seven purple dragons sing",
        ] {
            assert_eq!(code(password), None, "{password}");
        }
    }

    #[test]
    fn common_passwords_are_refused() {
        for password in [
            "passwordpassword",
            "Password1234567",
            "P@ssw0rd1234567",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123456789012345",
            "987654321098765",
            "qwertyuiopasdfgh",
            "1qaz2wsx3edc4rfv",
            "abcdefghijklmnop",
            "correct horse battery staple",
            "correcthorsebatterystaple",
            "iloveyouiloveyou",
            "iloveyoujessica",
            "keyturn-keyturn-1",
            "letmeinletmein123",
            "password-password-password",
            // Disguises that folding removes.
            "ｐａｓｓｗｏｒｄ１２３４５６７",
            "ﬂowerﬂowerﬂower",
            // Zigzags over the keyboard.
            "q1w2e3r4t5y6u7i8",
            "1q2w3e4r5t6y7u8i9o",
            "1qazxsw23edcvfr4",
            "qazwsxedcrfvtgb",
            "1qa2ws3ed4rf5tg",
            "1234qwerasdfzxcv",
            "йцукенгшщзхъфыва",
        ] {
            assert_eq!(code(password), Some("too_common"), "{password}");
        }
    }

    #[test]
    fn passwords_with_the_email_name_are_refused() {
        assert_eq!(code("my ada.lovelace 1843"), Some("contains_email"));
        assert_eq!(code("ADA.LOVELACE was here"), Some("contains_email"));
        for email in [
            "ADA.Lovelace@example.com",
            " ada.lovelace@x",
            "ａｄａ.lovelace@example.com",
        ] {
            assert_eq!(
                code_for("my ada.lovelace 1843", email),
                Some("contains_email"),
                "{email}"
            );
        }
        for email in ["al@example.com", "", "ada.lovelace", "@example.com"] {
            assert_eq!(code_for("walking along ada.lovelace", email), None, "{email}");
        }
    }

    #[test]
    fn the_current_password_is_refused_as_new() {
        let rules = Rules {
            min_length: 15,
            email: EMAIL,
            current: Some("kettle moss orbit"),
        };
        assert_eq!(
            check("kettle moss orbit", &rules),
            Err(PolicyViolation::Unchanged)
        );
        assert_eq!(check("kettle moss orbits", &rules), Ok(()));
    }
}
