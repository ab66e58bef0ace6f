//! What the columns, the rows and the words of the matrix mean.

use api_types::lab::{Defence, Strategy, Threat, Verdict};

use super::html::{
    BROWSER_APPS, OWASP_CSRF, OWASP_HTML5, OWASP_SESSIONS, RFC_6265_HTTP_ONLY, RFC_6749_REFRESH, RFC_6750,
    RFC_7009, RFC_9700_PROTECTION, RFC_9700_ROTATION, Source, WEB_STORAGE, escaped, sources,
};
use crate::lab::words;

/// A sentence and where it comes from.
type Meaning = (&'static str, &'static [Source]);

pub(super) fn all() -> String {
    let columns = entries(
        Strategy::ALL
            .iter()
            .map(|one| (words::strategy(*one), strategy(*one))),
    );
    let rows = entries(Threat::ALL.iter().map(|one| (words::threat(*one), threat(*one))));
    let verdicts = entries(
        Verdict::ALL
            .iter()
            .map(|one| (words::verdict(*one), verdict(*one))),
    );
    format!(
        "<h2 class=\"section-title\">How to read the matrix</h2>\
         <h3>The words in the cells</h3><dl>{verdicts}</dl>\
         <h3>The columns: where the tokens are</h3><dl>{columns}</dl>\
         <h3>The rows: what happens</h3><dl>{rows}</dl>"
    )
}

/// What a run without this defence shows.
pub(super) fn without(defence: Option<Defence>) -> String {
    let (text, origins) = match defence {
        Some(defence) => without_defence(defence),
        None => ("Every strategy as it is described below.", &[][..]),
    };
    sentence(text, origins)
}

