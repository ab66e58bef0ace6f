//! The script experiment: a page's Content-Security-Policy, against injected content.

use lab_types::{Evidence, Injection, Participant, Strategy};

use super::judgement::{Judgement, Unmeasured, exposed, safe, was_executed};
use crate::{
    evidence::exchanges,
    targets::{VULNERABLE_PAGE, VictimEndpoints},
};

/// The hypothesis of an attack.
pub(super) fn hypothesis(injection: Injection) -> &'static str {
    match injection {
        Injection::InlineHandler => "An event handler in injected markup runs and acts as the visitor.",
        Injection::InlineScript => "An injected script element runs and acts as the visitor.",
        Injection::ForeignScript => "A script of the attacker’s host is loaded and acts as the visitor.",
        Injection::Gadget => {
            "An old endpoint of the page’s own host, which echoes what it is asked, is loaded as a script and acts in the \
             visitor’s name."
        }
        Injection::ScriptLink => "A link with code for an address runs when the visitor follows it.",
        Injection::Base => {
            "An injected base address makes the page load one of the site’s scripts from the attacker’s host."
        }
        Injection::HtmlSink => "Text that the page’s own script writes as markup runs.",
        Injection::UrlSink => {
            "Text that the page’s own script uses as a script’s address is loaded and runs."
        }
        Injection::Eval => "Text that the page’s own script evaluates runs.",
        Injection::Form => "An injected form sends what the visitor types to the attacker.",
        Injection::Style => "An injected style sheet reveals a field’s content to the attacker.",
        Injection::FetchHome => {
            "A script that runs in the page sends what it has read to the attacker by fetch."
        }
        Injection::ImageHome => {
            "A script that runs in the page sends what it has read to the attacker as an image’s address."
        }
        Injection::LeaveHome => {
            "A script that runs in the page sends what it has read to the attacker by leading the visitor there."
        }
        Injection::Act => "A script that runs in the page acts as the visitor.",
    }
}

/// The directives that block an attack; a violation of another directive has a different cause. Empty for what no
/// policy forbids.
fn blocking_directives(injection: Injection) -> &'static [&'static str] {
    match injection {
        Injection::InlineHandler => &["script-src-attr", "script-src"],
        Injection::InlineScript | Injection::ForeignScript | Injection::Gadget | Injection::ScriptLink => {
            &["script-src-elem", "script-src"]
        }
        Injection::Base => &["base-uri", "script-src-elem", "script-src"],
        Injection::HtmlSink => &["require-trusted-types-for", "script-src-attr", "script-src"],
        Injection::UrlSink => &["require-trusted-types-for", "script-src-elem", "script-src"],
        Injection::Eval => &["require-trusted-types-for", "script-src"],
        Injection::Form => &["form-action"],
        Injection::Style => &["style-src-elem", "style-src", "img-src"],
        Injection::FetchHome => &["connect-src"],
        Injection::ImageHome => &["img-src"],
        Injection::LeaveHome | Injection::Act => &[],
    }
}

/// The data that the attacker's host must have received if the attack exfiltrates something.
fn secret(injection: Injection) -> Option<&'static str> {
    match injection {
        Injection::Form => Some("password="),
        Injection::Style => Some("ada"),
        Injection::FetchHome | Injection::ImageHome | Injection::LeaveHome => Some("ada@"),
        _ => None,
    }
}

/// The verdict on a cell's evidence. Silence is not a proof of safety: the browser must have reported that it blocked
/// this attack.
pub(super) fn judge(injection: Injection, evidence: &[Evidence]) -> Judgement {
    if !exchanges(evidence, Participant::Page, VULNERABLE_PAGE).any(|page| page.status == 200) {
        return Err(Unmeasured::NotRun);
    }
    match secret(injection) {
        Some(secret) if was_received(secret, evidence) => {
            return exposed("The attacker’s server received the data.");
        }
        None if has_acted(evidence)? => {
            return exposed("The attack’s code ran in the page, and the server executed the request.");
        }
        _ => {}
    }
    let blocking = evidence.iter().find_map(|one| match one {
        Evidence::Blocked { directive, .. }
            if blocking_directives(injection).contains(&directive.as_str()) =>
        {
            Some(directive)
        }
        _ => None,
    });
    let directive = blocking.ok_or("The attack had no effect, but the browser reported no violation.")?;
    safe(format!("The browser refused, by the page’s policy: {directive}."))
}

