//! The storage experiment: places for tokens, against events that affect a session.

use lab_types::{Evidence, Exchange, Strategy, Threat, Verdict, Who};

use super::{NOT_RUN, Outcome, obeyed};
use crate::{
    attacker::Doors,
    recorder::header,
    tutorial::{ACCESS_COOKIE, SESSION_COOKIE},
};

/// The hypothesis of an attack.
pub(super) fn hypothesis(threat: Threat) -> &'static str {
    match threat {
        Threat::Reload => "After a reload the visitor is still signed in.",
        Threat::NewTab => {
            "In another tab of the same browser, with the first one open, the visitor is signed in too."
        }
        Threat::Restart => "After the browser was closed and started again the visitor is still signed in.",
        Threat::SingleExecutionTheft => {
            "A script that runs once in the page finds a token that works for the attacker elsewhere."
        }
        Threat::PersistentTheft => {
            "A script that stays in the page, and listens to its requests, gets a token that works for the attacker elsewhere."
        }
        Threat::NewTokens => {
            "A script in the page that does not listen to it can have tokens issued that work for the attacker elsewhere."
        }
        Threat::Proxying => "A script in the page can act as the visitor without holding any token.",
        Threat::CsrfChange => "A form of another site changes state as the visitor.",
        Threat::CsrfLogin => "A form of another site signs the visitor in as the attacker.",
        Threat::CsrfLogout => "A form of another site signs the visitor out.",
        Threat::AccessAfterSignOut => "A copy of the access token works after its owner has signed out.",
        Threat::RefreshAfterRotation => "A copy of the refresh token works after its owner has rotated it.",
        Threat::RefreshBeforeOwner => {
            "An attacker who uses a stolen refresh token first keeps access after the owner returns."
        }
    }
}

/// The verdict on a cell's evidence.
pub(super) fn judge(strategy: Strategy, threat: Threat, evidence: &[Evidence]) -> Outcome {
    let case = Case {
        doors: Doors::of(strategy),
        strategy,
        evidence,
    };
    match threat {
        Threat::Reload | Threat::NewTab | Threat::Restart => case.survival(threat),
        Threat::SingleExecutionTheft | Threat::PersistentTheft | Threat::NewTokens => case.theft(),
        Threat::Proxying => case.proxying(),
        Threat::CsrfChange => case.forgery(&case.doors.transfer),
        Threat::CsrfLogout => case.forgery(&case.doors.logout),
        Threat::CsrfLogin => case.forged_sign_in(),
        Threat::AccessAfterSignOut => case.access_after_sign_out(),
        Threat::RefreshAfterRotation => case.refresh_after_rotation(),
        Threat::RefreshBeforeOwner => case.refresh_before_owner(),
    }
}

enum Visitor<'a> {
    Anonymous,
    SignedInAs(&'a str),
}

struct Case<'a> {
    doors: Doors,
    strategy: Strategy,
    evidence: &'a [Evidence],
}

