//! Detects master secrets that are not random, as far as that is possible.
//!
//! No test can prove that a text is random. This one finds what people write instead: placeholders from documentation,
//! repeated units, counting, and keyboard walks, also inside hexadecimal or base64. The output of `openssl rand`
//! passes; the tests below try twenty thousand samples.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

/// Why a secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Weakness {
    #[error("is a well-known placeholder, not a random value")]
    Placeholder,
    #[error("repeats itself, so that only a short part of it counts")]
    Repeated,
    #[error("counts up or down, or follows a regular pattern")]
    Sequence,
    #[error("follows the keys of a keyboard")]
    Keyboard,
    #[error("has too few different characters or bytes")]
    FewSymbols,
    #[error("encodes too few bytes; at least 24 random ones are needed")]
    FewBytes,
}

/// Words of placeholders. The rest of the secret, without them, must be long enough to be a secret.
const PLACEHOLDER_WORDS: [&str; 63] = [
    "default",
    "insecure",
    "placeholder",
    "password",
    "passphrase",
    "production",
    "development",
    "replaceme",
    "replace",
    "changeme",
    "change",
    "keyturn",
    "supersecret",
    "secret",
    "secure",
    "example",
    "dummy",
    "sample",
    "testing",
    "test",
    "random",
    "string",
    "generate",
    "generated",
    "please",
    "insert",
    "master",
    "private",
    "signing",
    "session",
    "cookie",
    "token",
    "base64",
    "bytes",
    "byte",
    "characters",
    "character",
    "chars",
    "minimum",
    "least",
    "long",
    "very",
    "super",
    "your",
    "this",
    "that",
    "here",
    "todo",
    "fixme",
    "with",
    "must",
    "value",
    "django",
    "jwt",
    "key",
    "for",
    "not",
    "use",
    "the",
    "bits",
    "bit",
    "openssl",
    "rand",
];

/// Secrets that are printed in specifications and on websites.
const PUBLISHED: [&str; 4] = [
    // RFC 7515, appendix A.1.
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    // jwt.io.
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    // RFC 7914 and many tutorials.
    "pleaseletmein",
];

const KEYBOARD: [&str; 12] = [
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiopü",
    "asdfghjklöä",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "!@#$%^&*()",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
];

/// The minimum length of a secret without its placeholder words.
const MIN_BESIDE_WORDS: usize = 12;
/// A repeated unit of at least this many bytes is sufficient.
const MIN_UNIT: usize = 32;
const MIN_DECODED_BYTES: usize = 24;
const MIN_DISTINCT: usize = 10;
/// The maximum distance between bytes that are compared for patterns. It covers counting in numbers of up to eight
/// digits.
const MAX_STRIDE: usize = 8;
/// How deeply encodings may be nested.
const MAX_DEPTH: u8 = 3;

/// Looks for a weakness in the secret itself and in what it encodes.
pub(super) fn weakness_of(secret: &str) -> Option<Weakness> {
    assess(secret.trim().as_bytes(), 0)
}

fn assess(bytes: &[u8], depth: u8) -> Option<Weakness> {
    let text = std::str::from_utf8(bytes).ok();
    if text.is_some_and(is_placeholder) {
        return Some(Weakness::Placeholder);
    }
    let unit = unit_of(bytes);
    if unit < MIN_UNIT && 2 * unit <= bytes.len() {
        return Some(Weakness::Repeated);
    }
    if distinct(bytes) < MIN_DISTINCT {
        return Some(Weakness::FewSymbols);
    }
    if (1..=MAX_STRIDE).any(|stride| is_regular(bytes, stride)) {
        return Some(Weakness::Sequence);
    }
    if text.is_some_and(is_walk) {
        return Some(Weakness::Keyboard);
    }
    if depth == MAX_DEPTH {
        return None;
    }
    let text = text?;
    for decoded in [hex(text), base64(text)].into_iter().flatten() {
        // A word may be valid base64 by accident; short or plain text is judged as it is written.
        if depth == 0 && decoded.len() < MIN_DECODED_BYTES {
            return Some(Weakness::FewBytes);
        }
        if let Some(weakness) = assess(&decoded, depth + 1) {
            return Some(weakness);
        }
    }
    None
}

fn is_placeholder(text: &str) -> bool {
    if PUBLISHED
        .iter()
        .any(|published| text.eq_ignore_ascii_case(published))
    {
        return true;
    }
    let lower = Zeroizing::new(text.to_lowercase());
    let letters = |spelling: fn(char) -> char| -> Zeroizing<String> {
        let folded = lower.chars().map(spelling);
        Zeroizing::new(folded.filter(char::is_ascii_alphanumeric).collect())
    };
    [letters(|c| c), letters(unleet)]
        .iter()
        .any(|text| is_made_of_words(text))
}

/// Whether a text consists mainly of placeholder words.
fn is_made_of_words(text: &str) -> bool {
    let mut rest = Zeroizing::new(text.to_owned());
    for word in PLACEHOLDER_WORDS {
        *rest = rest.replace(word, "");
    }
    let beside = rest.trim_matches(|c: char| c.is_ascii_digit()).len();
    rest.len() < text.len() && beside < MIN_BESIDE_WORDS
}

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

/// The length of the shortest unit whose repetition gives these bytes; the full length if there is none.
fn unit_of(bytes: &[u8]) -> usize {
    let repeats = |unit: &usize| {
        bytes
            .iter()
            .skip(*unit)
            .zip(bytes)
            .all(|(later, earlier)| later == earlier)
    };
    (1..bytes.len()).find(repeats).unwrap_or(bytes.len())
}

