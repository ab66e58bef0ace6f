//! The rules, and the estimator's findings in our words. This file and everything it uses is the part that is fetched
//! separately.

use password_policy::{Rules, check};
use zxcvbn::{
    feedback::{Suggestion, Warning},
    matching::patterns::MatchPattern,
    zxcvbn,
};

use super::{Advice, MAX_ASSESSED_CHARS, PasswordContext, PasswordVerdict, Score};

/// Judges a password: first by the server's rules, then by how hard it is to guess.
pub fn judge(password: &str, context: &PasswordContext, min_length: usize) -> PasswordVerdict {
    let rules = Rules {
        min_length,
        email: &context.email,
        current: context.current_password.as_deref(),
    };
    match check(password, &rules) {
        Err(refusal) => PasswordVerdict::Refused(refusal),
        Ok(()) => PasswordVerdict::Accepted(estimate(password, &context.words)),
    }
}

/// How hard a password is to guess, given what is known about the person who chose it.
fn estimate(password: &str, personal: &[String]) -> Advice {
    let personal: Vec<_> = personal.iter().map(String::as_str).collect();
    let found = zxcvbn(capped(password), &personal);
    let score = match found.score() {
        zxcvbn::Score::Zero => Score::VeryEasy,
        zxcvbn::Score::One => Score::Easy,
        zxcvbn::Score::Two => Score::Fair,
        zxcvbn::Score::Three => Score::Hard,
        _ => Score::VeryHard,
    };
    let Some(feedback) = found.feedback() else {
        return Advice {
            score,
            warning: None,
            suggestion: None,
        };
    };
    let is_personal = found.sequence().iter().any(|part| match &part.pattern {
        MatchPattern::Dictionary(word) => personal.contains(&word.matched_word.as_str()),
        _ => false,
    });
    Advice {
        score,
        warning: is_personal
            .then_some("Your name, your address or the name of this site is in it.")
            .or(feedback.warning().map(warning)),
        // The estimator always suggests “add a word”. Its finding in this password is more useful.
        suggestion: feedback
            .suggestions()
            .iter()
            .find_map(|found| suggestion(*found))
            .or(Some("Add a word or two that have nothing to do with the rest.")),
    }
}

/// The characters that are judged.
fn capped(password: &str) -> &str {
    match password.char_indices().nth(MAX_ASSESSED_CHARS) {
        Some((end, _)) => &password[..end],
        None => password,
    }
}

fn warning(found: Warning) -> &'static str {
    match found {
        Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
            "It follows neighbouring keys, and programs that guess do so too."
        }
        Warning::RepeatsLikeAaaAreEasyToGuess => "The same character many times adds length and little else.",
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            "The same piece again is hardly harder to guess than once."
        }
        Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => {
            "Many people use this password."
        }
        Warning::ThisIsSimilarToACommonlyUsedPassword => "It is close to a password that many people use.",
        Warning::SequencesLikeAbcAreEasyToGuess => {
            "Letters or digits in their usual order are easy to guess."
        }
        Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => {
            "Dates and years are easy to guess: there are not many of them."
        }
        Warning::AWordByItselfIsEasyToGuess => "A word alone is easy to guess.",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => "Names are easy to guess.",
    }
}