impl Case<'_> {
    fn exchanges(&self, who: Who, door: &str) -> impl DoubleEndedIterator<Item = &Exchange> {
        self.evidence.iter().filter_map(move |one| match one {
            Evidence::Exchange(exchange) if exchange.who == who && exchange.path == door => Some(exchange),
            _ => None,
        })
    }

    /// The account that the server saw in this browser, at the last check of this kind.
    fn seen(&self, then: &str) -> Option<Visitor<'_>> {
        self.evidence.iter().rev().find_map(|one| match one {
            Evidence::Seen { when, user, .. } if when == then => {
                Some(user.as_deref().map_or(Visitor::Anonymous, Visitor::SignedInAs))
            }
            _ => None,
        })
    }

    fn seen_afterwards(&self) -> Option<Visitor<'_>> {
        self.seen("afterwards")
    }

    /// The account that was signed in before the attack.
    fn visitor(&self) -> Result<&str, String> {
        match self.seen("before") {
            Some(Visitor::SignedInAs(user)) => Ok(user),
            _ => Err("There is no evidence that the visitor was signed in before.".into()),
        }
    }

    fn survival(&self, threat: Threat) -> Outcome {
        let afterwards = self.seen_afterwards().ok_or(match threat {
            Threat::Restart => "A page cannot restart the browser. The project’s own tests measure this row.",
            Threat::NewTab => "The other tab never reported.",
            _ => NOT_RUN,
        })?;
        let visitor = self.visitor()?;
        Ok(match afterwards {
            Visitor::SignedInAs(user) if user == visitor => (
                Verdict::Survives,
                format!("Afterwards this browser was still signed in as {user}."),
            ),
            Visitor::SignedInAs(user) => (
                Verdict::Lost,
                format!("Afterwards this browser was signed in as someone else: {user}."),
            ),
            Visitor::Anonymous => (
                Verdict::Lost,
                "Afterwards the page held no valid credential.".into(),
            ),
        })
    }

    /// The number of pieces that the attack's script brought, if it ran at all.
    fn loot(&self) -> Result<usize, String> {
        let loot = self.evidence.iter().rev().find_map(|one| match one {
            Evidence::Loot { found, .. } => Some(found.len()),
            _ => None,
        });
        loot.ok_or_else(|| NOT_RUN.into())
    }

    /// Checks that the attacker's server has tried all of them, and got responses.
    fn all_was_tried(&self) -> Result<(), String> {
        let unanswered = self.evidence.iter().rev().find_map(|one| match one {
            Evidence::Tried { unanswered, .. } => Some(*unanswered),
            _ => None,
        });
        match unanswered {
            Some(0) => Ok(()),
            Some(_) => Err("The attacker’s server got no answer to some of its requests.".into()),
            None => Err("The attacker’s server has not tried the loot yet.".into()),
        }
    }

    fn theft(&self) -> Outcome {
        let pieces = self.loot()?;
        let opened = |door: &str| {
            self.exchanges(Who::Attacker, door)
                .map(obeyed)
                .collect::<Result<Vec<_>, _>>()
        };
        if opened(&self.doors.me)?.contains(&true) {
            let why = "The attacker’s server used the stolen token to read the visitor’s profile.";
            return Ok((Verdict::Exposed, why.into()));
        }
        self.all_was_tried()?;
        opened(&self.doors.refresh)?;
        let why = if pieces == 0 {
            "The script ran but found no token."
        } else {
            "No stolen token was accepted from the attacker’s server."
        };
        Ok((Verdict::Safe, why.into()))
    }

    fn proxying(&self) -> Outcome {
        self.loot()?;
        let sent = self.exchanges(Who::Page, &self.doors.transfer).next_back();
        Ok(if obeyed(sent.ok_or("The page’s own button sent nothing.")?)? {
            (
                Verdict::Exposed,
                "The script clicked the page’s own button, and the server executed the request.".into(),
            )
        } else {
            (
                Verdict::Safe,
                "The script clicked the page’s own button, and the server refused the request.".into(),
            )
        })
    }

    /// The request from the attacker's form: the browser marks it as coming from another site.
    fn forged(&self, door: &str) -> Result<&Exchange, String> {
        self.exchanges(Who::Page, door)
            .rfind(|one| matches!(header(one, "sec-fetch-site"), Some("cross-site" | "same-site")))
            .ok_or_else(|| NOT_RUN.into())
    }

    fn forgery(&self, door: &str) -> Outcome {
        let forged = self.forged(door)?;
        self.visitor()?;
        Ok(if obeyed(forged)? {
            (
                Verdict::Exposed,
                "The browser sent the cookie with the other site’s form, and the server executed the request.".into(),
            )
        } else {
            (Verdict::Safe, self.why_refused(forged))
        })
    }

    fn why_refused(&self, forged: &Exchange) -> String {
        let cookie = match self.strategy {
            Strategy::Keyturn => Some("__Host-"),
            Strategy::ReadableCookie => Some(ACCESS_COOKIE),
            Strategy::SessionCookie => Some(SESSION_COOKIE),
            Strategy::LocalStorage | Strategy::SessionStorage | Strategy::Memory => None,
        };
        let came = cookie.is_some_and(|name| header(forged, "cookie").is_some_and(|all| all.contains(name)));
        let status = forged.status;
        let kept_back = "the browser withheld the cookie (SameSite)";
        match cookie {
            _ if forged.answer.contains("cross_site_request") => {
                let too = if came {
                    String::new()
                } else {
                    format!(" Besides, {kept_back}.")
                };
                format!(
                    "The server refused the request because of its origin ({status}, Origin and Sec-Fetch-Site).{too}"
                )
            }
            Some(_) if came => {
                format!("The browser sent the cookie, but the server refused the request ({status}).")
            }
            Some(_) => format!("The form arrived without a cookie ({status}): {kept_back}."),
            None => format!(
                "The form carried no credential ({status}): browsers attach cookies to forms, but not tokens held by scripts."
            ),
        }
    }

    fn forged_sign_in(&self) -> Outcome {
        let forged = self.forged(&self.doors.login)?;
        self.visitor()?;
        let signed_in = obeyed(forged)?;
        if forged.status == 401 {
            return Err("Control failed: the server rejected the attacker’s sign-in form.".into());
        }
        let why = match self.seen_afterwards().ok_or("The page did not come back.")? {
            Visitor::SignedInAs(user) if user.starts_with("mallory@") => {
                let why = "The visitor is now signed in to the attacker’s account, and the attacker can read everything typed from now on.";
                return Ok((Verdict::Exposed, why.into()));
            }
            _ if !signed_in => self.why_refused(forged),
            Visitor::SignedInAs(_) => {
                "The server signed the attacker in, but the tokens went into a page that is never read; \
                                       the visitor’s own page kept its tokens."
                    .into()
            }
            Visitor::Anonymous => {
                "The server signed the attacker in, but the tokens went into a page that is never read; the \
                                visitor’s page lost its tokens by navigating away and is signed out."
                    .into()
            }
        };
        Ok((Verdict::Safe, why))
    }

    fn access_after_sign_out(&self) -> Outcome {
        let mut story = self.story();
        story.needs(Who::Page, &self.doors.me, "the token had worked for its owner")?;
        story.needs(Who::Page, &self.doors.logout, "the owner had signed out")?;
        Ok(if story.outcome(&self.doors.me)? {
            (
                Verdict::Exposed,
                "The server checks only signature and expiry: the copy works until it expires.".into(),
            )
        } else {
            (
                Verdict::Safe,
                "The session has ended, so the copy was refused.".into(),
            )
        })
    }

    fn refresh_after_rotation(&self) -> Outcome {
        let door = self.door_of_copies();
        let mut story = self.story();
        story.needs(Who::Page, door, "its owner had used it")?;
        let outcome = story.outcome(door)?;
        Ok(self.copied(outcome))
    }

    fn refresh_before_owner(&self) -> Outcome {
        let door = self.door_of_copies();
        let mut story = self.story();
        story.needs(Who::Attacker, door, "the thief had used it first")?;
        // Served or refused: what matters is that the owner returned.
        story
            .passes(Who::Page, door)
            .ok_or("The owner has not returned yet.")?;
        let outcome = story.outcome(door)?;
        Ok(self.copied(outcome))
    }

    /// A session id is used like an access token, and is never rotated.
    fn door_of_copies(&self) -> &str {
        match self.strategy {
            Strategy::SessionCookie => &self.doors.me,
            _ => &self.doors.refresh,
        }
    }

    fn copied(&self, works: bool) -> (Verdict, String) {
        match (works, self.strategy) {
            (false, _) => (Verdict::Safe, "The copy was refused.".into()),
            (true, Strategy::SessionCookie) => (
                Verdict::Exposed,
                "A session id is not rotated: a copy is as good as the original.".into(),
            ),
            (true, _) => (
                Verdict::Exposed,
                "The thief holds the newest token, and the server ignored the reuse of the old one.".into(),
            ),
        }
    }

    fn story(&self) -> Story<'_> {
        Story { rest: self.evidence }
    }
}