fn distinct(bytes: &[u8]) -> usize {
    (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count()
}

/// Whether most bytes can be predicted from the byte `stride` before them: equal, the next value, or the same
/// difference as between the two bytes before.
fn is_regular(bytes: &[u8], stride: usize) -> bool {
    if bytes.len() < 3 * stride {
        return false;
    }
    let step = |at: usize| rank(bytes[at]).wrapping_sub(rank(bytes[at - stride]));
    let regular = (2 * stride..bytes.len())
        .filter(|&at| matches!(step(at), 0 | 1 | u8::MAX) || step(at) == step(at - stride));
    let all = bytes.len() - 2 * stride;
    // 3 of 5: random hexadecimal text reaches at most about 2 of 5.
    regular.count() * 5 > all * 3
}

/// The position of a character in a counting sequence. In all common alphabets for counting, digits are followed by
/// letters.
fn rank(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte - b'a' + b'9' + 1,
        b'A'..=b'Z' => byte - b'A' + b'9' + 1,
        other => other,
    }
}

fn is_walk(text: &str) -> bool {
    let lower = Zeroizing::new(text.to_lowercase());
    let pairs = || lower.chars().zip(lower.chars().skip(1));
    let beside = |(one, other): (char, char)| {
        one == other
            || KEYBOARD.iter().any(|row| {
                let mut keys = row.chars().zip(row.chars().skip(1));
                keys.any(|pair| pair == (one, other) || pair == (other, one))
            })
    };
    let steps = pairs().filter(|&pair| beside(pair)).count();
    steps * 5 > pairs().count() * 3
}

fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b':' | b' ' | b'-'))
        .collect();
    let digits = Zeroizing::new(text);
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs = digits.chunks_exact(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Hexadecimal digits are valid base64 too, and would decode to nonsense.
    if hex(text).is_some() {
        return None;
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;
    use crate::random::{Random, SystemRandom};

    fn as_hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;

        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn predictable_secrets_are_refused() {
        let counting: Vec<u8> = (0..48).collect();
        let evens: Vec<u8> = (0..48).map(|i| i * 2).collect();
        let down: Vec<u8> = (0..48).rev().collect();
        let decimal: String = (100..120).map(|i| i.to_string()).collect();
        let encoded = |text: &str| BASE64_STANDARD.encode(text);
        for secret in [
            "changeme-changeme-changeme-changeme",
            "changemechangemechangemechangemechangeme!",
            "CHANGE_ME_TO_A_RANDOM_SECRET_STRING_PLEASE",
            "please-change-this-secret-key-in-production",
            "replace-this-with-openssl-rand-base64-48",
            "your-super-secret-jwt-token-with-at-least-32-characters-long",
            "my-very-long-secret-key-for-production-2026",
            "keyturn-master-secret-keyturn-master-secret",
            "ch4ngem3-ch@ngeme-$ecret-p@ssword-s3cret!",
            "django-insecure-secret-key-example-value-here",
            "a-string-secret-at-least-256-bits-long",
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            "correct horse correct horse correct horse ",
            "f3Kx9!qLm2f3Kx9!qLm2f3Kx9!qLm2f3Kx9!qLm2",
            "12345678901234567890123456789012",
            "01234567890123456789012345678901234567890123456789",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "acegikmoqsuwybdfhjlnprtvxz0246813579",
            "1a2b3c4d5e6f7g8h9i0j1k2l3m4n5o6p7q8r",
            &decimal,
            "qwertyuiopasdfghjklzxcvbnm1234567890",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
            "QWERTZUIOPASDFGHJKLYXCVBNM1234567890",
            "azertyuiopqsdfghjklmwxcvbn1234567890",
            &as_hex(&counting),
            &as_hex(&counting).to_uppercase(),
            &as_hex(&evens),
            &as_hex(&down),
            &as_hex(b"changeme-changeme-please-change-me!!"),
            &BASE64_STANDARD.encode(&counting),
            &BASE64_STANDARD.encode(&evens),
            &BASE64_URL_SAFE_NO_PAD.encode(&down),
            &BASE64_STANDARD.encode([0; 48]),
            &BASE64_STANDARD.encode([7, 200, 9].repeat(16)),
            &encoded("please change this secret in production"),
            &encoded("qwertyuiopasdfghjklzxcvbnm1234567890"),
            &encoded("12345678901234567890123456789012"),
            &encoded(&encoded("please change this secret in production")),
            &encoded(&as_hex(&counting)),
            // 16 random bytes, and 8 of them.
            "9f86d081884c7d659a2feaa0c55ad015",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "ababacabadabaeabafababacabadabaeabafab",
        ] {
            assert!(weakness_of(secret).is_some(), "{secret}");
        }
    }

    #[test]
    fn random_secrets_pass() {
        let random: &dyn Random = &SystemRandom::default();
        for _ in 0..5_000 {
            for secret in [
                BASE64_STANDARD.encode(random.bytes::<48>()),
                BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>()),
                as_hex(&random.bytes::<32>()),
                BASE64_STANDARD.encode(random.bytes::<24>()),
            ] {
                assert_eq!(weakness_of(&secret), None, "{secret}");
            }
        }
    }

    #[test]
    fn long_phrases_of_unrelated_words_pass() {
        for secret in [
            "one secret of all nodes, long enough and of many letters",
            "a test's secret, long enough and of many letters",
            "lantern orbit kettle moss granite velvet harbour",
            "fJ7$kQ2!vN9@xR4#mT6%pW8^zB1&cD3*",
        ] {
            assert_eq!(weakness_of(secret), None, "{secret}");
        }
    }
}