fn entries(entries: impl Iterator<Item = (&'static str, Meaning)>) -> String {
    let entries: Vec<String> = entries
        .map(|(name, (text, origins))| {
            let (name, meaning) = (escaped(name), sentence(text, origins));
            format!("<div><dt>{name}</dt><dd>{meaning}</dd></div>")
        })
        .collect();
    entries.concat()
}

fn sentence(text: &str, origins: &[Source]) -> String {
    if origins.is_empty() {
        escaped(text)
    } else {
        format!("{} <small>{}</small>", escaped(text), sources(origins))
    }
}

fn strategy(strategy: Strategy) -> Meaning {
    match strategy {
        Strategy::LocalStorage => (
            "Both tokens are kept until somebody removes them, for every page of the site, and every script of those \
             pages can read them.",
            &[WEB_STORAGE, OWASP_HTML5],
        ),
        Strategy::SessionStorage => (
            "Both tokens are kept for one tab, and every script of its pages can read them.",
            &[WEB_STORAGE],
        ),
        Strategy::ReadableCookie => (
            "Both tokens are in cookies without HttpOnly: scripts read them, and the browser also sends them by itself.",
            &[RFC_6265_HTTP_ONLY],
        ),
        Strategy::SessionCookie => (
            "There are no tokens. The browser sends a random id that no script can read, and the server looks it up.",
            &[OWASP_SESSIONS],
        ),
        Strategy::Memory => (
            "Both tokens are variables of the running page, and go when it goes.",
            &[BROWSER_APPS],
        ),
        Strategy::Keyturn => (
            "Keyturn’s own way: the access token is a variable of the page, the refresh token is in an httpOnly cookie \
             and replaced each time it is used.",
            &[RFC_9700_ROTATION, BROWSER_APPS],
        ),
    }
}

fn threat(threat: Threat) -> Meaning {
    match threat {
        Threat::Reload => (
            "The page is loaded again. Is the same person signed in afterwards, without typing a password?",
            &[WEB_STORAGE],
        ),
        Threat::NewTab => (
            "The site is opened in a second tab while the first one is open. Is the same person signed in there?",
            &[WEB_STORAGE],
        ),
        Threat::Restart => (
            "The browser is closed and started again. Is the session still there?",
            &[RFC_6749_REFRESH],
        ),
        Threat::SingleExecutionTheft => (
            "A hostile script runs a single time, and sends away every token that it finds.",
            &[BROWSER_APPS],
        ),
        Threat::PersistentTheft => (
            "A hostile script stays in the page, and sends away every token that comes by, the newest too.",
            &[BROWSER_APPS],
        ),
        Threat::NewTokens => (
            "A hostile script takes nothing that is there, and has the server issue tokens to it.",
            &[BROWSER_APPS],
        ),
        Threat::Proxying => (
            "A hostile script sends its requests through the page, which the server takes for the person’s own.",
            &[BROWSER_APPS],
        ),
        Threat::CsrfChange => (
            "A form on another site is sent to this one, and would change something in the account.",
            &[OWASP_CSRF],
        ),
        Threat::CsrfLogin => (
            "A form on another site would sign the browser in as the attacker, who reads later what was done there.",
            &[OWASP_CSRF],
        ),
        Threat::CsrfLogout => ("A form on another site would sign the person out.", &[OWASP_CSRF]),
        Threat::AccessAfterSignOut => (
            "Somebody has a copy of the access token, and uses it after its owner has signed out.",
            &[RFC_6750, RFC_7009],
        ),
        Threat::RefreshAfterRotation => (
            "Somebody has a copy of the refresh token, and uses it after its owner has.",
            &[RFC_9700_PROTECTION],
        ),
        Threat::RefreshBeforeOwner => (
            "Somebody has a copy of the refresh token, and uses it before its owner does.",
            &[RFC_9700_PROTECTION],
        ),
    }
}

fn verdict(verdict: Verdict) -> Meaning {
    match verdict {
        Verdict::Safe => ("The attack was carried out, and got nothing.", &[]),
        Verdict::Exposed => ("The attack was carried out, and got what it wanted.", &[]),
        Verdict::Survives => ("The session was there afterwards.", &[]),
        Verdict::Lost => (
            "The session was gone afterwards: safe to keep, tiresome to use.",
            &[],
        ),
        Verdict::NotMeasured => (
            "There is no evidence. The cell says why, once there is a run.",
            &[],
        ),
    }
}

fn without_defence(defence: Defence) -> Meaning {
    match defence {
        Defence::HttpOnly => (
            "The refresh cookie can be read by scripts. Watch what a script carries away.",
            &[RFC_6265_HTTP_ONLY],
        ),
        Defence::CrossSite => (
            "No SameSite, no custom header, and no look at where a request comes from. Watch the forms of other sites.",
            &[OWASP_CSRF],
        ),
        Defence::Revocation => (
            "Signing out forgets the tokens but does not end them. Watch the copy of the access token.",
            &[RFC_7009],
        ),
        Defence::ReuseDetection => (
            "A refresh token that was used before is refused, and nothing follows from it. Watch the stolen copies.",
            &[RFC_9700_PROTECTION],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> Vec<Meaning> {
        Strategy::ALL
            .iter()
            .map(|one| strategy(*one))
            .chain(Threat::ALL.iter().map(|one| threat(*one)))
            .chain(Verdict::ALL.iter().map(|one| verdict(*one)))
            .chain(Defence::ALL.iter().map(|one| without_defence(*one)))
            .collect()
    }

    #[test]
    fn every_meaning_is_said_in_plain_sentences() {
        for (text, _) in everything() {
            assert!(text.ends_with(['.', '?']), "{text}");
            assert!(!text.contains('!'), "{text}");
        }
    }

    #[test]
    fn what_is_claimed_about_the_world_has_a_source() {
        let ours = Verdict::ALL.len();
        let without_source = everything()
            .iter()
            .filter(|(_, origins)| origins.is_empty())
            .count();
        assert_eq!(without_source, ours);
        for (_, origins) in everything() {
            assert!(
                origins
                    .iter()
                    .all(|origin| origin.address.starts_with("https://"))
            );
        }
    }

    #[test]
    fn the_glossary_names_every_row_and_column() {
        let all = all();
        for name in Strategy::ALL
            .iter()
            .map(|one| words::strategy(*one))
            .chain(Threat::ALL.iter().map(|one| words::threat(*one)))
        {
            assert!(all.contains(&format!("<dt>{name}</dt>")), "{name}");
        }
    }
}
