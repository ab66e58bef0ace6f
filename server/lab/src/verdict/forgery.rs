//! The forgery experiment: CSRF defences, against requests from other pages.

use api_types::problem::ProblemCode;
use lab_types::{CsrfDefence, Evidence, Participant, RecordedExchange, RequestSource, Vector};

use super::judgement::{Judgement, Unmeasured, exposed, safe, was_executed};
use crate::{
    evidence::{cookie, exchanges, header, problem_code},
    plan::BACKGROUND,
    targets::{FORGED_TOKEN, csrf_endpoint, csrf_session_cookie},
};

/// The hypothesis of an attack.
pub(super) fn hypothesis(source: RequestSource, vector: Vector) -> String {
    let source = match source {
        RequestSource::OtherSite => "Another site",
        RequestSource::Sibling => "Another host of the same site",
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
pub(super) fn judge(
    defence: CsrfDefence,
    source: RequestSource,
    vector: Vector,
    evidence: &[Evidence],
) -> Judgement {
    let from = match source {
        RequestSource::OtherSite => "cross-site",
        RequestSource::Sibling => "same-site",
    };
    let own = request(defence, "same-origin", evidence)?;
    if !was_executed(own)? {
        let status = own.status;
        return Err(format!(
            "The visitor’s own page was not let in ({status}), so a refusal would mean nothing. Is another run on in this \
             browser, or does it keep no cookies here?"
        )
        .into());
    }
    let forged = request(defence, from, evidence)?;
    if was_executed(forged)? {
        return exposed(why_executed(defence, forged));
    }
    safe(why_refused(defence, vector, forged)?)
}

/// The request from that site, according to the browser's own header, which a page cannot change.
fn request<'a>(
    defence: CsrfDefence,
    from: &str,
    evidence: &'a [Evidence],
) -> Result<&'a RecordedExchange, Unmeasured> {
    exchanges(evidence, Participant::Page, &csrf_endpoint(defence))
        .rfind(|exchange| header(exchange, "sec-fetch-site") == Some(from))
        .ok_or(Unmeasured::NotRun)
}

fn why_executed(defence: CsrfDefence, forged: &RecordedExchange) -> &'static str {
    let has_tossed = header(forged, "cookie").is_some_and(|cookies| cookies.contains(FORGED_TOKEN));
    let checks_methods = !matches!(
        defence,
        CsrfDefence::None | CsrfDefence::Lax | CsrfDefence::Strict
    );
    if defence == CsrfDefence::DoubleSubmit && has_tossed {
        "The sibling set its own cookie, which was sent first and matched the body: the defence let the request pass."
    } else if checks_methods && forged.method == "GET" {
        "The browser sent the cookie. The defence lets a GET pass, because links need it, and this GET changed state."
    } else {
        "The browser sent the cookie, nothing blocked the request, and the server executed it."
    }
}

fn why_refused(
    defence: CsrfDefence,
    vector: Vector,
    forged: &RecordedExchange,
) -> Result<String, Unmeasured> {
    let status = forged.status;
    let came = cookie(forged, csrf_session_cookie(defence)).is_some();
    Ok(match status {
        401 if came => {
            return Err("The cookie arrived, but the session was unknown: was there another run?".into());
        }
        401 if matches!(defence, CsrfDefence::Lax | CsrfDefence::Strict) => {
            format!("The request arrived without the session’s cookie ({status}): the browser withheld it.")
        }
        401 if BACKGROUND.contains(&vector) => format!(
            "The request came without the session’s cookie ({status}), which nothing restricts: this browser keeps cookies \
             back from what other sites do in the background (third-party cookies)."
        ),
        401 => {
            return Err("The request arrived without the session’s cookie, for an unknown reason.".into());
        }
        405 if forged.method == "GET" => {
            format!("This endpoint does not accept changes by a GET ({status}).")
        }
        403 if problem_code(forged) == Some(ProblemCode::CrossSiteRequest) => format!(
            "The server refused the request because of its origin ({status}, Origin and Sec-Fetch-Site)."
        ),
        403 if defence != CsrfDefence::Keyturn => {
            let answer: serde_json::Value = serde_json::from_str(&forged.answer).unwrap_or_default();
            let said = answer["error"].as_str().unwrap_or("no reason given");
            format!("The server refused the request ({status}): {said}.")
        }
        _ => {
            return Err(
                format!("The server answered {status}, which is not this defence’s response.").into(),
            );
        }
    })
}

#[cfg(test)]
mod tests {
    use lab_types::CellVerdict;

    use super::*;
    use crate::verdict::fixtures::{EXPOSED, SAFE, verdict_of, with_headers};

    /// A request from this site, with a cookie.
    fn request_from(site: &str, path: &str, status: u16, cookie: &str) -> RecordedExchange {
        let mut exchange = with_headers(path, status, &[("sec-fetch-site", site), ("cookie", cookie)]);
        exchange.answer = r#"{"error":"Origin mismatch"}"#.into();
        exchange
    }

