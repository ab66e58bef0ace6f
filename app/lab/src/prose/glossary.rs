//! The meaning of the matrix's columns, rows and words.

use lab_types::{
    CellVerdict, ContentPolicy, CsrfDefence, Defence, Injection, RaceDefence, RaceScenario, Strategy, Threat,
    Vector,
};

use super::html::{
    BEACON, BROWSER_APPS, CSP, FETCH, FETCH_METADATA, FORMS, OWASP_CSRF, OWASP_HTML5, OWASP_SESSIONS,
    OWASP_XSS, RFC_6265_HTTP_ONLY, RFC_6265BIS, RFC_6749_REFRESH, RFC_6750, RFC_7009, RFC_9110_SAFE,
    RFC_9700_PROTECTION, RFC_9700_ROTATION, Source, TRUSTED_TYPES, WEB_LOCKS, WEB_STORAGE, escaped, sources,
};
use crate::words;

/// A sentence and its sources.
type Meaning = (&'static str, &'static [Source]);

pub(super) fn all() -> String {
    let columns = entries(
        Strategy::ALL
            .iter()
            .map(|one| (words::strategy(*one), strategy(*one))),
    );
    let rows = entries(Threat::ALL.iter().map(|one| (words::threat(*one), threat(*one))));
    let verdicts = entries(
        CellVerdict::ALL
            .iter()
            .map(|one| (words::verdict(*one), verdict(*one))),
    );
    let guards = entries(
        CsrfDefence::ALL
            .iter()
            .map(|one| (words::csrf_defence(*one), guard(*one))),
    );
    let vectors = entries(Vector::ALL.iter().map(|one| (words::vector(*one), vector(*one))));
    let policies = entries(
        ContentPolicy::ALL
            .iter()
            .map(|one| (words::content_policy(*one), policy(*one))),
    );
    let injections = entries(
        Injection::ALL
            .iter()
            .map(|one| (words::injection(*one), injection(*one))),
    );
    let remedies = entries(
        RaceDefence::ALL
            .iter()
            .map(|one| (words::race_defence(*one), remedy(*one))),
    );
    let loads = entries(
        RaceScenario::ALL
            .iter()
            .map(|one| (words::race_scenario(*one), load(*one))),
    );
    format!(
        "<h2 class=\"section-title\">How to read the tables</h2>\
         <h3>The words in the cells</h3><dl>{verdicts}</dl>\
         <h3>Where the tokens are</h3><dl>{columns}</dl>\
         <h3>What happens to them</h3><dl>{rows}</dl>\
         <h3>What stands guard against forged requests</h3><dl>{guards}</dl>\
         <h3>How they are sent</h3><dl>{vectors}</dl>\
         <h3>The policies of the page with holes</h3><dl>{policies}</dl>\
         <h3>What is smuggled into it</h3><dl>{injections}</dl>\
         <h3>What keeps refreshes apart</h3><dl>{remedies}</dl>\
         <h3>What they have to cope with</h3><dl>{loads}</dl>"
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
            "Both tokens persist until removed, and every script on the origin can read them.",
            &[WEB_STORAGE, OWASP_HTML5],
        ),
        Strategy::SessionStorage => (
            "Both tokens are kept for one tab, and every script of its pages can read them.",
            &[WEB_STORAGE],
        ),
        Strategy::ReadableCookie => (
            "Both tokens are in cookies without HttpOnly: scripts read them, and the browser also sends them by itself. As in \
             tutorials, they say nothing about SameSite.",
            &[RFC_6265_HTTP_ONLY],
        ),
        Strategy::SessionCookie => (
            "There are no tokens. The browser sends a random id that no script can read, and the server looks it up. As in \
             tutorials, the cookie says nothing about SameSite; said outright, Lax would stop this table’s forged requests.",
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
            "A malicious script requests its own tokens from the server, using whatever credentials it can reach.",
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
            "An attacker has a copy of the access token, and uses it after its owner has signed out.",
            &[RFC_6750, RFC_7009],
        ),
        Threat::RefreshAfterRotation => (
            "An attacker has a copy of the refresh token, and uses it after its owner has.",
            &[RFC_9700_PROTECTION],
        ),
        Threat::RefreshBeforeOwner => (
            "The attacker uses the copied refresh token before the owner does. Does the attacker keep access once the owner \
             returns?",
            &[RFC_9700_PROTECTION],
        ),
    }
}

