//! From evidence to verdict. Pure, and the only place where a cell's colour comes from.

use api_types::lab::{Evidence, Exchange, Strategy, Threat, Verdict, Who};

use super::{attacker::Doors, plan::CellId};

/// What an attack is about to find out.
pub fn hypothesis(threat: Threat) -> &'static str {
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
            "A script in the page can have tokens issued to it that work for the attacker elsewhere."
        }
        Threat::Proxying => "A script in the page can act as the visitor without holding any token.",
        Threat::CsrfChange => "A form of another site changes something in the visitor’s name.",
        Threat::CsrfLogin => "A form of another site signs the visitor in as the attacker.",
        Threat::CsrfLogout => "A form of another site signs the visitor out.",
        Threat::AccessAfterSignOut => "A copy of the access token works after its owner has signed out.",
        Threat::RefreshAfterRotation => "A copy of the refresh token works after its owner has rotated it.",
        Threat::RefreshBeforeOwner => {
            "Whoever uses a copy of the refresh token before its owner keeps the session after the owner came back."
        }
    }
}

/// What the evidence comes to, and what decided.
pub fn judge((strategy, threat): CellId, evidence: &[Evidence]) -> (Verdict, String) {
    let case = Case {
        doors: Doors::of(strategy),
        strategy,
        evidence,
    };
    let outcome = match threat {
        Threat::Reload | Threat::NewTab | Threat::Restart => case.survival(threat),
        Threat::SingleExecutionTheft | Threat::PersistentTheft | Threat::NewTokens => case.theft(),
        Threat::Proxying => case.proxying(),
        Threat::CsrfChange => case.forgery(&case.doors.transfer),
        Threat::CsrfLogout => case.forgery(&case.doors.logout),
        Threat::CsrfLogin => case.forged_sign_in(),
        Threat::AccessAfterSignOut => case.access_after_sign_out(),
        Threat::RefreshAfterRotation | Threat::RefreshBeforeOwner => case.copied_refresh_token(),
    };
    outcome.unwrap_or_else(|why| (Verdict::NotMeasured, case.failure().unwrap_or(why)))
}

type Outcome = Result<(Verdict, String), String>;

