//! The forgery experiment: CSRF defences, against requests from other pages.

use lab_types::{Evidence, Exchange, Guard, Source, Vector, Verdict, Who};

use super::{NOT_RUN, Outcome, obeyed};
use crate::{
    guarded, plan,
    recorder::{cookie, header},
};

/// The hypothesis of an attack.
pub(super) fn hypothesis(source: Source, vector: Vector) -> String {
    let source = match source {
        Source::OtherSite => "Another site",
        Source::Sibling => "Another host of the same site",
    };
    let how = match vector {
        Vector::Form => "with an ordinary form",
        Vector::TextForm => "with a form whose content is plain text",
        Vector::MultipartForm => "with a multipart form",
        Vector::Fetch => "by a fetch whose answer it may not read",
        Vector::Beacon => "by a beacon",
        Vector::Image => "with an image element",
        Vector::Link => "by a link that the visitor follows",
    };
    format!("{source} changes state as the visitor {how}.")
}

/// The verdict on a cell's evidence. A refusal counts only if the same endpoint accepted the visitor's own page.
pub(super) fn judge(guard: Guard, source: Source, vector: Vector, evidence: &[Evidence]) -> Outcome {
    let from = match source {
        Source::OtherSite => "cross-site",
        Source::Sibling => "same-site",
    };
    let own = request(guard, "same-origin", evidence).ok_or(NOT_RUN)?;
    if !obeyed(own)? {
        let status = own.status;
        return Err(format!(
            "The visitor’s own page was not let in ({status}), so a refusal would mean nothing. Is another run on in this \
             browser, or does it keep no cookies here?"
        ));
    }
    let forged = request(guard, from, evidence).ok_or(NOT_RUN)?;
    if obeyed(forged)? {
        return Ok((Verdict::Exposed, why_obeyed(guard, forged).into()));
    }
    Ok((Verdict::Safe, why_refused(guard, vector, forged)?))
}

/// The request from that site, according to the browser's own header, which a page cannot change.
fn request<'a>(guard: Guard, from: &str, evidence: &'a [Evidence]) -> Option<&'a Exchange> {
    let door = guarded::door(guard);
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
        "The sibling set its own cookie, which was sent first and matched the body: the defence let the request pass."
    } else if looks_at_methods && forged.method == "GET" {
        "The browser sent the cookie. The defence lets a GET pass, because links need it, and this GET changed state."
    } else {
        "The browser sent the cookie, nothing blocked the request, and the server executed it."
    }
}