/// The evidence from some point on, to check what must have happened before something else.
struct Story<'a> {
    rest: &'a [Evidence],
}

impl<'a> Story<'a> {
    /// Skips to the evidence after this actor's next exchange at an endpoint, whatever its result.
    fn passes(&mut self, who: Who, door: &str) -> Option<&'a Exchange> {
        self.behind(who, door, |_| true)
    }

    /// Skips to the evidence after this actor's next exchange that the endpoint executed.
    fn needs(&mut self, who: Who, door: &str, what: &str) -> Result<(), String> {
        let found = self.behind(who, door, |exchange| obeyed(exchange) == Ok(true));
        found.map(drop).ok_or_else(|| {
            if self.rest.is_empty() {
                NOT_RUN.into()
            } else {
                format!("There is no evidence that {what}.")
            }
        })
    }

    /// Whether the attacker's last request from this point on was executed.
    fn outcome(&self, door: &str) -> Result<bool, String> {
        let mut rest = Self { rest: self.rest };
        let mut last = Err("The copy has not been tried yet.".to_owned());
        while let Some(exchange) = rest.passes(Who::Attacker, door) {
            last = obeyed(exchange);
        }
        last
    }

    fn behind(&mut self, who: Who, door: &str, is_it: impl Fn(&Exchange) -> bool) -> Option<&'a Exchange> {
        let found = self.rest.iter().enumerate().find_map(|(at, one)| match one {
            Evidence::Exchange(exchange)
                if exchange.who == who && exchange.path == door && is_it(exchange) =>
            {
                Some((at, exchange))
            }
            _ => None,
        });
        let (at, exchange) = found?;
        self.rest = &self.rest[at + 1..];
        Some(exchange)
    }
}