enum Visitor<'a> {
    Nobody,
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

    /// Whom the server took the browser for when the step was over.
    fn seen_afterwards(&self) -> Option<Visitor<'_>> {
        self.evidence.iter().rev().find_map(|one| match one {
            Evidence::Seen { when, user, .. } if when == "afterwards" => {
                Some(user.as_deref().map_or(Visitor::Nobody, Visitor::SignedInAs))
            }
            _ => None,
        })
    }

    /// A step that broke off says why.
    fn failure(&self) -> Option<String> {
        self.evidence.iter().find_map(|one| match one {
            Evidence::Note { text, .. } if text.starts_with("The step failed") => Some(text.clone()),
            _ => None,
        })
    }

    fn survival(&self, threat: Threat) -> Outcome {
        let afterwards = self.seen_afterwards().ok_or(match threat {
            Threat::Restart => "A page cannot restart the browser. The project’s own tests measure this row.",
            Threat::NewTab => "No other tab came to look.",
            _ => "Not run yet.",
        })?;
        Ok(match afterwards {
            Visitor::SignedInAs(user) => (
                Verdict::Survives,
                format!("Afterwards the server still took this browser for {user}."),
            ),
            Visitor::Nobody => (
                Verdict::Lost,
                "Afterwards the page had nothing left that the server would accept.".into(),
            ),
        })
    }

    /// Whether the attack's script ran at all.
    fn script_reported(&self) -> Result<usize, String> {
        let loot = self.evidence.iter().rev().find_map(|one| match one {
            Evidence::Loot { found, .. } => Some(found.len()),
            _ => None,
        });
        loot.ok_or_else(|| "Not run yet.".into())
    }

    fn theft(&self) -> Outcome {
        let pieces = self.script_reported()?;
        let got_in = self
            .exchanges(Who::Attacker, &self.doors.me)
            .any(|one| one.status == 200);
        Ok(if got_in {
            (
                Verdict::Exposed,
                "With what the script brought, the attacker’s server read the visitor’s profile.".into(),
            )
        } else if pieces == 0 {
            (Verdict::Safe, "The script ran and found nothing to take.".into())
        } else {
            (
                Verdict::Safe,
                "Nothing that the script brought was accepted from the attacker’s server.".into(),
            )
        })
    }

    fn proxying(&self) -> Outcome {
        self.script_reported()?;
        let sent = self.exchanges(Who::Page, &self.doors.transfer).any(succeeded);
        Ok(if sent {
            (
                Verdict::Exposed,
                "The script pressed the page’s own button, and the server did as it was told.".into(),
            )
        } else {
            (
                Verdict::Safe,
                "The script pressed the page’s own button, and the server refused.".into(),
            )
        })
    }

    /// The request that came from the attacker's form: a navigation that the browser says begins at another site.
    fn forged(&self, door: &str) -> Result<&Exchange, String> {
        self.exchanges(Who::Page, door)
            .rfind(|one| header(one, "sec-fetch-mode") == Some("navigate"))
            .ok_or_else(|| "Not run yet.".into())
    }

    fn forgery(&self, door: &str) -> Outcome {
        let forged = self.forged(door)?;
        Ok(if succeeded(forged) {
            (
                Verdict::Exposed,
                "The browser sent the cookie along with the other site’s form, and the server obeyed.".into(),
            )
        } else {
            (Verdict::Safe, self.why_refused(forged))
        })
    }

    fn why_refused(&self, forged: &Exchange) -> String {
        let credentials = header(forged, "cookie").is_some_and(|cookies| match self.strategy {
            Strategy::Keyturn => cookies.contains("__Host-"),
            Strategy::ReadableCookie => cookies.contains(super::tutorial::ACCESS_COOKIE),
            Strategy::SessionCookie => cookies.contains(super::tutorial::SESSION_COOKIE),
            _ => false,
        });
        let status = forged.status;
        if forged.answer.contains("cross_site_request") {
            let cookie = if credentials {
                ""
            } else {
                " The browser had kept the cookie back as well (SameSite)."
            };
            format!(
                "The server refused the request for where it came from ({status}, Origin and Sec-Fetch-Site).{cookie}"
            )
        } else if credentials {
            format!("The cookie came along, and the server refused all the same ({status}).")
        } else {
            format!(
                "The form came without anything that would sign it in ({status}): a browser adds cookies to it, and never a token."
            )
        }
    }

    fn forged_sign_in(&self) -> Outcome {
        let forged = self.forged(&self.doors.login)?;
        let afterwards = self.seen_afterwards().ok_or("The page did not come back.")?;
        Ok(match afterwards {
            Visitor::SignedInAs(user) if user.starts_with("mallory@") => (
                Verdict::Exposed,
                "The visitor goes on as the attacker, and everything typed from now on is the attacker’s to read.".into(),
            ),
            _ if succeeded(forged) => (
                Verdict::Safe,
                "The server signed the attacker in, but the tokens went into a page that nobody reads; the visitor’s own page kept its own.".into(),
            ),
            _ => (Verdict::Safe, self.why_refused(forged)),
        })
    }

    fn access_after_sign_out(&self) -> Outcome {
        let replayed = self.exchanges(Who::Attacker, &self.doors.me).next_back();
        let replayed = replayed.ok_or("Not run yet.")?;
        Ok(if succeeded(replayed) {
            (
                Verdict::Exposed,
                "The server looks at signature and expiry alone: the copy works until it expires.".into(),
            )
        } else {
            (
                Verdict::Safe,
                format!("The session is over, and with it the copy ({}).", replayed.status),
            )
        })
    }

    fn copied_refresh_token(&self) -> Outcome {
        let door = match self.strategy {
            Strategy::SessionCookie => &self.doors.me,
            _ => &self.doors.refresh,
        };
        let last = self
            .exchanges(Who::Attacker, door)
            .next_back()
            .ok_or("Not run yet.")?;
        Ok(if succeeded(last) {
            let why = match self.strategy {
                Strategy::SessionCookie => {
                    "A session id is never exchanged for another: a copy is as good as the original."
                }
                _ => "The thief holds the newest token, and nothing has told the server so.",
            };
            (Verdict::Exposed, why.into())
        } else {
            (Verdict::Safe, format!("The copy was refused ({}).", last.status))
        })
    }
}

