//! The catalogue of attacks (`server/ATTACKS.md`), case by case: a test's name begins with the id of its case.
//!
//! # Layout
//! - [`tokens`] (J), [`cookies`] (K), [`cross_site`] (C), [`passwords`] (L), [`bodies`] (N), [`transport`] (H),
//!   [`races`] (R, D, T), [`pages`] (X): the cases that no other test has; the catalogue names the others
//! - [`target`] what is attacked and must be unharmed afterwards; [`forger`] tokens that were never issued
//! - [`catalogue`] reads the catalogue and the tests that it names; this file checks that they agree

mod bodies;
mod catalogue;
mod cookies;
mod cross_site;
mod forger;
mod pages;
mod passwords;
mod races;
mod target;
mod tokens;
mod transport;

use std::collections::BTreeSet;

use self::catalogue::{Sources, complaints_about_test, rows, tests_in};

const ATTACKS: &str = include_str!("../../../ATTACKS.md");
const ASVS: &str = include_str!("../../../ASVS.md");

/// All ids, by chapter.
const IDS: [(&str, &str); 11] = [
    (
        "J",
        "01 02 03 04 06 07 08 09 10 11 12 13 14 15 16 17 18 20 21 23 24 25 26 27 28 29 31 32 33 34 35 36 37 38 39 40 42",
    ),
    ("K", "01 02 03 05 06 09 10 11 12 13 14 15 16 17 18 19"),
    (
        "C",
        "01 02 03 04 05 06 07 08 10 13 14 15 16 17 18 19 20 21 22 23 25 26 27 28 29 30",
    ),
    (
        "L",
        "01 02 03 04 05 06 08 09 10 11 12 13 14 15 17 18 19 20 21 23 24 25 26 27 28 30 31 32 33 34",
    ),
    ("N", "01 02 04 05 06 07 08 10 11 12 13 14"),
    ("H", "01 02 04 05 06 07 08 09 10 11 12 16 17 18 19 20 21 22"),
    ("R", "01 02 03 04 06 08 09 10 11 12 13 14 18 19 20 21 23 24"),
    ("D", "01 02 03 04 05 06 07 08 09 11 12 13 15 16 17 18"),
    ("T", "01 02 03 04 05 06 08 09 10"),
    ("X", "01 02 03 04 06 07 08 09 10 11 12 13"),
    ("M", "01 02 03 04 05 06 07 08 10 11 13 14 15 16 17 18"),
];

fn ids() -> BTreeSet<String> {
    let of_chapter = |(chapter, numbers): &(&str, &str)| {
        let numbers = numbers.split(' ').map(|number| format!("{chapter}-{number}"));
        numbers.collect::<Vec<_>>()
    };
    IDS.iter().flat_map(of_chapter).collect()
}

/// Every byte of a text as a URL may carry it (RFC 3986 §2.1).
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;

    text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}

/// What is wrong with a catalogue: ids without a row or with two, rows without tests and without a reason, and names that
/// no source has.
fn complaints(text: &str, sources: &Sources) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut missing = ids();
    for row in rows(text) {
        let [id, case, expected, tests] = row.as_slice() else {
            complaints.push(format!("a row has {} cells instead of 4: {row:?}", row.len()));
            continue;
        };
        if !missing.remove(id) {
            complaints.push(format!("{id} is in no chapter, or has two rows"));
        }
        if case.is_empty() || expected.is_empty() {
            complaints.push(format!("{id} does not say what the case is, or what is expected"));
        }
        let named = tests_in(tests);
        let reason = ["not applicable: ", "no test: "].iter().any(|begin| {
            tests
                .split_once(begin)
                .is_some_and(|(_, reason)| !reason.trim().is_empty())
        });
        if named.is_empty() && !reason {
            complaints.push(format!("{id} has neither a test nor a reason"));
        }
        complaints.extend(
            named
                .iter()
                .filter_map(|test| complaints_about_test(id, test, sources)),
        );
    }
    complaints.extend(missing.iter().map(|id| format!("{id} has no row")));
    complaints
}

#[test]
fn every_case_has_a_row_with_tests_that_exist_or_a_reason() {
    let complaints = complaints(ATTACKS, &Sources::read());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_requirement_names_tests_that_exist() {
    let sources = Sources::read();
    let mut named = 0;
    let mut complaints = Vec::new();
    for row in rows(ASVS).filter(|row| row.len() == 4) {
        for test in tests_in(&row[2]) {
            named += 1;
            complaints.extend(complaints_about_test(&row[0], &test, &sources));
        }
    }
    assert!(named > 100, "only {named} tests were found in server/ASVS.md");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A check that cannot fail proves nothing, so it has to find what is planted.
#[test]
fn planted_mistakes_are_found() {
    let sources = Sources::read();
    let good = "| J-01 | a case | an answer | `api/attacks/tokens.rs`: `j_13_a_key_id_that_is_no_name_opens_nothing`; \
                `e2e/auth/next.spec.ts`: “sign-in never leaves for …” |";
    assert_eq!(complaints_of("J-01", good, &sources), Vec::<String>::new());
    for (planted, complaint) in [
        (
            good.replace("opens_nothing", "opens_everything"),
            "J-01: no test j_13_a_key_id_that_is_no_name_opens_everything in",
        ),
        (
            good.replace("tokens.rs", "token.rs"),
            "J-01: there is no file server/tests/api/attacks/token.rs",
        ),
        // A function that is there, and is no test.
        (
            good.replace("j_13_a_key_id_that_is_no_name_opens_nothing", "public_forms"),
            "J-01: no test public_forms in",
        ),
        (
            good.replace("never leaves", "always leaves"),
            "J-01: no test “sign-in always leaves for …” in",
        ),
        (
            good.replace("next.spec", "last.spec"),
            "J-01: there is no file end2end/tests/auth/last.spec.ts",
        ),
        (good.replace("a case", ""), "J-01 does not say what the case is"),
        (good.replace(" | an answer", ""), "a row has 3 cells instead of 4"),
        (good.replace("J-01", "J-99"), "J-99 is in no chapter"),
        (
            format!("{good}\n{good}"),
            "J-01 is in no chapter, or has two rows",
        ),
        (
            "| J-01 | a case | an answer | covered elsewhere |".to_owned(),
            "J-01 has neither a test nor a reason",
        ),
        (
            "| J-01 | a case | an answer | no test: |".to_owned(),
            "J-01 has neither a test nor a reason",
        ),
        (String::new(), "J-01 has no row"),
    ] {
        let found = complaints_of("J-01", &planted, &sources);
        assert!(
            found.iter().any(|found| found.contains(complaint)),
            "{complaint} was not found: {found:?}"
        );
    }
}

/// The complaints about a catalogue of these rows that are not about the other ids.
fn complaints_of(id: &str, text: &str, sources: &Sources) -> Vec<String> {
    let others = |complaint: &String| {
        complaint
            .strip_suffix(" has no row")
            .is_some_and(|missing| missing != id)
    };
    let mut complaints = complaints(text, sources);
    complaints.retain(|complaint| !others(complaint));
    complaints
}