#[cfg(test)]
mod tests {
    use lab_types::{Found, Place};

    use super::*;
    use crate::verdict;

    fn exchange(who: Who, path: &str, status: u16) -> Exchange {
        Exchange {
            at_ms: 0,
            who,
            method: "POST".into(),
            path: path.into(),
            headers: vec![],
            body: String::new(),
            status,
            answer_headers: vec![],
            answer: String::new(),
        }
    }

    fn received(who: Who, path: &str, status: u16) -> Evidence {
        Evidence::Exchange(exchange(who, path, status))
    }

    /// A form of another site, with these cookies.
    fn forged(path: &str, status: u16, cookies: &str) -> Evidence {
        let mut forged = exchange(Who::Page, path, status);
        forged.headers = vec![
            ("sec-fetch-site".into(), "cross-site".into()),
            ("cookie".into(), cookies.into()),
        ];
        Evidence::Exchange(forged)
    }

    fn seen(when: &str, user: Option<&str>) -> Evidence {
        Evidence::Seen {
            at_ms: 0,
            who: Who::Page,
            when: when.into(),
            user: user.map(str::to_owned),
        }
    }

    fn loot(pieces: usize) -> Evidence {
        let piece = Found {
            place: "localStorage".into(),
            name: "token".into(),
            value: "a.b.c".into(),
        };
        Evidence::Loot {
            at_ms: 0,
            found: vec![piece; pieces],
        }
    }

    fn verdict(strategy: Strategy, threat: Threat, evidence: &[Evidence]) -> Verdict {
        verdict::judge(Place::Storage { strategy, threat }, evidence).0
    }

    #[test]
    fn without_evidence_nothing_is_measured() {
        for threat in Threat::ALL {
            for strategy in Strategy::ALL {
                assert_eq!(verdict(*strategy, *threat, &[]), Verdict::NotMeasured);
            }
        }
    }

