//! Email addresses.
//!
//! One mailbox is one account, however its address is typed. An address has three forms:
//! - *shown*: as typed, for display
//! - *normalised*: composed and in lower case. This was the only key in earlier versions, so accounts are still found
//!   by it
//! - *mailbox*: the unique key. Full-width letters, ligatures and other compatibility characters become plain
//!   characters (Unicode NFKC), and a domain takes its ASCII form (UTS 46, the A-labels of RFC 5890)

use api_types::problem::FieldError;
use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

use super::refused;

/// The longest address that SMTP can carry (RFC 5321 §4.5.3.1.3, without the brackets).
const MAX_BYTES: usize = 254;

/// An address that can identify an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    shown: String,
    normalised: String,
    mailbox: String,
}

impl Email {
    /// Normalises first and validates after, so that normalisation cannot turn an invalid text into an address.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        // An upper bound before any work. Composition shortens a text by far less than this.
        if typed.len() > 4 * MAX_BYTES {
            return Err(too_long());
        }
        let shown: String = typed.trim().nfc().collect();
        if shown.is_empty() {
            return Err(refused("email", "required", "Enter your email address."));
        }
        // The root of the domain name system, which may be written or omitted (RFC 1034 §3.1).
        let address = shown.strip_suffix('.').unwrap_or(&shown);
        if address.len() > MAX_BYTES {
            return Err(too_long());
        }
        if !is_valid(address) {
            return Err(refused(
                "email",
                "invalid",
                "This is not an email address. It looks like name@example.com.",
            ));
        }
        let normalised: String = address.to_lowercase().nfc().collect();
        let mailbox = mailbox_of(&normalised);
        Ok(Self {
            shown,
            normalised,
            mailbox,
        })
    }

    /// As typed, for display.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Composed and in lower case. This is the key of accounts that are older than [`Self::mailbox`].
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// The form that must be unique.
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }
}

fn is_valid(address: &str) -> bool {
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    // Letters of any script are allowed; invisible and direction-changing characters are not.
    let is_visible = |c: char| c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric());
    EmailAddress::parse_with_options(address, options).is_ok() && address.chars().all(is_visible)
}

/// The unique key of a normalised address. If no better form exists (a domain that UTS 46 refuses, a name that would
/// become empty), the address stays as it is: a new rule must not make an account unreachable.
fn mailbox_of(normalised: &str) -> String {
    let Some((name, domain)) = normalised.rsplit_once('@') else {
        return normalised.to_owned();
    };
    let folded = fold(name);
    let name = if is_valid(&format!("{folded}@example.com")) {
        &folded
    } else {
        name
    };
    let ascii = idna::domain_to_ascii(domain)
        .ok()
        .filter(|ascii| !ascii.is_empty());
    format!("{name}@{}", ascii.as_deref().unwrap_or(domain))
}

/// Plain characters in lower case. Applied twice, because lower case can contain characters that compose. A final sigma
/// is treated as a sigma.
fn fold(name: &str) -> String {
    let folded = name.nfkc().collect::<String>().to_lowercase();
    folded.replace('ς', "σ").nfkc().collect()
}