/// The suggestion for a finding; nothing if the warning says it all.
fn suggestion(found: Suggestion) -> Option<&'static str> {
    match found {
        Suggestion::CapitalizationDoesntHelpVeryMuch
        | Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            Some("Add a word instead of capital letters: those help little.")
        }
        Suggestion::ReversedWordsArentMuchHarderToGuess => {
            Some("Add a word instead of writing one backwards.")
        }
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => {
            Some("Add a word instead of writing 3 for e or @ for a.")
        }
        Suggestion::AvoidRecentYears
        | Suggestion::AvoidYearsThatAreAssociatedWithYou
        | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => {
            Some("Replace the date by a word, most of all if it means something to you.")
        }
        Suggestion::UseAFewWordsAvoidCommonPhrases
        | Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters
        | Suggestion::AddAnotherWordOrTwo
        | Suggestion::UseALongerKeyboardPatternWithMoreTurns
        | Suggestion::AvoidRepeatedWordsAndCharacters
        | Suggestion::AvoidSequences => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(password: &str) -> Advice {
        estimate(password, &[])
    }

    #[test]
    fn only_a_hundred_whole_characters_are_judged() {
        assert_eq!(capped("short"), "short");
        let longest = "ä".repeat(MAX_ASSESSED_CHARS);
        assert_eq!(capped(&longest), longest);
        assert_eq!(capped(&format!("{longest}🗝")), longest);
        // More characters make no difference, so a very long text costs no more than this.
        let long = "a".repeat(MAX_ASSESSED_CHARS);
        assert_eq!(
            alone(&format!("{long}{}", "zebra lantern ".repeat(1_000))),
            alone(&long)
        );
    }

    #[test]
    fn common_passwords_score_lower() {
        let common = alone("passwordpassword");
        assert!(common.score <= Score::Easy, "{common:?}");
        assert!(common.warning.is_some() && common.suggestion.is_some());
        let good = alone("opal lantern under fresh snow");
        assert_eq!(good.score, Score::VeryHard);
        assert_eq!((good.warning, good.suggestion), (None, None));
    }

    #[test]
    fn personal_words_lower_the_score() {
        let personal = super::super::personal_words("quillfeather@example.com", "");
        let password = "quillfeather2026";
        let known = estimate(password, &personal);
        assert!(known.score < alone(password).score, "{known:?}");
        assert_eq!(
            known.warning,
            Some("Your name, your address or the name of this site is in it.")
        );
    }

    #[test]
    fn the_suggestion_fits_what_was_found() {
        for (password, word) in [
            ("p4ssw0rd", "3 for e"),
            ("Password", "capital"),
            ("drowssap", "backwards"),
            ("21.11.1996", "date"),
        ] {
            let verdict = alone(password);
            assert!(
                verdict.suggestion.is_some_and(|text| text.contains(word)),
                "{password}: {verdict:?}"
            );
        }
    }

    #[test]
    fn no_password_panics() {
        let odd = [
            String::new(),
            " ".into(),
            "\u{0}\u{fffd}\u{200d}".into(),
            "👩‍👩‍👧‍👦".repeat(30),
            "İıſẞ".repeat(40),
            // Characters that replace letters: the more kinds there are, the more the estimator tries.
            "4@8({[<369&#!1/|".repeat(5),
            "9999999999".repeat(10),
            "1".repeat(100),
            "2026-11-21".repeat(10),
            "qwertyuiopasdfghjklzxcvbnm".repeat(4),
        ];
        for password in &odd {
            alone(password);
            judge(password, &PasswordContext::new("ada@example.com", ""), 15);
        }
    }

    /// The page shows the server's sentence, for every rule.
    #[test]
    fn the_page_and_the_server_agree() {
        let min_length = 15;
        for password in [
            "short",
            "fourteen chars",
            "passwordpassword",
            "P@ssw0rd1234567",
            "correct horse battery staple",
            "iloveyoujessica",
            "1qazxsw23edcvfr4",
            "my ada.lovelace 1843",
            "kettle moss orbit",
            "opal lantern under fresh snow",
            "quillfeather2026",
            "baseballbaseba1",
            "\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}\u{200d}",
            &"long ".repeat(60),
        ] {
            for email in ["ada.lovelace@example.com", ""] {
                for current in [None, Some("kettle moss orbit".to_owned())] {
                    let context = PasswordContext {
                        current_password: current.clone(),
                        ..PasswordContext::new(email, "Ada")
                    };
                    let rules = Rules {
                        min_length,
                        email,
                        current: current.as_deref(),
                    };
                    let refusal = match judge(password, &context, min_length) {
                        PasswordVerdict::Refused(refusal) => Err(refusal),
                        PasswordVerdict::Accepted(_) => Ok(()),
                    };
                    assert_eq!(refusal, check(password, &rules), "{password}");
                }
            }
        }
    }
}