    #[test]
    fn a_step_that_broke_off_says_why() {
        let broken = [Evidence::Note {
            at_ms: 0,
            who: Who::Page,
            text: "The step failed: no answer".into(),
        }];
        let place = Place::Storage {
            strategy: Strategy::Memory,
            threat: Threat::Proxying,
        };
        let (verdict, because) = verdict::judge(place, &broken);
        assert_eq!(verdict, Verdict::NotMeasured);
        assert_eq!(because, "The step failed: no answer");
    }

    #[test]
    fn a_session_survives_if_the_server_knows_its_user_afterwards() {
        let before = seen("before", Some("ada@x"));
        let (memory, reload) = (Strategy::Memory, Threat::Reload);
        assert_eq!(
            verdict(memory, reload, std::slice::from_ref(&before)),
            Verdict::NotMeasured
        );
        let afterwards = |user| seen("afterwards", user);
        let case = |user| verdict(memory, reload, &[before.clone(), afterwards(user)]);
        assert_eq!(case(None), Verdict::Lost);
        assert_eq!(case(Some("ada@x")), Verdict::Survives);
        assert_eq!(case(Some("bob@x")), Verdict::Lost, "a different account");
        let anonymous = [seen("before", None), afterwards(Some("ada@x"))];
        assert_eq!(verdict(memory, reload, &anonymous), Verdict::NotMeasured);
    }

    fn tried(unanswered: u32) -> Evidence {
        Evidence::Tried {
            at_ms: 0,
            requests: 1,
            unanswered,
        }
    }

    #[test]
    fn loot_counts_only_if_it_opened_something_for_the_attacker() {
        let me = "/weak/local-storage/me";
        let case =
            |evidence: &[Evidence]| verdict(Strategy::LocalStorage, Threat::SingleExecutionTheft, evidence);
        let (opened, refused) = (received(Who::Attacker, me, 200), received(Who::Attacker, me, 401));
        assert_eq!(case(&[loot(0), tried(0)]), Verdict::Safe);
        assert_eq!(case(&[loot(1), refused.clone(), tried(0)]), Verdict::Safe);
        assert_eq!(case(&[loot(1), opened.clone()]), Verdict::Exposed);
        assert_eq!(
            case(&[loot(1), received(Who::Page, me, 200), tried(0)]),
            Verdict::Safe,
            "that was the victim"
        );
    }

    #[test]
    fn what_was_not_tried_out_to_its_end_is_not_safe() {
        let me = "/weak/local-storage/me";
        let case =
            |evidence: &[Evidence]| verdict(Strategy::LocalStorage, Threat::SingleExecutionTheft, evidence);
        let refused = received(Who::Attacker, me, 401);
        assert_eq!(
            case(&[loot(1), refused.clone()]),
            Verdict::NotMeasured,
            "still at it"
        );
        assert_eq!(
            case(&[loot(1), refused, tried(1)]),
            Verdict::NotMeasured,
            "no answer"
        );
        let trouble = received(Who::Attacker, me, 503);
        assert_eq!(
            case(&[loot(1), trouble, tried(0)]),
            Verdict::NotMeasured,
            "the server had trouble"
        );
    }

    #[test]
    fn a_forged_request_counts_by_its_answer_and_only_if_it_was_forged() {
        let (strategy, threat) = (Strategy::SessionCookie, Threat::CsrfChange);
        let transfer = "/weak/session-cookie/transfer";
        let own = [received(Who::Page, transfer, 200)];
        assert_eq!(verdict(strategy, threat, &own), Verdict::NotMeasured);
        let case = |form| verdict(strategy, threat, &[seen("before", Some("ada@x")), form]);
        assert_eq!(case(forged(transfer, 200, "lab_session=x")), Verdict::Exposed);
        assert_eq!(case(forged(transfer, 401, "")), Verdict::Safe);
        assert_eq!(
            verdict(strategy, threat, &[forged(transfer, 401, "")]),
            Verdict::NotMeasured,
            "no visitor was signed in"
        );
    }