fn header<'a>(exchange: &'a Exchange, wanted: &str) -> Option<&'a str> {
    let found = exchange.headers.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}

fn succeeded(exchange: &Exchange) -> bool {
    (200..400).contains(&exchange.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::lab::Found;

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

    /// A form of another site's, with these cookies.
    fn forged(path: &str, status: u16, cookies: &str) -> Evidence {
        let mut forged = exchange(Who::Page, path, status);
        forged.headers = vec![
            ("sec-fetch-mode".into(), "navigate".into()),
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
        judge((strategy, threat), evidence).0
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
        let (verdict, because) = judge((Strategy::Memory, Threat::Proxying), &broken);
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
        let (gone, there) = (seen("afterwards", None), seen("afterwards", Some("ada@x")));
        assert_eq!(verdict(memory, reload, &[before.clone(), gone]), Verdict::Lost);
        assert_eq!(verdict(memory, reload, &[before, there]), Verdict::Survives);
    }

    #[test]
    fn loot_counts_only_if_it_opened_something_for_the_attacker() {
        let (strategy, threat) = (Strategy::LocalStorage, Threat::SingleExecutionTheft);
        let me = "/weak/local-storage/me";
        assert_eq!(verdict(strategy, threat, &[loot(0)]), Verdict::Safe);
        assert_eq!(
            verdict(strategy, threat, &[loot(1), received(Who::Attacker, me, 401)]),
            Verdict::Safe
        );
        assert_eq!(
            verdict(strategy, threat, &[loot(1), received(Who::Attacker, me, 200)]),
            Verdict::Exposed
        );
        let own_use = [loot(1), received(Who::Page, me, 200)];
        assert_eq!(
            verdict(strategy, threat, &own_use),
            Verdict::Safe,
            "that was the victim"
        );
    }

    #[test]
    fn a_forged_request_counts_by_its_answer_and_only_if_it_was_forged() {
        let (strategy, threat) = (Strategy::SessionCookie, Threat::CsrfChange);
        let transfer = "/weak/session-cookie/transfer";
        let own = [received(Who::Page, transfer, 200)];
        assert_eq!(verdict(strategy, threat, &own), Verdict::NotMeasured);
        assert_eq!(
            verdict(strategy, threat, &[forged(transfer, 200, "lab_session=x")]),
            Verdict::Exposed
        );
        assert_eq!(
            verdict(strategy, threat, &[forged(transfer, 401, "")]),
            Verdict::Safe
        );
    }

    #[test]
    fn login_csrf_is_about_who_the_visitor_is_afterwards() {
        let (strategy, threat) = (Strategy::ReadableCookie, Threat::CsrfLogin);
        let login = forged("/weak/readable-cookie/login", 200, "");
        let case = |user| verdict(strategy, threat, &[login.clone(), seen("afterwards", Some(user))]);
        assert_eq!(case("mallory@x"), Verdict::Exposed);
        assert_eq!(case("ada@x"), Verdict::Safe);
        assert_eq!(
            verdict(strategy, threat, std::slice::from_ref(&login)),
            Verdict::NotMeasured
        );
    }

    #[test]
    fn of_a_copied_refresh_token_the_last_use_decides() {
        let (strategy, threat) = (Strategy::Keyturn, Threat::RefreshBeforeOwner);
        let refresh = api_types::paths::REFRESH;
        let (taken, refused) = (
            received(Who::Attacker, refresh, 200),
            received(Who::Attacker, refresh, 401),
        );
        assert_eq!(
            verdict(strategy, threat, &[taken.clone(), refused.clone()]),
            Verdict::Safe
        );
        assert_eq!(verdict(strategy, threat, &[refused, taken]), Verdict::Exposed);
    }
}
