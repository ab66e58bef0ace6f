//! Whether a form of another site acts as the visitor.

use api_types::problem::ProblemCode;
use lab_types::{Evidence, Participant, RecordedExchange, Strategy};

use crate::{
    accounts::is_attackers,
    evidence::{account_seen, exchanges, header, problem_code},
    targets::{ACCESS_COOKIE, SESSION_COOKIE},
    verdict::judgement::{Judgement, Unmeasured, exposed, safe, signed_in_before, was_executed},
};

/// The verdict on a form that changes something, or signs the visitor out.
pub(super) fn request(strategy: Strategy, path: &str, evidence: &[Evidence]) -> Judgement {
    let forged = forged(path, evidence)?;
    signed_in_before(evidence)?;
    if was_executed(forged)? {
        exposed(
            "The browser sent the cookie with the other site’s form, and the server executed the request.",
        )
    } else {
        safe(why_refused(strategy, forged))
    }
}

/// The verdict on a form that signs the visitor in as the attacker.
pub(super) fn sign_in(strategy: Strategy, path: &str, evidence: &[Evidence]) -> Judgement {
    let forged = forged(path, evidence)?;
    signed_in_before(evidence)?;
    let was_executed = was_executed(forged)?;
    if forged.status == 401 {
        return Err("Control failed: the server rejected the attacker’s sign-in form.".into());
    }
    match account_seen(evidence, "afterwards").ok_or("The page did not come back.")? {
        Some(user) if is_attackers(user) => exposed(
            "The visitor is now signed in to the attacker’s account, and the attacker can read everything typed from now on.",
        ),
        _ if !was_executed => safe(why_refused(strategy, forged)),
        Some(_) => safe(
            "The server signed the attacker in, but the tokens went into a page that is never read; the visitor’s own page \
             kept its tokens.",
        ),
        None => safe(
            "The server signed the attacker in, but the tokens went into a page that is never read; the visitor’s page lost \
             its tokens by navigating away and is signed out.",
        ),
    }
}

/// The request from the attacker's form: the browser marks it as coming from another site.
fn forged<'a>(path: &str, evidence: &'a [Evidence]) -> Result<&'a RecordedExchange, Unmeasured> {
    exchanges(evidence, Participant::Page, path)
        .rfind(|one| matches!(header(one, "sec-fetch-site"), Some("cross-site" | "same-site")))
        .ok_or(Unmeasured::NotRun)
}

fn why_refused(strategy: Strategy, forged: &RecordedExchange) -> String {
    let cookie = match strategy {
        Strategy::Keyturn => Some("__Host-"),
        Strategy::ReadableCookie => Some(ACCESS_COOKIE),
        Strategy::SessionCookie => Some(SESSION_COOKIE),
        Strategy::LocalStorage | Strategy::SessionStorage | Strategy::Memory => None,
    };
    let came = cookie.is_some_and(|name| header(forged, "cookie").is_some_and(|all| all.contains(name)));
    let status = forged.status;
    let withheld = "the browser withheld the cookie (SameSite)";
    match cookie {
        _ if problem_code(forged) == Some(ProblemCode::CrossSiteRequest) => {
            let too = if came {
                String::new()
            } else {
                format!(" Besides, {withheld}.")
            };
            format!(
                "The server refused the request because of its origin ({status}, Origin and Sec-Fetch-Site).{too}"
            )
        }
        Some(_) if came => {
            format!("The browser sent the cookie, but the server refused the request ({status}).")
        }
        Some(_) => format!("The form arrived without a cookie ({status}): {withheld}."),
        None => format!(
            "The form carried no credential ({status}): browsers attach cookies to forms, but not tokens held by scripts."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::fixtures::{EXPOSED, SAFE, account, received, verdict_of, with_headers};

    /// A form of another site.
    fn form(path: &str, status: u16, cookies: &str) -> Evidence {
        let headers = [("sec-fetch-site", "cross-site"), ("cookie", cookies)];
        Evidence::Exchange(with_headers(path, status, &headers))
    }

    #[test]
    fn a_forged_request_is_judged_by_its_response() {
        let path = "/weak/session-cookie/transfer";
        let verdict = |evidence: &[Evidence]| verdict_of(request(Strategy::SessionCookie, path, evidence));
        let before = account("before", Some("ada@x"));
        assert_eq!(
            verdict(&[before.clone(), received(Participant::Page, path, 200)]),
            None
        );
        let case = |form| verdict(&[before.clone(), form]);
        assert_eq!(case(form(path, 200, "lab_session=x")), EXPOSED);
        assert_eq!(case(form(path, 401, "")), SAFE);
        assert_eq!(verdict(&[form(path, 401, "")]), None, "no visitor was signed in");
    }

    #[test]
    fn login_csrf_depends_on_the_account_that_is_signed_in_afterwards() {
        let path = "/weak/readable-cookie/login";
        let verdict = |evidence: &[Evidence]| verdict_of(sign_in(Strategy::ReadableCookie, path, evidence));
        let before = account("before", Some("ada@x"));
        let case = |status, user| {
            verdict(&[
                before.clone(),
                form(path, status, ""),
                account("afterwards", Some(user)),
            ])
        };
        assert_eq!(case(200, "mallory@x"), EXPOSED);
        assert_eq!(case(200, "ada@x"), SAFE);
        assert_eq!(case(403, "ada@x"), SAFE);
        assert_eq!(case(401, "ada@x"), None, "a wrong password");
        assert_eq!(verdict(&[before.clone(), form(path, 200, "")]), None);
    }
}
