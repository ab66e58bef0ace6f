//! Which passwords are accepted: long enough, not common, not the e-mail's name (NIST SP 800-63B-4 §3.1.1.2,
//! OWASP ASVS 6.2). There are no rules about digits or symbols.

use api_types::problem::FieldError;

use super::{email::Email, refused};

/// The longest password, in code points. Bounds the work of hashing; nobody types more.
pub const MAX_CODE_POINTS: usize = 256;

/// A shorter name would refuse too much: almost every password contains an `a`.
const MIN_NAME_LEN: usize = 4;

/// Passwords and phrases of fifteen characters and more that everybody tries first.
const COMMON_PHRASES: &str = include_str!("common_phrases.txt");
/// Words that make a password common however often they are repeated or whatever is counted behind them.
const COMMON_WORDS: &str = include_str!("common_words.txt");
/// Rows of keys, alphabets and digits: walks along them are no secret.
const WALKS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Whether no account can have this password, told by its bytes alone: nobody shall order the counting or the hashing of
/// a long one.
pub fn is_longer_than_any(password: &str) -> bool {
    password.len() > 4 * MAX_CODE_POINTS
}

/// Judges a password exactly as it was typed.
///
/// # Errors
/// The first reason to choose another.
pub fn check(password: &str, email: &Email, min_code_points: usize) -> Result<(), FieldError> {
    check_alone(password, min_code_points)?;
    if email.name().chars().count() >= MIN_NAME_LEN && password.to_lowercase().contains(email.name()) {
        let message = "This password contains the name of your email address. Choose one that does not.";
        return Err(refused("password", "contains_email", message));
    }
    Ok(())
}

/// The rules that need no address.
///
/// # Errors
/// The first reason to choose another.
pub fn check_alone(password: &str, min_code_points: usize) -> Result<(), FieldError> {
    // Bytes first: counting the characters of a megabyte is work that nobody should be able to order.
    let length = if is_longer_than_any(password) {
        usize::MAX
    } else {
        password.chars().count()
    };
    if length > MAX_CODE_POINTS {
        let message = format!("Use at most {MAX_CODE_POINTS} characters.");
        return Err(refused("password", "too_long", message));
    }
    if length < min_code_points {
        let message =
            format!("Use at least {min_code_points} characters. A few words in a row are easy to remember.");
        return Err(refused("password", "too_short", message));
    }
    if is_common(&password.to_lowercase()) {
        let message = "This password is one that attackers try first. Choose a few unrelated words instead.";
        return Err(refused("password", "too_common", message));
    }
    Ok(())
}

fn is_common(folded: &str) -> bool {
    let plain: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    // What stands around the letters is counting and decoration; what stands between them may be a disguise.
    let core = folded.trim_matches(|c: char| !c.is_alphabetic() && !"@$".contains(c));
    let letters: String = core.chars().map(unleet).filter(|c| c.is_alphanumeric()).collect();
    if COMMON_PHRASES
        .lines()
        .any(|phrase| phrase == letters || phrase == plain)
        || is_repetition(folded)
    {
        return true;
    }
    // A word among many symbols is not the whole password.
    let mostly_plain = 2 * plain.chars().count() > folded.chars().count();
    mostly_plain
        && (is_repetition(&plain) || is_walk(&plain) || is_padded_word(&plain) || is_padded_word(&letters))
}

/// The usual disguises: `p@ssw0rd` is `password`.
fn unleet(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// One short piece over and over: `aaaaaaaaaaaaaaa`, `abcabcabcabcabc`, `passwordpassword`.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2).filter(|size| *size <= 8).any(|size| {
        chars
            .iter()
            .zip(chars.iter().skip(size))
            .all(|(earlier, later)| earlier == later)
    })
}

/// A walk along the keyboard or the alphabet, in either direction, perhaps begun anew: `qwertyuiop12345`.
fn is_walk(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 2 {
        return false;
    }
    let steps = |a: char, b: char| {
        WALKS.iter().any(|walk| {
            walk.as_bytes().windows(2).any(|pair| {
                let (x, y) = (char::from(pair[0]), char::from(pair[1]));
                (x == a && y == b) || (x == b && y == a)
            })
        })
    };
    let breaks = chars
        .windows(2)
        .filter(|pair| pair[0] != pair[1] && !steps(pair[0], pair[1]))
        .count();
    // One new start for every five characters still leaves nothing to guess.
    breaks * 5 <= chars.len()
}

/// Nothing but common words and counting: `password1234567`, `iloveyou2iloveyou`, `keyturn-keyturn-1`.
fn is_padded_word(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let mut rest = text;
    let mut words = 0;
    while !rest.is_empty() {
        let word = COMMON_WORDS
            .lines()
            .filter(|word| rest.starts_with(word))
            .max_by_key(|word| word.len());
        rest = match word {
            Some(word) => {
                words += 1;
                &rest[word.len()..]
            }
            None if rest.starts_with(|c: char| c.is_ascii_digit()) => &rest[1..],
            None => return false,
        };
    }
    // Digits alone may be anything, and three different words in a row are a passphrase and not a word with padding.
    (1..=2).contains(&words) || is_repetition(text.trim_end_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Option<String> {
        let email = Email::parse("ada.lovelace@example.com").expect("an address");
        check(password, &email, 15).err().map(|error| error.code)
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(code("fourteen chars"), Some("too_short".into()));
        assert_eq!(code("fifteen letters"), None);
        assert_eq!(code(&"\u{1f511}\u{1f340}".repeat(7)), Some("too_short".into()));
        assert_eq!(code("ключ поворачива"), None);
        let long = "kettle moss orbit ".repeat(16);
        assert_eq!(code(&long[..256]), None);
        assert_eq!(code(&long[..257]), Some("too_long".into()));
        assert_eq!(code(&"x".repeat(1_000_000)), Some("too_long".into()));
    }

    #[test]
    fn no_rules_about_kinds_of_characters() {
        for password in [
            "only lower case words",
            "  spaces around it  ",
            "ünïcödé is fine tøø",
            "rattle-quill-zebra",
            "}~^#&*(%%@!<>?/|{;:",
            "🔑🍀🦊🎈🧭🪐🌵🧊🥁🪴🛶🧵🪁🦉🧀🪨",
            "love}~^#&*(%%@!<>?/|{",
            "84019375620184739265",
        ] {
            assert_eq!(code(password), None, "{password}");
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
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
            "keyturn-keyturn-1",
            "letmeinletmein123",
            "password-password-password",
        ] {
            assert_eq!(code(password), Some("too_common".into()), "{password}");
        }
    }

    #[test]
    fn the_emails_name_is_refused_wherever_it_stands() {
        assert_eq!(code("my ada.lovelace 1843"), Some("contains_email".into()));
        assert_eq!(code("ADA.LOVELACE was here"), Some("contains_email".into()));
        let short = Email::parse("al@example.com").expect("an address");
        assert!(check("walking along the pier", &short, 15).is_ok());
    }
}
