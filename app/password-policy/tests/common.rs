//! Generates the set of common passwords that the policy rejects (OWASP ASVS 6.2.4), and checks each.

use std::collections::BTreeSet;

use password_policy::{DEFAULT_MIN_CODE_POINTS, PolicyViolation, Rules, check};

const WORDS: &str = include_str!("../src/common_words.txt");
const PHRASES: &str = include_str!("../src/common_phrases.txt");
/// The words at the top of public lists. Their pairs are worth listing.
const TOP: [&str; 40] = [
    "password",
    "iloveyou",
    "princess",
    "sunshine",
    "football",
    "baseball",
    "dragon",
    "monkey",
    "shadow",
    "master",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "superman",
    "batman",
    "michael",
    "jennifer",
    "jessica",
    "ashley",
    "charlie",
    "jordan",
    "daniel",
    "michelle",
    "nicole",
    "liverpool",
    "chelsea",
    "arsenal",
    "barcelona",
    "chocolate",
    "butterfly",
    "computer",
    "internet",
    "pokemon",
    "freedom",
    "whatever",
];
const COUNTING: &str = "123456789012345";
const WALKS: [&str; 6] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
];

fn is_long_enough(text: &str) -> bool {
    text.chars().count() >= DEFAULT_MIN_CODE_POINTS
}

fn verdict(password: &str) -> Result<(), PolicyViolation> {
    let rules = Rules {
        min_length: DEFAULT_MIN_CODE_POINTS,
        email: "ada@example.com",
        current: None,
    };
    check(password, &rules)
}

/// The listed phrases that are long enough.
fn phrases() -> BTreeSet<String> {
    PHRASES
        .lines()
        .filter(|phrase| is_long_enough(phrase))
        .map(str::to_owned)
        .collect()
}

/// Each word, repeated until it is long enough.
fn repeated() -> BTreeSet<String> {
    WORDS
        .lines()
        .map(|word| word.repeat(DEFAULT_MIN_CODE_POINTS.div_ceil(word.chars().count())))
        .collect()
}

/// Each word, followed by as many digits as it needs.
fn counted() -> BTreeSet<String> {
    let counted = |word: &str| {
        let missing = DEFAULT_MIN_CODE_POINTS.checked_sub(word.chars().count())?;
        Some(format!("{word}{}", &COUNTING[..missing]))
    };
    WORDS.lines().filter_map(counted).collect()
}

/// Pairs of top words, including a word with itself, and the pair followed by a year; those that are long enough.
fn pairs() -> BTreeSet<String> {
    let both = TOP
        .iter()
        .flat_map(|first| TOP.iter().map(move |second| format!("{first}{second}")));
    both.flat_map(|pair| [format!("{pair}2025"), pair])
        .filter(|pair| is_long_enough(pair))
        .collect()
}

/// Every long enough section of a walk, in both directions.
fn walks() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for walk in WALKS {
        let back: String = walk.chars().rev().collect();
        for walk in [walk.to_owned(), back] {
            for start in 0..walk.len() {
                for end in start + DEFAULT_MIN_CODE_POINTS..=walk.len() {
                    found.insert(walk[start..end].to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn more_than_three_thousand_common_passwords_are_refused() {
    let mut all = BTreeSet::new();
    for (name, list) in [
        ("phrases", phrases()),
        ("repeated words", repeated()),
        ("words with counting", counted()),
        ("pairs of top words", pairs()),
        ("walks", walks()),
    ] {
        println!("{name}: {}", list.len());
        assert!(list.len() >= 100, "{name}: {}", list.len());
        all.extend(list);
    }
    println!("in all: {}", all.len());
    assert!(all.len() >= 3_000);
    let accepted: Vec<&String> = all
        .iter()
        .filter(|password| verdict(password) != Err(PolicyViolation::TooCommon))
        .collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn variants_of_common_passwords_are_refused() {
    let accepted: Vec<String> = phrases()
        .into_iter()
        .chain(counted())
        .flat_map(|password| {
            let mut first = password.chars();
            let capital = first.next().into_iter().flat_map(char::to_uppercase);
            let capitalised: String = capital.chain(first).collect();
            [
                password.to_uppercase(),
                format!("{capitalised}!"),
                format!("{capitalised}1"),
            ]
        })
        .filter(|password| verdict(password).is_ok())
        .collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn unrelated_words_are_accepted() {
    for password in [
        "kettle moss orbit",
        "a lantern under snow",
        "walking along the pier",
        "vier blaue Fahrräder im Regen",
        "sourdough telescope margin",
        "password hygiene for otters",
        "i love the smell of ozone",
        "monday is a synthetic cheese",
    ] {
        assert_eq!(verdict(password), Ok(()), "{password}");
    }
}
