//! The texts above the interactive parts of the lab.

use super::html::{
    OWASP_SESSIONS, RFC_6750_LIFETIME, RFC_9700_REUSE, Source, escaped, paragraphs, source, sources,
};

/// A design, its response to a used token, and the source.
const DESIGNS: [(&str, &str, Source); 6] = [
    (
        "Keyturn",
        "Gives the same successor again within 10 seconds, and for as long as that successor has not been used, which the RFC \
         does not provide for. Anything else ends the session.",
        RFC_9700_REUSE,
    ),
    (
        "Strict",
        "The same without any forgiveness: whatever comes twice ends the session.",
        RFC_9700_REUSE,
    ),
    (
        "SimpleJWT",
        "With rotation and blacklisting switched on: refuses a spent token, and that is all. There are no families that could \
         be ended.",
        source(
            "djangorestframework-simplejwt",
            "https://github.com/jazzband/djangorestframework-simplejwt",
        ),
    ),
    (
        "Supabase",
        "Returns the current token to anyone presenting its parent, with no time limit.",
        source("supabase/auth", "https://github.com/supabase/auth"),
    ),
    (
        "SuperTokens",
        "Gives a new token in place of the current one, within 30 seconds; the current one dies. Anything else ends the \
         session.",
        source(
            "supertokens-core",
            "https://github.com/supertokens/supertokens-core",
        ),
    ),
    (
        "Auth0",
        "Gives another token beside the first, within a leeway that is configured, here 10 seconds. Anything else ends the \
         session.",
        source(
            "Auth0: Refresh Token Rotation",
            "https://auth0.com/docs/secure/tokens/refresh-tokens/refresh-token-rotation",
        ),
    ),
];

pub(super) fn theatre() -> String {
    with_sources(
        &[
            "An owner with three tabs, a thief, and one refresh token that is replaced each time it is used. You say who does \
             what. The answers come from the same machines in which our model checker looks for flaws, and Keyturn’s is the \
             one that the server runs.",
            "What happens without the clock moving happens at once: each tab sends what it had before anybody was answered. When \
             the clock moves, the tabs have what is in their cookie jar, and everybody uses what they were given.",
            "Three things can go wrong. An orphan: nothing was stolen, and the owner is signed out. A parasite: a spent token \
             comes back long after its time, and the thief keeps a good one. A fork: one login has several live tokens.",
        ],
        &[RFC_9700_REUSE],
    )
}

pub(super) fn designs() -> String {
    let entries: Vec<String> = DESIGNS
        .iter()
        .map(|(name, does, origin)| {
            format!(
                "<div><dt>{name}</dt><dd>{} <small>{}</small></dd></div>",
                escaped(does),
                sources(std::slice::from_ref(origin))
            )
        })
        .collect();
    format!("<dl>{}</dl>", entries.concat())
}

pub(super) fn lifetimes() -> String {
    with_sources(
        &[
            "If sessions can’t be revoked before the access token expires, its lifetime is how long a thief can use it; a \
             shorter one costs more refreshes. Keyturn checks revocation on each request; every node learns of it within a \
             second.",
            "A refresh token lives longer, and is good for one use. If its owner comes back with it after a thief has used it, \
             both are signed out. If the owner never comes back, only the absolute lifetime ends the session; here it is 30 \
             days, or as long as the idle one if that is longer.",
            "The numbers come from the code that the server and this page run: the policy that is checked at the server’s start, \
             and the schedule of the open tab, which renews a minute or a tenth of the lifetime before the end. They \
             are for a thief who does not happen upon the 10 seconds after each refresh in which its parent is forgiven.",
        ],
        &[RFC_6750_LIFETIME, RFC_9700_REUSE, OWASP_SESSIONS],
    )
}

fn with_sources(texts: &[&str], origins: &[Source]) -> String {
    format!("{}<p><small>{}</small></p>", paragraphs(texts), sources(origins))
}

#[cfg(test)]
mod tests {
    use rotation::designs::Design;

    use super::*;

    #[test]
    fn every_design_is_described() {
        let all = Design::ALL.map(Design::name);
        assert_eq!(DESIGNS.map(|(name, ..)| name), all);
    }

    #[test]
    fn it_is_calm_and_names_its_sources() {
        let text = lifetimes() + &theatre() + &designs();
        assert!(!text.contains('!'));
        for name in ["RFC 6750 §5.3", "RFC 9700 §4.14.2", "OWASP"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
