//! Detects common passwords (OWASP ASVS 6.2.4), which attackers guess first.
//!
//! Public lists of common passwords contain almost only passwords shorter than fifteen characters. A longer common
//! password is built from a few parts. So this module stores the parts and recognises the construction:
//!
//! - a short piece repeated (`passwordpassword`)
//! - a walk over the keyboard or along the alphabet, with few new starts (`q1w2e3r4t5y6u7i8`)
//! - one or two common words with digits or decoration around them (`iloveyoujessica`, `P@ssw0rd1234567`)
//! - a phrase (`correcthorsebatterystaple`)
//!
//! `tests/common.rs` generates thousands of passwords of these kinds, and checks that each is rejected.

/// Common phrases, without spaces and punctuation.
const PHRASES: &str = include_str!("common_phrases.txt");
/// Words that are easy to guess alone, in pairs, repeated, or with digits around them: the most common short passwords,
/// first names, teams, months and similar words.
const WORDS: &str = include_str!("common_words.txt");

/// Alphabets, rows of keys, and the common zigzags over them.
const WALKS: [&str; 17] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "йцукенгшщзхъфывапролджэячсмитьбю",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1qazxsw23edcvfr45tgbnhy67ujmki89olp0",
    "1qa2ws3ed4rf5tg6yh7uj8ik9ol",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "zaq12wsxcde34rfvbgt56yhnmju78ik",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qawsedrftgyhujikolp",
    "zsxdcfvgbhnjmk",
    "1011121314151617181920",
    "1324354657687980",
];

/// Whether a folded password is one that attackers try first.
pub(crate) fn is_common(folded: &str) -> bool {
    let plain: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    // Characters around the letters are digits or decoration; characters between them may be a disguise.
    let core = folded.trim_matches(|c: char| !c.is_alphabetic() && !"@$".contains(c));
    let letters: String = core.chars().map(unleet).filter(|c| c.is_alphanumeric()).collect();
    if PHRASES.lines().any(|phrase| phrase == letters || phrase == plain) || is_repetition(folded) {
        return true;
    }
    // A word among many symbols is not the whole password.
    let mostly_plain = 2 * plain.chars().count() > folded.chars().count();
    mostly_plain
        && (is_repetition(&plain) || is_walk(&plain) || is_padded_word(&plain) || is_padded_word(&letters))
}

/// Reverses the usual substitutions: `p@ssw0rd` is `password`.
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

/// Whether one short piece is repeated: `aaaaaaaaaaaaaaa`, `abcabcabcabcabc`, `passwordpassword`.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2).filter(|size| *size <= 8).any(|size| {
        chars
            .iter()
            .zip(chars.iter().skip(size))
            .all(|(earlier, later)| earlier == later)
    })
}

/// Whether the text is a walk over the keyboard or along the alphabet, in either direction, with few new starts:
/// `qwertyuiop12345`. Each key may be pressed several times.
fn is_walk(text: &str) -> bool {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.len() < 2 {
        return false;
    }
    chars.dedup();
    let is_stray = |three: &&[char]| !WALKS.iter().any(|walk| goes_along(walk, three));
    let strays = chars.windows(3).filter(is_stray).count();
    // Each new start adds two. One new start for every five characters still leaves nothing to guess.
    strays * 5 <= chars.len() * 2
}

/// Whether a walk contains these characters in a row, in either direction. Callers pass three, because any two letters
/// of a word are neighbours in some walk.
fn goes_along(walk: &str, chars: &[char]) -> bool {
    let passes = |chars: &mut dyn Iterator<Item = char>| walk.contains(&chars.collect::<String>());
    passes(&mut chars.iter().copied()) || passes(&mut chars.iter().rev().copied())
}

/// Whether the text consists only of common words and digits: `password1234567`, `iloveyou2iloveyou`,
/// `keyturn-keyturn-1`.
fn is_padded_word(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let Some(words) = fewest_words(text) else {
        return false;
    };
    // Digits alone may be anything. Three different words in a row are a passphrase, not a padded word.
    (1..=2).contains(&words) || is_repetition(text.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// The smallest number of common words that form the text, with digits between them. `None` if it contains anything
/// else.
fn fewest_words(text: &str) -> Option<usize> {
    // Index: byte offset. Value: the smallest number of words up to that offset.
    let mut fewest = vec![None; text.len() + 1];
    fewest[0] = Some(0);
    for start in 0..text.len() {
        let Some(words) = fewest[start] else {
            continue;
        };
        let rest = &text[start..];
        let mut reach = |len: usize, words: usize| {
            let so_far = &mut fewest[start + len];
            *so_far = Some(so_far.map_or(words, |before: usize| before.min(words)));
        };
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            reach(1, words);
        }
        for word in WORDS.lines().filter(|word| rest.starts_with(word)) {
            reach(word.len(), words + 1);
        }
    }
    fewest[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_folded() {
        for list in [PHRASES, WORDS] {
            let lines: Vec<&str> = list.lines().collect();
            assert!(lines.is_sorted_by(|a, b| a < b), "sorted, each once");
            for line in lines {
                assert!(!line.is_empty() && line == crate::fold(line), "{line}");
                assert!(line.chars().all(char::is_alphanumeric), "{line}");
            }
        }
    }

    #[test]
    fn sentences_are_not_keyboard_walks() {
        for text in [
            "wereyoufreetosteerher",
            "sweaterweatherforever",
            "dresserdrawers",
            "stewardessesdressed",
            "84019375620184739265",
        ] {
            assert!(!is_walk(text), "{text}");
        }
    }

    #[test]
    fn fewest_words_finds_the_shortest_split() {
        assert_eq!(fewest_words("iloveyou"), Some(1));
        assert_eq!(fewest_words("iloveyou2iloveyou"), Some(2));
        assert_eq!(fewest_words("2026"), Some(0));
        assert_eq!(fewest_words("quillfeather"), None);
    }
}
