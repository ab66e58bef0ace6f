//! The bench of scripts: a page's policy, against what is smuggled into the page.

use api_types::lab::{Evidence, Injection, Strategy, Verdict, Who};

use super::{NOT_RUN, Outcome, obeyed};
use crate::lab::{attacker::Doors, vulnerable};

/// What an attack is about to find out.
pub(super) fn hypothesis(injection: Injection) -> &'static str {
    match injection {
        Injection::InlineHandler => {
            "An event handler in smuggled markup runs and acts in the visitor’s name."
        }
        Injection::InlineScript => "A smuggled script element runs and acts in the visitor’s name.",
        Injection::ForeignScript => {
            "A script of the attacker’s host is loaded and acts in the visitor’s name."
        }
        Injection::Gadget => {
            "An old endpoint of the page’s own host, which echoes what it is asked, is loaded as a script and acts in the \
             visitor’s name."
        }
        Injection::ScriptLink => "A link with code for an address runs when the visitor follows it.",
        Injection::Base => {
            "A smuggled base address makes the page load one of its own scripts from the attacker’s host."
        }
        Injection::HtmlSink => "Text that the page’s own script writes as markup runs.",
        Injection::UrlSink => {
            "Text that the page’s own script takes for a script’s address is loaded and runs."
        }
        Injection::Eval => "Text that the page’s own script evaluates runs.",
        Injection::Form => "A smuggled form sends what the visitor types to the attacker.",
        Injection::Style => "A smuggled style sheet tells the attacker what a field contains.",
        Injection::FetchHome => {
            "A script that runs in the page sends what it has read to the attacker by fetch."
        }
        Injection::ImageHome => {
            "A script that runs in the page sends what it has read to the attacker as an image’s address."
        }
        Injection::LeaveHome => {
            "A script that runs in the page sends what it has read to the attacker by leading the visitor there."
        }
        Injection::Act => "A script that runs in the page acts in the visitor’s name.",
    }
}

/// What the evidence of a cell comes to. Nothing is safe only because nothing was heard of the attack: the browser has to
/// have said that it refused something.
pub(super) fn judge(evidence: &[Evidence]) -> Outcome {
    let was_there = evidence.iter().any(|one| {
        matches!(one, Evidence::Exchange(exchange)
            if exchange.path.starts_with(vulnerable::PAGES) && exchange.status == 200)
    });
    if !was_there {
        return Err(NOT_RUN.into());
    }
    if evidence.iter().any(|one| matches!(one, Evidence::Loot { .. })) {
        return Ok((
            Verdict::Exposed,
            "The attacker’s server has received what it was after.".into(),
        ));
    }
    let door = Doors::of(Strategy::SessionCookie).transfer;
    let sent = evidence.iter().rev().find_map(|one| match one {
        Evidence::Exchange(exchange) if exchange.who == Who::Page && exchange.path == door => Some(exchange),
        _ => None,
    });
    if let Some(sent) = sent
        && obeyed(sent)?
    {
        return Ok((
            Verdict::Exposed,
            "The attack’s code ran in the page, and the server did as it was told.".into(),
        ));
    }
    let mut directives: Vec<&str> = evidence
        .iter()
        .filter_map(|one| match one {
            Evidence::Blocked { directive, .. } => Some(directive.as_str()),
            _ => None,
        })
        .collect();
    directives.dedup();
    if directives.is_empty() {
        return Err(
            "Nothing came of the attack, and the browser has not said that it refused anything.".into(),
        );
    }
    Ok((
        Verdict::Safe,
        format!(
            "The browser refused, by the page’s policy: {}.",
            directives.join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use api_types::lab::{Exchange, Found};

    use super::*;

    fn received(path: &str, status: u16) -> Evidence {
        Evidence::Exchange(Exchange {
            at_ms: 0,
            who: Who::Page,
            method: "GET".into(),
            path: path.into(),
            headers: vec![],
            body: String::new(),
            status,
            answer_headers: vec![],
            answer: String::new(),
        })
    }

    fn blocked() -> Evidence {
        Evidence::Blocked {
            at_ms: 0,
            directive: "script-src-elem".into(),
            what: "inline".into(),
        }
    }

    fn verdict(evidence: &[Evidence]) -> Option<Verdict> {
        judge(evidence).ok().map(|(verdict, _)| verdict)
    }

    #[test]
    fn what_got_through_counts_even_if_something_was_refused() {
        let page = received("/page/our-policy", 200);
        let acted = received("/weak/session-cookie/transfer", 200);
        assert_eq!(verdict(&[page.clone(), blocked(), acted]), Some(Verdict::Exposed));
        let loot = Evidence::Loot {
            at_ms: 0,
            found: vec![Found {
                place: String::new(),
                name: String::new(),
                value: "ada".into(),
            }],
        };
        assert_eq!(verdict(&[page, loot, blocked()]), Some(Verdict::Exposed));
    }

    #[test]
    fn silence_is_not_safety() {
        let page = received("/page/our-policy", 200);
        assert_eq!(verdict(&[]), None);
        assert_eq!(verdict(&[blocked()]), None, "the page was never there");
        assert_eq!(verdict(std::slice::from_ref(&page)), None);
        let (verdict, because) = judge(&[page, blocked(), blocked()]).expect("a verdict");
        assert_eq!(verdict, Verdict::Safe);
        assert!(because.ends_with(": script-src-elem."), "{because}");
    }

    #[test]
    fn a_server_in_trouble_says_nothing() {
        let page = received("/page/no-policy", 200);
        assert_eq!(
            verdict(&[page, received("/weak/session-cookie/transfer", 503)]),
            None
        );
    }
}
