//! The bench of forgeries: what stands guard, against requests that other pages have sent.

use api_types::lab::{Evidence, Exchange, Guard, Source, Vector, Verdict, Who};

use super::{NOT_RUN, Outcome, header, obeyed};
use crate::lab::guarded;

/// What an attack is about to find out.
pub(super) fn hypothesis(source: Source, vector: Vector) -> String {
    let source = match source {
        Source::OtherSite => "Another site",
        Source::Sibling => "Another host of the same site",
    };
    let how = match vector {
        Vector::Form => "with an ordinary form",
        Vector::TextForm => "with a form whose content is plain text",
        Vector::MultipartForm => "with a form as for uploads",
        Vector::Fetch => "by a fetch whose answer it may not read",
        Vector::Beacon => "by a beacon",
        Vector::Image => "by an image that is none",
        Vector::Link => "by a link that the visitor follows",
    };
    format!("{source} changes something in the visitor’s name {how}.")
}

/// What the evidence of a cell comes to.
pub(super) fn judge(guard: Guard, source: Source, evidence: &[Evidence]) -> Outcome {
    let forged = forged(guard, source, evidence).ok_or(NOT_RUN)?;
    if obeyed(forged)? {
        return Ok((Verdict::Exposed, why_obeyed(guard, forged).into()));
    }
    Ok((Verdict::Safe, why_refused(guard, forged)))
}

/// The request that came from there: by the browser's own word, which a page cannot change.
fn forged(guard: Guard, source: Source, evidence: &[Evidence]) -> Option<&Exchange> {
    let door = guarded::door(guard);
    let from = match source {
        Source::OtherSite => "cross-site",
        Source::Sibling => "same-site",
    };
    evidence.iter().rev().find_map(|one| match one {
        Evidence::Exchange(exchange)
            if exchange.who == Who::Page
                && exchange.path == door
                && header(exchange, "sec-fetch-site") == Some(from) =>
        {
            Some(exchange)
        }
        _ => None,
    })
}

fn why_obeyed(guard: Guard, forged: &Exchange) -> &'static str {
    let has_tossed = header(forged, "cookie").is_some_and(|cookies| cookies.contains(guarded::MADE_UP));
    let looks_at_methods = !matches!(guard, Guard::None | Guard::Lax | Guard::Strict);
    if guard == Guard::DoubleSubmit && has_tossed {
        "The sibling had written a cookie of its own, which came first, and the body repeated it: the guard was content."
    } else if looks_at_methods && forged.method == "GET" {
        "The cookie came along, the guard lets a GET pass as links need it, and this one changed something all the same."
    } else {
        "The browser sent the cookie along, nothing objected, and the server obeyed."
    }
}

fn why_refused(guard: Guard, forged: &Exchange) -> String {
    let status = forged.status;
    match (status, guard) {
        (401, Guard::Lax | Guard::Strict) => {
            format!("The request came without the session’s cookie ({status}): the browser had kept it back.")
        }
        (401, _) => format!(
            "The request came without the session’s cookie ({status}), which nothing restricts: this browser keeps cookies \
             back from what other sites do in the background (third-party cookies)."
        ),
        (405, _) => format!("Nothing can be changed by a GET here ({status})."),
        (_, Guard::Keyturn) => {
            format!(
                "The server refused the request for where it came from ({status}, Origin and Sec-Fetch-Site)."
            )
        }
        _ => {
            let answer: serde_json::Value = serde_json::from_str(&forged.answer).unwrap_or_default();
            let said = answer["error"].as_str().unwrap_or("no reason given");
            format!("The server refused the request ({status}): {said}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(door: &str, site: &str, status: u16) -> Evidence {
        Evidence::Exchange(Exchange {
            at_ms: 0,
            who: Who::Page,
            method: "POST".into(),
            path: door.into(),
            headers: vec![("sec-fetch-site".into(), site.into())],
            body: String::new(),
            status,
            answer_headers: vec![],
            answer: r#"{"error":"the Origin is another"}"#.into(),
        })
    }

    const DOOR: &str = "/guarded/origin/transfer";

    fn verdict(source: Source, evidence: &[Evidence]) -> Option<Verdict> {
        judge(Guard::Origin, source, evidence)
            .ok()
            .map(|(verdict, _)| verdict)
    }

    #[test]
    fn only_a_request_from_there_counts_by_its_answer() {
        let other = Source::OtherSite;
        assert_eq!(verdict(other, &[]), None);
        assert_eq!(verdict(other, &[received(DOOR, "same-origin", 200)]), None);
        assert_eq!(verdict(other, &[received(DOOR, "same-site", 200)]), None);
        assert_eq!(
            verdict(
                other,
                &[received("/guarded/no-guard/transfer", "cross-site", 200)]
            ),
            None
        );
        assert_eq!(
            verdict(other, &[received(DOOR, "cross-site", 200)]),
            Some(Verdict::Exposed)
        );
        assert_eq!(
            verdict(other, &[received(DOOR, "cross-site", 403)]),
            Some(Verdict::Safe)
        );
        assert_eq!(
            verdict(Source::Sibling, &[received(DOOR, "same-site", 200)]),
            Some(Verdict::Exposed)
        );
    }

    #[test]
    fn trouble_of_the_server_says_nothing() {
        assert_eq!(
            verdict(Source::OtherSite, &[received(DOOR, "cross-site", 503)]),
            None
        );
    }

    #[test]
    fn it_says_why_a_guard_was_no_help() {
        let because = |guard, method: &str, cookie: &str| {
            let Evidence::Exchange(mut exchange) = received(&guarded::door(guard), "same-site", 200) else {
                unreachable!("it is an exchange");
            };
            exchange.method = method.into();
            exchange.headers.push(("cookie".into(), cookie.into()));
            judge(guard, Source::Sibling, &[Evidence::Exchange(exchange)])
                .expect("a verdict")
                .1
        };
        let tossed = format!("lab_csrf={}; lab_csrf=x", guarded::MADE_UP);
        assert!(because(Guard::DoubleSubmit, "POST", &tossed).contains("of its own"));
        assert!(because(Guard::Origin, "GET", "").contains("lets a GET pass"));
        assert!(because(Guard::None, "GET", "").contains("nothing objected"));
    }

    #[test]
    fn it_says_what_stopped_it() {
        let because = |guard, status| {
            let evidence = [received(&guarded::door(guard), "cross-site", status)];
            judge(guard, Source::OtherSite, &evidence).expect("a verdict").1
        };
        assert!(because(Guard::Origin, 403).contains("the Origin is another"));
        assert!(because(Guard::Lax, 401).contains("kept it back"));
        assert!(because(Guard::Keyturn, 405).contains("by a GET"));
    }
}
