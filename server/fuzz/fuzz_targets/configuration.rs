//! Origins and database URLs: what is accepted stays the same when it is read again, and a driver understands it.

#![no_main]

use keyturn_fuzz::config::{Origin, database_url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(origin) = Origin::parse(text) {
        assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin));
        assert!(origin.is_named_by(origin.authority()));
        assert!(!origin.as_str().contains(['*', '@', ' ']));
        let is_loopback = ["localhost", "127.", "[::1]"]
            .iter()
            .any(|host| origin.authority().contains(host));
        assert!(origin.is_https() || is_loopback, "{origin}");
        assert_eq!(origin.is_https(), origin.as_str().starts_with("https://"));
    }
    if let Some(url) = database_url(text) {
        assert!(url::Url::parse(&url).is_ok(), "{url}");
        assert_eq!(database_url(&url).as_deref(), Some(&*url));
    }
});