/// Whether the attacker's host received the data.
fn was_received(secret: &str, evidence: &[Evidence]) -> bool {
    evidence.iter().any(|one| {
        matches!(one, Evidence::Loot { found, .. }
            if found.iter().any(|found| found.value.contains(secret)))
    })
}

/// Whether the server executed a request of the attack's code.
fn has_acted(evidence: &[Evidence]) -> Result<bool, Unmeasured> {
    let path = VictimEndpoints::of(Strategy::SessionCookie).transfer;
    match exchanges(evidence, Participant::Page, &path).next_back() {
        None => Ok(false),
        Some(sent) if was_executed(sent)? => Ok(true),
        Some(_) => Err(
            "The attack’s code ran, but the server refused the request: was the visitor signed in?".into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::CellVerdict;

    use super::*;
    use crate::verdict::fixtures::{EXPOSED, loot, received, verdict_of};

    fn page() -> Evidence {
        received(Participant::Page, VULNERABLE_PAGE, 200)
    }

    fn transfer(status: u16) -> Evidence {
        received(Participant::Page, "/weak/session-cookie/transfer", status)
    }

    fn blocked(directive: &str) -> Evidence {
        Evidence::Blocked {
            at_ms: 0,
            directive: directive.into(),
            what: "inline".into(),
        }
    }

    fn verdict(injection: Injection, evidence: &[Evidence]) -> Option<CellVerdict> {
        verdict_of(judge(injection, evidence))
    }

    #[test]
    fn a_success_counts_even_if_something_was_blocked() {
        let acted = [page(), blocked("script-src-elem"), transfer(200)];
        assert_eq!(verdict(Injection::InlineScript, &acted), EXPOSED);
        let stolen = [page(), loot(&["ada@example.com"]), blocked("connect-src")];
        assert_eq!(verdict(Injection::FetchHome, &stolen), EXPOSED);
    }

    #[test]
    fn only_the_goal_of_the_attack_is_a_success() {
        assert_eq!(
            verdict(
                Injection::FetchHome,
                &[page(), loot(&[r#"{"error":"not signed in"}"#])]
            ),
            None
        );
        // The exfiltration of another cell does not count for this one.
        assert_eq!(verdict(Injection::FetchHome, &[page(), transfer(200)]), None);
        assert_eq!(
            verdict(Injection::Act, &[page(), loot(&["ada@example.com"])]),
            None
        );
    }

    #[test]
    fn only_a_matching_violation_is_safety() {
        let inline = Injection::InlineScript;
        assert_eq!(verdict(inline, &[]), None);
        assert_eq!(
            verdict(inline, &[blocked("script-src-elem")]),
            None,
            "the page was never there"
        );
        assert_eq!(verdict(inline, &[page()]), None);
        assert_eq!(verdict(inline, &[page(), blocked("style-src-elem")]), None);
        let (verdict_of, because) = judge(inline, &[page(), blocked("script-src-elem")]).expect("a verdict");
        assert_eq!(verdict_of, CellVerdict::Safe);
        assert!(because.ends_with(": script-src-elem."), "{because}");
    }

    #[test]
    fn what_no_policy_forbids_is_never_safe() {
        for injection in [Injection::LeaveHome, Injection::Act] {
            assert_eq!(verdict(injection, &[page(), blocked("script-src-elem")]), None);
        }
    }

    #[test]
    fn a_refusal_or_a_server_error_proves_nothing() {
        for status in [401, 503] {
            let evidence = [page(), transfer(status), blocked("script-src-elem")];
            assert_eq!(verdict(Injection::InlineScript, &evidence), None, "{status}");
        }
    }
}