fn guard(guard: CsrfDefence) -> Meaning {
    match guard {
        CsrfDefence::None => (
            "The cookie is SameSite=None, and whatever arrives is obeyed.",
            &[OWASP_CSRF],
        ),
        CsrfDefence::Lax => (
            "The browser keeps the cookie back from other sites, but for top-level navigations that ought to \
             change nothing, such as links. A sibling is not another site.",
            &[RFC_6265BIS],
        ),
        CsrfDefence::Strict => (
            "The browser keeps the cookie back from other sites, links included. A sibling is not another site.",
            &[RFC_6265BIS],
        ),
        CsrfDefence::Origin => (
            "The server compares the Origin header, which pages cannot choose, with its own.",
            &[FETCH, OWASP_CSRF],
        ),
        CsrfDefence::FetchMetadata => (
            "The browser says in Sec-Fetch-Site whether another origin is behind a request. Links that the visitor \
             follows are let through, for the web would not work otherwise.",
            &[FETCH_METADATA],
        ),
        CsrfDefence::CustomHeader => (
            "The server wants a header that no form can send, and a fetch only after a preflight that it does not answer.",
            &[FETCH, OWASP_CSRF],
        ),
        CsrfDefence::DoubleSubmit => (
            "The body has to repeat a cookie, which another site cannot read. A sibling need not read it: it puts a second \
             one in front. OWASP therefore wants the value signed and bound to the session.",
            &[OWASP_CSRF, RFC_6265BIS],
        ),
        CsrfDefence::HostDoubleSubmit => (
            "The same with a name that begins with __Host-, which no sibling may write.",
            &[RFC_6265BIS],
        ),
        CsrfDefence::Keyturn => (
            "Strict, Origin, Fetch Metadata and the custom header together, at the endpoint that our cookie opens; and \
             nothing is ever changed by a GET.",
            &[OWASP_CSRF, RFC_9110_SAFE],
        ),
    }
}

fn vector(vector: Vector) -> Meaning {
    match vector {
        Vector::Form => (
            "An ordinary form, which sends itself when its page is loaded.",
            &[FORMS],
        ),
        Vector::TextForm => (
            "A form whose content is plain text, and can be made to look like JSON.",
            &[FORMS],
        ),
        Vector::MultipartForm => ("A form as for uploads.", &[FORMS]),
        Vector::Fetch => (
            "A script’s request without permission to read the answer, which the attack does not need.",
            &[FETCH],
        ),
        Vector::Beacon => (
            "A request that outlives its page, made for statistics.",
            &[BEACON],
        ),
        Vector::Image => ("A GET in the background, as for every picture.", &[FETCH]),
        Vector::Link => ("A GET that the visitor goes along with.", &[RFC_9110_SAFE]),
    }
}

fn policy(policy: ContentPolicy) -> Meaning {
    match policy {
        ContentPolicy::None => (
            "No restrictions: everything in the page runs, and can send data anywhere.",
            &[CSP],
        ),
        ContentPolicy::Weak => (
            "Scripts may come from the own host, inline or out of text, and nothing is said about where data may go.",
            &[CSP],
        ),
        ContentPolicy::Ours => (
            "The policy of Keyturn’s pages: scripts by nonce or from the own host, everything else from the own host or \
             not at all.",
            &[CSP],
        ),
        ContentPolicy::TrustedTypes => (
            "The same, and no script may turn text into markup or into a script’s address. Keyturn’s pages cannot have it \
             yet, because the framework that they are built with writes markup from text.",
            &[TRUSTED_TYPES],
        ),
    }
}

fn injection(injection: Injection) -> Meaning {
    match injection {
        Injection::InlineHandler => (
            "An image with an onerror handler, which runs because the image fails to load.",
            &[OWASP_XSS],
        ),
        Injection::InlineScript => ("A script element with its code inside.", &[OWASP_XSS]),
        Injection::ForeignScript => ("A script element that names the attacker’s host.", &[CSP]),
        Injection::Gadget => (
            "A script element that names an old endpoint of the page’s own host, which answers with whatever it was asked \
             for (JSONP). It gets through because the policy trusts the own host; one that trusts nonces alone would \
             refuse it.",
            &[CSP],
        ),
        Injection::ScriptLink => ("A link with code where its address should be.", &[CSP]),
        Injection::Base => (
            "An element that moves all relative addresses of the page, those of its trusted scripts too.",
            &[CSP],
        ),
        Injection::HtmlSink => (
            "The server was careful, and the page’s own script writes the text as markup.",
            &[TRUSTED_TYPES, OWASP_XSS],
        ),
        Injection::UrlSink => (
            "The page’s own script loads what the text names: here the echoing endpoint again.",
            &[TRUSTED_TYPES],
        ),
        Injection::Eval => ("The page’s own script evaluates the text.", &[TRUSTED_TYPES]),
        Injection::Form => ("A fake password form that posts to the attacker.", &[CSP]),
        Injection::Style => (
            "A style sheet that loads another picture for another content of a field.",
            &[CSP],
        ),
        Injection::FetchHome => (
            "What was read is sent to the attacker by a script’s request.",
            &[CSP],
        ),
        Injection::ImageHome => ("What was read becomes part of a picture’s address.", &[CSP]),
        Injection::LeaveHome => (
            "What was read becomes part of the address that the visitor is led to. No policy forbids to leave.",
            &[CSP],
        ),
        Injection::Act => (
            "The script takes nothing away: it does here what it came for, with the visitor’s own session.",
            &[BROWSER_APPS],
        ),
    }
}