fn why_refused(guard: Guard, vector: Vector, forged: &Exchange) -> Result<String, String> {
    let status = forged.status;
    let came = cookie(forged, guarded::session_cookie(guard)).is_some();
    Ok(match status {
        401 if came => {
            return Err("The cookie arrived, but the session was unknown: was there another run?".into());
        }
        401 if matches!(guard, Guard::Lax | Guard::Strict) => {
            format!("The request arrived without the session’s cookie ({status}): the browser withheld it.")
        }
        401 if plan::UNSEEN.contains(&vector) => format!(
            "The request came without the session’s cookie ({status}), which nothing restricts: this browser keeps cookies \
             back from what other sites do in the background (third-party cookies)."
        ),
        401 => {
            return Err("The request arrived without the session’s cookie, for an unknown reason.".into());
        }
        405 if forged.method == "GET" => {
            format!("This endpoint does not accept changes by a GET ({status}).")
        }
        403 if guard == Guard::Keyturn && forged.answer.contains("cross_site_request") => format!(
            "The server refused the request because of its origin ({status}, Origin and Sec-Fetch-Site)."
        ),
        403 if guard != Guard::Keyturn => {
            let answer: serde_json::Value = serde_json::from_str(&forged.answer).unwrap_or_default();
            let said = answer["error"].as_str().unwrap_or("no reason given");
            format!("The server refused the request ({status}): {said}.")
        }
        _ => {
            return Err(format!(
                "The server answered {status}, which is not this defence’s response."
            ));
        }
    })
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
            answer: r#"{"error":"Origin mismatch"}"#.into(),
        })
    }

    const DOOR: &str = "/guarded/origin/transfer";

    fn open() -> Evidence {
        received(DOOR, "same-origin", 200)
    }

    fn verdict(source: Source, evidence: &[Evidence]) -> Option<Verdict> {
        judge(Guard::Origin, source, Vector::Form, evidence)
            .ok()
            .map(|(verdict, _)| verdict)
    }

    #[test]
    fn only_a_request_from_there_counts_by_its_answer() {
        let other = Source::OtherSite;
        assert_eq!(verdict(other, &[]), None);
        assert_eq!(verdict(other, &[open()]), None);
        assert_eq!(verdict(other, &[open(), received(DOOR, "same-site", 200)]), None);
        let elsewhere = received("/guarded/no-guard/transfer", "cross-site", 200);
        assert_eq!(verdict(other, &[open(), elsewhere]), None);
        assert_eq!(
            verdict(other, &[open(), received(DOOR, "cross-site", 200)]),
            Some(Verdict::Exposed)
        );
        assert_eq!(
            verdict(other, &[open(), received(DOOR, "cross-site", 403)]),
            Some(Verdict::Safe)
        );
        assert_eq!(
            verdict(Source::Sibling, &[open(), received(DOOR, "same-site", 200)]),
            Some(Verdict::Exposed)
        );
    }

    #[test]
    fn a_door_that_is_closed_to_everybody_says_nothing() {
        let forged = received(DOOR, "cross-site", 403);
        assert_eq!(verdict(Source::OtherSite, std::slice::from_ref(&forged)), None);
        let closed = received(DOOR, "same-origin", 401);
        assert_eq!(verdict(Source::OtherSite, &[closed, forged]), None);
    }

    #[test]
    fn a_missing_cookie_is_a_defence_only_where_browsers_keep_one_back() {
        let case = |guard, vector, cookie: &str| {
            let door = guarded::door(guard);
            let Evidence::Exchange(mut forged) = received(&door, "cross-site", 401) else {
                unreachable!("it is an exchange");
            };
            forged.headers.push(("cookie".into(), cookie.into()));
            let evidence = [received(&door, "same-origin", 200), Evidence::Exchange(forged)];
            judge(guard, Source::OtherSite, vector, &evidence)
                .ok()
                .map(|(verdict, _)| verdict)
        };
        assert_eq!(case(Guard::Lax, Vector::Form, "a=b"), Some(Verdict::Safe));
        assert_eq!(case(Guard::None, Vector::Image, "a=b"), Some(Verdict::Safe));
        assert_eq!(case(Guard::None, Vector::Form, "a=b"), None);
        assert_eq!(
            case(Guard::None, Vector::Image, "a=b; lab_none=of-another-run"),
            None
        );
    }

    #[test]
    fn only_the_guard_s_own_word_is_a_refusal() {
        for status in [404, 405, 409, 503] {
            let other = received(DOOR, "cross-site", status);
            assert_eq!(verdict(Source::OtherSite, &[open(), other]), None, "{status}");
        }
    }

    #[test]
    fn it_says_why_a_guard_was_no_help() {
        let because = |guard, method: &str, cookie: &str| {
            let door = guarded::door(guard);
            let Evidence::Exchange(mut exchange) = received(&door, "same-site", 200) else {
                unreachable!("it is an exchange");
            };
            exchange.method = method.into();
            exchange.headers.push(("cookie".into(), cookie.into()));
            let evidence = [received(&door, "same-origin", 200), Evidence::Exchange(exchange)];
            judge(guard, Source::Sibling, Vector::Link, &evidence)
                .expect("a verdict")
                .1
        };
        let tossed = format!("lab_csrf={}; lab_csrf=x", guarded::MADE_UP);
        assert!(because(Guard::DoubleSubmit, "POST", &tossed).contains("its own cookie"));
        assert!(because(Guard::Origin, "GET", "").contains("lets a GET pass"));
        assert!(because(Guard::None, "GET", "").contains("nothing blocked"));
    }

    #[test]
    fn it_says_what_stopped_it() {
        let because = |guard, status, method: &str| {
            let door = guarded::door(guard);
            let Evidence::Exchange(mut forged) = received(&door, "cross-site", status) else {
                unreachable!("it is an exchange");
            };
            forged.method = method.into();
            let evidence = [received(&door, "same-origin", 200), Evidence::Exchange(forged)];
            judge(guard, Source::OtherSite, Vector::Image, &evidence)
                .expect("a verdict")
                .1
        };
        assert!(because(Guard::Origin, 403, "POST").contains("Origin mismatch"));
        assert!(because(Guard::Lax, 401, "POST").contains("withheld it"));
        assert!(because(Guard::None, 401, "GET").contains("third-party"));
        assert!(because(Guard::Keyturn, 405, "GET").contains("by a GET"));
    }
}
