//! E-mail addresses.

use api_types::problem::FieldError;
use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

use super::refused;

/// The longest address that SMTP can carry (RFC 5321 §4.5.3.1.3, less the brackets).
const MAX_BYTES: usize = 254;

/// An address that can be an account's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    shown: String,
    normalised: String,
}

impl Email {
    /// Normalises first and validates after, so that nothing becomes an address by being normalised.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        // An upper bound before any work. Composing makes a text shorter, by far less than this.
        if typed.len() > 4 * MAX_BYTES {
            return Err(too_long());
        }
        let shown: String = typed.trim().nfc().collect();
        if shown.is_empty() {
            return Err(refused("email", "required", "Enter your email address."));
        }
        if shown.len() > MAX_BYTES {
            return Err(too_long());
        }
        let options = Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        let valid = EmailAddress::parse_with_options(&shown, options).is_ok();
        // Letters of any script are welcome; invisible and direction-changing characters are not.
        let visible = shown
            .chars()
            .all(|c| c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()));
        if !valid || !visible {
            return Err(refused(
                "email",
                "invalid",
                "This is not an email address. It looks like name@example.com.",
            ));
        }
        let normalised = shown.to_lowercase().nfc().collect();
        Ok(Self { shown, normalised })
    }

    /// As typed, for display.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The form that must be unique.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// The part before the `@`, normalised.
    pub fn name(&self) -> &str {
        self.normalised
            .rsplit_once('@')
            .map_or(&self.normalised, |(name, _)| name)
    }
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

    #[test]
    fn what_looks_the_same_is_the_same() {
        let ada = Email::parse("ada@example.com").expect("an address");
        for typed in ["ADA@Example.COM", "  ada@example.com ", "Ada@example.com\n"] {
            assert_eq!(Email::parse(typed).expect(typed).normalised(), ada.normalised());
        }
        let composed = Email::parse("andr\u{e9}@example.com").expect("an address");
        let decomposed = Email::parse("andre\u{301}@example.com").expect("an address");
        assert_eq!(composed.normalised(), decomposed.normalised());
    }

    #[test]
    fn the_address_is_shown_as_typed() {
        let email = Email::parse(" Ada.Lovelace@Example.com ").expect("an address");
        assert_eq!(email.shown(), "Ada.Lovelace@Example.com");
        assert_eq!(email.name(), "ada.lovelace");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_code() {
        for (typed, code) in [
            ("", "required"),
            ("   ", "required"),
            ("ada", "invalid"),
            ("ada@", "invalid"),
            ("@example.com", "invalid"),
            ("ada@example", "invalid"),
            ("ada@@example.com", "invalid"),
            ("ada lovelace@example.com", "invalid"),
            ("ada\u{ff20}example.com", "invalid"),
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
