//! Known browsers: a cookie that proves that this browser signed in to an account before.
//!
//! It cannot be used to sign in. It exempts a browser from the account's counter of wrong passwords, so that a stranger
//! who guesses cannot lock the owner out (OWASP, “Slow down online guessing attacks with device cookies”). It holds a
//! random number and, for each of a few accounts, a keyed hash of that number and the account. It contains no personal
//! data, and is useless for another account or another browser's number. It survives signing out.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rotation::{Timestamp, UserId};

use crate::{
    cookies::{self, CookieLookup},
    random::Random,
    secrets::MasterSecret,
};

/// The suffix of the cookie's name. The prefix is the refresh cookie's name, so two instances on one host do not
/// collide.
const SUFFIX: &str = "-known";
/// The maximum number of accounts per browser. Beyond it, the account with the oldest sign-in is dropped.
const MAX_ACCOUNTS: usize = 4;
/// The maximum lifetime of a cookie in browsers (RFC 6265bis §5.5), restarted by each sign-in.
const LIFETIME_DAYS: u32 = 400;
const NUMBER_LEN: usize = 16;
const TAG_LEN: usize = 16;
const DAY_LEN: usize = 4;
const SECONDS_OF_DAY: i64 = 86_400;

/// The number that identifies a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BrowserNumber([u8; NUMBER_LEN]);

/// The cookie's name and its signing keys.
pub struct KnownBrowserCookie {
    name: String,
    /// Newest first.
    keys: Vec<hmac::Key>,
}

/// A well-formed cookie that is not verified yet.
struct CookieContent {
    number: BrowserNumber,
    entries: Vec<KnownAccount>,
}

/// The entry of one account, without naming the account.
#[derive(Clone, Copy, PartialEq, Eq)]
struct KnownAccount {
    /// Days since the Unix epoch.
    signed_in_on: u32,
    tag: [u8; TAG_LEN],
}

impl KnownBrowserCookie {
    pub fn new(refresh_cookie: &str, master: &MasterSecret) -> Self {
        Self {
            name: format!("{refresh_cookie}{SUFFIX}"),
            keys: master
                .known_browser_keys()
                .map(|key| hmac::Key::new(hmac::HMAC_SHA256, key))
                .collect(),
        }
    }

    /// The browser's number, if it signed in to this account before.
    pub fn number_for(&self, headers: &HeaderMap, user: UserId, now: Timestamp) -> Option<BrowserNumber> {
        let content = self.read(headers)?;
        let entry = content
            .entries
            .iter()
            .find(|entry| self.is_valid_for(entry, content.number, user))?;
        let age = day_of(now).saturating_sub(entry.signed_in_on);
        (age <= LIFETIME_DAYS).then_some(content.number)
    }

    /// The `Set-Cookie` value that adds an account to the browser's known accounts.
    pub fn remember(
        &self,
        headers: &HeaderMap,
        user: UserId,
        now: Timestamp,
        random: &dyn Random,
    ) -> HeaderValue {
        let CookieContent { number, entries } = self.read(headers).unwrap_or_else(|| CookieContent {
            number: BrowserNumber(random.bytes()),
            entries: Vec::new(),
        });
        let signed_in_on = day_of(now);
        let newest = self.keys.first().map(|key| KnownAccount {
            signed_in_on,
            tag: tag(key, number, user, signed_in_on),
        });
        // Entries of other accounts cannot be verified without knowing those accounts, so they are copied unchanged.
        let others = entries
            .into_iter()
            .filter(|entry| !self.is_valid_for(entry, number, user));
        let entries = newest.into_iter().chain(others).take(MAX_ACCOUNTS);
        cookies::build(
            &self.name,
            &CookieContent {
                number,
                entries: entries.collect(),
            }
            .write(),
            Some(Duration::from_hours(24 * u64::from(LIFETIME_DAYS)).as_secs()),
        )
    }

    fn read(&self, headers: &HeaderMap) -> Option<CookieContent> {
        match cookies::read(headers, &self.name) {
            CookieLookup::Token(value) => CookieContent::parse(value.expose()),
            CookieLookup::Missing | CookieLookup::Ambiguous => None,
        }
    }

    fn is_valid_for(&self, entry: &KnownAccount, number: BrowserNumber, user: UserId) -> bool {
        self.keys.iter().any(|key| {
            let expected = tag(key, number, user, entry.signed_in_on);
            aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &entry.tag).is_ok()
        })
    }
}

/// Omits the number, which is half of what exempts a browser.
impl std::fmt::Debug for BrowserNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserNumber(…)")
    }
}

impl BrowserNumber {
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl CookieContent {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let number = BrowserNumber(decode(parts.next()?)?);
        let entries: Option<Vec<_>> = parts.map(KnownAccount::parse).collect();
        let entries = entries.filter(|entries| entries.len() <= MAX_ACCOUNTS)?;
        Some(Self { number, entries })
    }

    fn write(&self) -> String {
        let entries = self.entries.iter().map(|entry| {
            BASE64_URL_SAFE_NO_PAD.encode([&entry.signed_in_on.to_be_bytes()[..], &entry.tag].concat())
        });
        let number = BASE64_URL_SAFE_NO_PAD.encode(self.number.0);
        std::iter::once(number)
            .chain(entries)
            .collect::<Vec<_>>()
            .join(".")
    }
}

impl KnownAccount {
    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; DAY_LEN + TAG_LEN] = decode(text)?;
        let (day, tag) = bytes.split_first_chunk::<DAY_LEN>()?;
        Some(Self {
            signed_in_on: u32::from_be_bytes(*day),
            tag: tag.try_into().ok()?,
        })
    }
}