fn too_long() -> FieldError {
    refused(
        "email",
        "too_long",
        "This address is longer than email allows (254 bytes).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(typed: &str) -> String {
        Email::parse(typed)
            .unwrap_or_else(|error| panic!("{typed}: {error:?}"))
            .mailbox
    }

    #[test]
    fn case_space_and_composition_do_not_matter() {
        let ada = Email::parse("ada@example.com").expect("an address");
        for typed in ["ADA@Example.COM", "  ada@example.com ", "Ada@example.com\n"] {
            assert_eq!(Email::parse(typed).expect(typed).normalised(), ada.normalised());
        }
        let composed = Email::parse("andr\u{e9}@example.com").expect("an address");
        let decomposed = Email::parse("andre\u{301}@example.com").expect("an address");
        assert_eq!(composed.normalised(), decomposed.normalised());
    }

    #[test]
    fn all_spellings_of_a_mailbox_are_equal() {
        for spellings in [
            &[
                "ada@example.com",
                "Ada@Example.com.",
                "ａｄａ@example.com",
                "ＡＤＡ@ｅｘａｍｐｌｅ.com",
                "ada@example.com.",
            ][..],
            &["fiona@example.com", "ﬁona@example.com", "ﬁona@EXAMPLE.COM"],
            &["strasse@example.com", "ﬆrasse@example.com"],
            &[
                "user2@example.com",
                "user²@example.com",
                "user②@example.com",
                "user２@example.com",
                "𝐮𝐬𝐞𝐫𝟐@example.com",
            ],
            &[
                "info@müller.de",
                "info@MÜLLER.de",
                "info@mu\u{308}ller.de",
                "info@xn--mller-kva.de",
                "INFO@XN--MLLER-KVA.DE.",
            ],
            &["info@straße.de", "info@xn--strae-oqa.de"],
            &["οδος@example.com", "ΟΔΟΣ@example.com", "οδοσ@example.com"],
            &["가@example.com", "\u{1100}\u{1161}@example.com"],
            &["ｱﾀﾞ@example.com", "アダ@example.com"],
        ] {
            for typed in spellings {
                assert_eq!(mailbox(typed), mailbox(spellings[0]), "{typed}");
            }
        }
        assert_eq!(mailbox("info@müller.de"), "info@xn--mller-kva.de");
    }

    #[test]
    fn different_mailboxes_stay_different() {
        let all = [
            "ada@example.com",
            "ada@example.org",
            "adá@example.com",
            "a.da@example.com",
            "ada+news@example.com",
            // Cyrillic.
            "\u{430}da@example.com",
            "strasse@example.com",
            "straße@example.com",
            "info@muller.de",
            "info@müller.de",
            "info@strasse.de",
            "info@straße.de",
        ];
        let distinct: std::collections::BTreeSet<String> = all.iter().map(|typed| mailbox(typed)).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn mailbox_normalisation_is_idempotent() {
        for typed in [
            "ＡＤＡ@ｅｘａｍｐｌｅ.com",
            "ﬁona@müller.de",
            "ΟΔΟΣ@example.com",
            "ẞ@example.com",
        ] {
            let once = mailbox(typed);
            assert_eq!(mailbox(&once), once, "{typed}");
        }
    }

    #[test]
    fn addresses_without_a_better_form_stay_valid() {
        // No better form: half is `1⁄2`, and the A-label encodes nothing.
        for typed in [
            "½@example.com",
            "⑴@example.com",
            "ada@xn--a.example",
            "ada@xn--zzzzzzz.example",
        ] {
            let email = Email::parse(typed).expect("an address");
            assert_eq!(email.mailbox(), email.normalised(), "{typed}");
        }
    }

    #[test]
    fn plain_addresses_have_one_form() {
        for typed in [
            "ada@example.com",
            "ada.lovelace+x@mail.example.com",
            "o'brien@example.co.uk",
        ] {
            let email = Email::parse(typed).expect("an address");
            assert_eq!((email.normalised(), email.mailbox()), (typed, typed));
        }
    }

    #[test]
    fn the_address_is_shown_as_typed() {
        for typed in ["Ada.Lovelace@Example.com", "ＡＤＡ@müller.de", "ada@example.com."] {
            let email = Email::parse(&format!(" {typed} ")).expect("an address");
            assert_eq!(email.shown(), typed);
        }
    }

    #[test]
    fn invalid_addresses_are_refused_with_a_code() {
        for (typed, code) in [
            ("", "required"),
            ("   ", "required"),
            (".", "invalid"),
            ("ada", "invalid"),
            ("ada@", "invalid"),
            ("ada@.", "invalid"),
            ("@example.com", "invalid"),
            ("ada@example", "invalid"),
            ("ada@example.", "invalid"),
            ("ada@example.com..", "invalid"),
            ("ada@@example.com", "invalid"),
            ("ada lovelace@example.com", "invalid"),
            ("ada\u{ff20}example.com", "invalid"),
            ("ada@example\u{3002}com", "invalid"),
            ("ada\u{200b}@example.com", "invalid"),
            ("\u{202e}ada@example.com", "invalid"),
            ("ada\u{0}@example.com", "invalid"),
            ("Ada <ada@example.com>", "invalid"),
            ("ada@[127.0.0.1]", "invalid"),
        ] {
            assert_eq!(Email::parse(typed).expect_err(typed).code, code, "{typed:?}");
        }
        let long = format!("{}@example.com", "a".repeat(300));
        assert_eq!(Email::parse(&long).expect_err("long").code, "too_long");
        assert_eq!(
            Email::parse(&"a".repeat(1_000_000)).expect_err("huge").code,
            "too_long"
        );
    }
}
