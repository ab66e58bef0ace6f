//! The text above the live session.

use super::html::{RFC_9700_REUSE, paragraphs, sources};

/// A state of a token, and its meaning.
const STATES: [(&str, &str); 8] = [
    ("issued", "The session’s live token, not used yet."),
    (
        "active",
        "The session’s live token, and the access token that came with it was accepted.",
    ),
    (
        "rotated",
        "It was exchanged, and what it was exchanged for was not. With Keyturn it gets that one again within the grace, or \
         while that one is only issued.",
    ),
    (
        "superseded",
        "It was exchanged, and so was what it was exchanged for. Keyturn never gives it a token again.",
    ),
    (
        "displaced",
        "It was live and never exchanged, and another one was given out in its place. Keyturn never does that.",
    ),
    (
        "replayed",
        "It was presented when it was not live any more, while the session lasted. What came of it stands in the list of what was done.",
    ),
    (
        "blacklisted",
        "It was the live token when the session ended. Its id is on the blacklist, with the reason. With SimpleJWT: it was used \
         or signed out with.",
    ),
    (
        "ended",
        "Its session is over. It had been exchanged before that and was on the blacklist already; or its design has none.",
    ),
];

pub(super) fn live() -> String {
    let text = paragraphs(&[
        "The theatre above only models. This one is real: a throw-away account, one session, and real requests to the lab’s \
         copy of the server. You play both the owner and the thief.",
        "After each step the tables are read, and every refresh token is shown as its rows say. The tree is streamed to this \
         page while it happens. No clock is moved: Keyturn forgives a used token for 2 seconds here, and to see what comes \
         after them you wait.",
        "The other designs can be played too, to compare. These are the theatre’s models, run by this server: they have no \
         tables, every refusal is a plain 401, and where they forgive for a while it is 2 seconds instead of their 10 or 30. \
         With them, an API believes an access token until it expires, after 15 minutes; only the strict one ends it with its \
         session, as Keyturn does.",
    ]);
    format!("{text}<p><small>{}</small></p>", sources(&[RFC_9700_REUSE]))
}

pub(super) fn states() -> String {
    let entries: Vec<String> = STATES
        .iter()
        .map(|(name, means)| format!("<div><dt>{name}</dt><dd>{means}</dd></div>"))
        .collect();
    format!("<dl>{}</dl>", entries.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_calm_and_names_its_sources() {
        let text = live() + &states();
        assert!(!text.contains('!') && !text.contains("<dd></dd>"));
        assert!(text.contains("RFC 9700 §4.14.2"));
    }
}