fn tag(key: &hmac::Key, number: BrowserNumber, user: UserId, day: u32) -> [u8; TAG_LEN] {
    let message = [&number.0[..], user.uuid().as_bytes(), &day.to_be_bytes()].concat();
    let mut tag = [0; TAG_LEN];
    tag.copy_from_slice(&hmac::sign(key, &message).as_ref()[..TAG_LEN]);
    tag
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn day_of(now: Timestamp) -> u32 {
    u32::try_from(now.secs() / SECONDS_OF_DAY).unwrap_or(0)
}

impl std::fmt::Debug for KnownBrowserCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownBrowserCookie")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;
    use secrecy::SecretString;

    use super::*;
    use crate::random::SystemRandom;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_250);

    fn cookie(secrets: &[&str]) -> KnownBrowserCookie {
        let secrets: Vec<_> = secrets
            .iter()
            .map(|text| SecretString::from((*text).to_owned()))
            .collect();
        KnownBrowserCookie::new("__Host-refresh", &MasterSecret::new(&secrets))
    }

    fn user(number: u8) -> UserId {
        UserId::new(NOW, [number; 10])
    }

    fn carrying(set: &HeaderValue) -> HeaderMap {
        let pair = set
            .to_str()
            .expect("ASCII")
            .split(';')
            .next()
            .expect("a pair")
            .to_owned();
        HeaderMap::from_iter([(COOKIE, pair.parse().expect("a value"))])
    }

    #[test]
    fn a_browser_is_known_to_the_accounts_that_signed_in_with_it() {
        let (cookie, random) = (cookie(&["a master secret"]), SystemRandom::default());
        let nothing = HeaderMap::new();
        assert!(cookie.number_for(&nothing, user(1), NOW).is_none());
        let first = carrying(&cookie.remember(&nothing, user(1), NOW, &random));
        let number = cookie.number_for(&first, user(1), NOW);
        assert!(number.is_some() && cookie.number_for(&first, user(2), NOW).is_none());

        // A second account, and the first again: one number, one entry each.
        let both = carrying(&cookie.remember(&first, user(2), NOW, &random));
        let both = carrying(&cookie.remember(&both, user(1), NOW, &random));
        assert!(cookie.number_for(&both, user(1), NOW) == number);
        assert!(cookie.number_for(&both, user(2), NOW) == number);
        assert_eq!(both[COOKIE].to_str().expect("ASCII").matches('.').count(), 2);

        // The fifth account replaces the one with the oldest sign-in.
        let mut many = first;
        for next in 2..=5 {
            many = carrying(&cookie.remember(&many, user(next), NOW, &random));
        }
        assert!(cookie.number_for(&many, user(1), NOW).is_none());
        assert!((2..=5).all(|next| cookie.number_for(&many, user(next), NOW) == number));
    }

    #[test]
    fn the_known_browser_cookie_has_strict_attributes() {
        let (cookie, random) = (cookie(&["a master secret"]), SystemRandom::default());
        let set = cookie.remember(&HeaderMap::new(), user(1), NOW, &random);
        let text = set.to_str().expect("ASCII");
        assert!(text.starts_with("__Host-refresh-known="), "{text}");
        assert!(
            text.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000"),
            "{text}"
        );
        assert!(set.is_sensitive());
        let another = cookie.remember(&HeaderMap::new(), user(1), NOW, &random);
        assert_ne!(set, another, "two browsers have two numbers");
    }

    #[test]
    fn the_cookie_expires_and_survives_secret_rotation() {
        let random = SystemRandom::default();
        let old = cookie(&["the first secret"]);
        let set = carrying(&old.remember(&HeaderMap::new(), user(1), NOW, &random));
        let day = Duration::from_hours(24);
        assert!(
            old.number_for(&set, user(1), NOW.saturating_add(400 * day))
                .is_some()
        );
        assert!(
            old.number_for(&set, user(1), NOW.saturating_add(402 * day))
                .is_none()
        );
        assert!(
            old.number_for(&set, user(1), NOW.saturating_sub(2 * day))
                .is_some(),
            "a clock was set back"
        );
        let rotated = cookie(&["a second secret", "the first secret"]);
        assert!(rotated.number_for(&set, user(1), NOW).is_some());
        assert!(
            cookie(&["a second secret"])
                .number_for(&set, user(1), NOW)
                .is_none()
        );
    }

    #[test]
    fn every_changed_byte_invalidates_the_cookie() {
        let (cookie, random) = (cookie(&["a master secret"]), SystemRandom::default());
        let set = carrying(&cookie.remember(&HeaderMap::new(), user(1), NOW, &random));
        let text = set[COOKIE].to_str().expect("ASCII");
        let start = text.find('=').expect("a pair") + 1;
        for at in start..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let headers =
                HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(&changed).expect("a value"))]);
            assert!(cookie.number_for(&headers, user(1), NOW).is_none(), "byte {at}");
        }
        for junk in [
            "",
            ".",
            "a.b",
            "x".repeat(3000).as_str(),
            &format!("{}.", &text[start..]),
        ] {
            let pair = format!("__Host-refresh-known={junk}");
            let headers = HeaderMap::from_iter([(COOKIE, pair.parse().expect("a value"))]);
            assert!(cookie.number_for(&headers, user(1), NOW).is_none(), "{junk}");
            assert!(!cookie.remember(&headers, user(1), NOW, &random).is_empty());
        }
    }
}