fn remedy(remedy: RaceDefence) -> Meaning {
    match remedy {
        RaceDefence::None => (
            "Each request of each page refreshes for itself, and the server believes what it has read.",
            &[RFC_9700_ROTATION],
        ),
        RaceDefence::SingleFlight => (
            "All requests of a page wait for one refresh. Pages know nothing of one another.",
            &[BROWSER_APPS],
        ),
        RaceDefence::Lock => (
            "The pages of one browser take turns, and each finds the newest cookie in the jar.",
            &[WEB_LOCKS],
        ),
        RaceDefence::CompareAndSet => (
            "Atomic compare-and-set; the loser is treated as an attacker and the session ends.",
            &[RFC_9700_ROTATION],
        ),
        RaceDefence::Grace => (
            "Compare and set, but a second use within ten seconds, or while the successor is unused, returns the same \
             successor. Not in the RFC.",
            &[RFC_9700_PROTECTION],
        ),
        RaceDefence::Server => (
            "Keyturn’s own endpoint, compare-and-set with a grace, and pages that do nothing but ask again when it says that \
             their jar holds something newer (409).",
            &[RFC_9700_PROTECTION],
        ),
        RaceDefence::Together => (
            "Keyturn’s own endpoint, and pages that refresh once and take turns: fewer refreshes for the same.",
            &[RFC_9700_PROTECTION, WEB_LOCKS],
        ),
    }
}

fn load(load: RaceScenario) -> Meaning {
    match load {
        RaceScenario::OneTab => (
            "A page that loads its parts with several requests at once.",
            &[RFC_6750],
        ),
        RaceScenario::ManyTabs => (
            "Tabs that wake up together, as after a laptop’s sleep.",
            &[RFC_6750],
        ),
        RaceScenario::LostAnswer => (
            "The server has committed, and a gateway loses the answer: the browser has only the spent token.",
            &[RFC_9700_PROTECTION],
        ),
    }
}

fn verdict(verdict: CellVerdict) -> Meaning {
    match verdict {
        CellVerdict::Safe => (
            "The attack was carried out, and what the row asks for did not come about. It says so of this attack, and of no \
             other.",
            &[],
        ),
        CellVerdict::Exposed => (
            "The attack was carried out, and got what it wanted. Among the races: one token has several successors.",
            &[],
        ),
        CellVerdict::Survives => ("The session was there afterwards, for all of its pages.", &[]),
        CellVerdict::Lost => (
            "The session was gone afterwards, or a page told its visitor to sign in again.",
            &[],
        ),
        CellVerdict::NotMeasured => (
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
    use lab_types::Experiment;

    use super::*;

    fn everything() -> Vec<Meaning> {
        Strategy::ALL
            .iter()
            .map(|one| strategy(*one))
            .chain(Threat::ALL.iter().map(|one| threat(*one)))
            .chain(CsrfDefence::ALL.iter().map(|one| guard(*one)))
            .chain(Vector::ALL.iter().map(|one| vector(*one)))
            .chain(ContentPolicy::ALL.iter().map(|one| policy(*one)))
            .chain(Injection::ALL.iter().map(|one| injection(*one)))
            .chain(RaceDefence::ALL.iter().map(|one| remedy(*one)))
            .chain(RaceScenario::ALL.iter().map(|one| load(*one)))
            .chain(CellVerdict::ALL.iter().map(|one| verdict(*one)))
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
        let ours = CellVerdict::ALL.len();
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
        for place in Experiment::ALL.iter().flat_map(|bench| bench.rows().concat()) {
            for name in [words::column(place), words::row(place)] {
                assert!(all.contains(&format!("<dt>{name}</dt>")), "{name}");
            }
        }
    }
}
