//! What stands above the parts of the lab that are played with.

use super::html::{OWASP_SESSIONS, RFC_6750_LIFETIME, RFC_9700_REUSE, Source, paragraphs, sources};

pub(super) fn lifetimes() -> String {
    with_sources(
        &[
            "Where nobody can end a session before its access token ends, that token’s lifetime is the damage: so it is kept \
             short, and paid for in refreshes. Keyturn asks whether the session still lives, and every node knows of an end \
             within a second.",
            "A refresh token lives longer, and is good for one use. If its owner comes back with it after a thief has used it, \
             both are signed out. If nobody comes back, only the absolute lifetime ends the session; here it is 30 days, or \
             as long as the idle one if that is longer.",
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
    use super::*;

    #[test]
    fn it_is_calm_and_names_its_sources() {
        let text = lifetimes();
        assert!(!text.contains('!'));
        for name in ["RFC 6750 §5.3", "RFC 9700 §4.14.2", "OWASP"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