    #[test]
    fn login_csrf_is_about_who_the_visitor_is_afterwards() {
        let (strategy, threat) = (Strategy::ReadableCookie, Threat::CsrfLogin);
        let login = |status| forged("/weak/readable-cookie/login", status, "");
        let before = seen("before", Some("ada@x"));
        let case = |status, user| {
            let evidence = [before.clone(), login(status), seen("afterwards", Some(user))];
            verdict(strategy, threat, &evidence)
        };
        assert_eq!(case(200, "mallory@x"), Verdict::Exposed);
        assert_eq!(case(200, "ada@x"), Verdict::Safe);
        assert_eq!(case(403, "ada@x"), Verdict::Safe);
        assert_eq!(case(401, "ada@x"), Verdict::NotMeasured, "a wrong password");
        assert_eq!(
            verdict(strategy, threat, &[before.clone(), login(200)]),
            Verdict::NotMeasured
        );
    }

    #[test]
    fn a_copy_used_first_is_judged_when_its_owner_was_there() {
        let refresh = api_types::paths::REFRESH;
        let case = |evidence: &[Evidence]| verdict(Strategy::Keyturn, Threat::RefreshBeforeOwner, evidence);
        let thief = |status| received(Who::Attacker, refresh, status);
        let owner = received(Who::Page, refresh, 401);
        assert_eq!(case(&[thief(200)]), Verdict::NotMeasured, "the owner is not back");
        assert_eq!(
            case(&[thief(200), owner.clone()]),
            Verdict::NotMeasured,
            "not tried again"
        );
        assert_eq!(
            case(&[thief(401), owner.clone(), thief(401)]),
            Verdict::NotMeasured,
            "was never used first"
        );
        assert_eq!(case(&[thief(200), owner.clone(), thief(401)]), Verdict::Safe);
        assert_eq!(case(&[thief(200), owner, thief(200)]), Verdict::Exposed);
    }

    #[test]
    fn a_copy_used_after_rotation_is_judged_only_if_there_was_one() {
        let refresh = api_types::paths::REFRESH;
        let case = |evidence: &[Evidence]| verdict(Strategy::Keyturn, Threat::RefreshAfterRotation, evidence);
        let (owner, thief) = (
            received(Who::Page, refresh, 200),
            received(Who::Attacker, refresh, 401),
        );
        assert_eq!(case(std::slice::from_ref(&thief)), Verdict::NotMeasured);
        assert_eq!(
            case(&[received(Who::Page, refresh, 503), thief.clone()]),
            Verdict::NotMeasured
        );
        assert_eq!(case(&[owner, thief]), Verdict::Safe);
    }

    #[test]
    fn an_access_token_is_judged_after_a_sign_out_that_happened() {
        let (me, logout) = (api_types::paths::ME, api_types::paths::LOGOUT);
        let case = |evidence: &[Evidence]| verdict(Strategy::Keyturn, Threat::AccessAfterSignOut, evidence);
        let (used, gone) = (received(Who::Page, me, 200), received(Who::Page, logout, 204));
        let thief = |status| received(Who::Attacker, me, status);
        assert_eq!(
            case(&[used.clone(), thief(200)]),
            Verdict::NotMeasured,
            "still signed in"
        );
        assert_eq!(
            case(&[used.clone(), received(Who::Page, logout, 503), thief(200)]),
            Verdict::NotMeasured
        );
        assert_eq!(
            case(&[used.clone(), gone.clone(), thief(503)]),
            Verdict::NotMeasured
        );
        assert_eq!(case(&[used.clone(), gone.clone(), thief(200)]), Verdict::Exposed);
        assert_eq!(case(&[used, gone, thief(401)]), Verdict::Safe);
    }
}