    fn received(path: &str, site: &str, status: u16) -> Evidence {
        Evidence::Exchange(request_from(site, path, status, ""))
    }

    const ENDPOINT: &str = "/guarded/origin/transfer";

    /// The verdict on what came from other sites, after the endpoint has accepted its own page.
    fn verdict(source: RequestSource, forged: &[Evidence]) -> Option<CellVerdict> {
        let own = received(ENDPOINT, "same-origin", 200);
        let evidence = [&[own], forged].concat();
        verdict_of(judge(CsrfDefence::Origin, source, Vector::Form, &evidence))
    }

    #[test]
    fn only_a_request_from_that_source_counts() {
        assert_eq!(verdict(RequestSource::OtherSite, &[]), None);
        let elsewhere = "/guarded/no-guard/transfer";
        for (source, path, site, status, expected) in [
            (RequestSource::OtherSite, ENDPOINT, "same-site", 200, None),
            (RequestSource::OtherSite, elsewhere, "cross-site", 200, None),
            (RequestSource::OtherSite, ENDPOINT, "cross-site", 200, EXPOSED),
            (RequestSource::OtherSite, ENDPOINT, "cross-site", 403, SAFE),
            (RequestSource::Sibling, ENDPOINT, "same-site", 200, EXPOSED),
        ] {
            assert_eq!(
                verdict(source, &[received(path, site, status)]),
                expected,
                "{path} {site} {status}"
            );
        }
    }

    #[test]
    fn an_endpoint_that_refuses_its_own_page_proves_nothing() {
        let (own, forged) = (
            received(ENDPOINT, "same-origin", 401),
            received(ENDPOINT, "cross-site", 403),
        );
        for evidence in [&[forged.clone()][..], &[own, forged]] {
            let judgement = judge(
                CsrfDefence::Origin,
                RequestSource::OtherSite,
                Vector::Form,
                evidence,
            );
            assert_eq!(verdict_of(judgement), None);
        }
    }

    #[test]
    fn a_missing_cookie_is_a_defence_only_where_browsers_withhold_it() {
        let case = |defence, vector, cookie: &str| {
            let path = csrf_endpoint(defence);
            let forged = request_from("cross-site", &path, 401, cookie);
            let evidence = [received(&path, "same-origin", 200), Evidence::Exchange(forged)];
            verdict_of(judge(defence, RequestSource::OtherSite, vector, &evidence))
        };
        assert_eq!(case(CsrfDefence::Lax, Vector::Form, "a=b"), SAFE);
        assert_eq!(case(CsrfDefence::None, Vector::Image, "a=b"), SAFE);
        assert_eq!(case(CsrfDefence::None, Vector::Form, "a=b"), None);
        assert_eq!(
            case(CsrfDefence::None, Vector::Image, "a=b; lab_none=of-another-run"),
            None
        );
    }

    #[test]
    fn only_the_defence_s_own_status_is_a_refusal() {
        for status in [404, 405, 409, 503] {
            let other = received(ENDPOINT, "cross-site", status);
            assert_eq!(verdict(RequestSource::OtherSite, &[other]), None, "{status}");
        }
    }

    fn because(
        defence: CsrfDefence,
        source: RequestSource,
        vector: Vector,
        forged: RecordedExchange,
    ) -> String {
        let evidence = [
            received(&forged.path, "same-origin", 200),
            Evidence::Exchange(forged),
        ];
        judge(defence, source, vector, &evidence).expect("a verdict").1
    }

    #[test]
    fn an_executed_request_has_a_reason() {
        let because = |defence, method: &str, cookie: &str| {
            let mut forged = request_from("same-site", &csrf_endpoint(defence), 200, cookie);
            forged.method = method.into();
            because(defence, RequestSource::Sibling, Vector::Link, forged)
        };
        let tossed = format!("lab_csrf={FORGED_TOKEN}; lab_csrf=x");
        assert!(because(CsrfDefence::DoubleSubmit, "POST", &tossed).contains("its own cookie"));
        assert!(because(CsrfDefence::Origin, "GET", "").contains("lets a GET pass"));
        assert!(because(CsrfDefence::None, "GET", "").contains("nothing blocked"));
    }

    #[test]
    fn a_refused_request_has_a_reason() {
        let because = |defence, status, method: &str| {
            let mut forged = request_from("cross-site", &csrf_endpoint(defence), status, "");
            forged.method = method.into();
            because(defence, RequestSource::OtherSite, Vector::Image, forged)
        };
        assert!(because(CsrfDefence::Origin, 403, "POST").contains("Origin mismatch"));
        assert!(because(CsrfDefence::Lax, 401, "POST").contains("withheld it"));
        assert!(because(CsrfDefence::None, 401, "GET").contains("third-party"));
        assert!(because(CsrfDefence::Keyturn, 405, "GET").contains("by a GET"));
    }
}
