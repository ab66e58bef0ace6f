//! Concurrent refreshes, against servers with different protection.
//!
//! The small server here reads the state of a token, waits as long as a remote database would take, and writes. What it
//! does on writing depends on the column. The last column is the product itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use api_types::paths;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use lab_types::{Load, Place, Remedy};
use serde_json::json;
use web::extract::{Json, bearer_token};

use super::{Lab, recorder::Of, runs::Run, tutorial, victim};

const COOKIE: &str = "lab_race";
/// The time between reading and writing: the maximum delay between two concurrent browser requests on a busy machine.
const THINKING: Duration = Duration::from_millis(250);
/// The same as Keyturn, in cells where no one waits for it to end.
const GRACE_MS: u64 = 10_000;

/// The text that replaces a response that the lab drops.
pub const LOST: &str = "Response dropped: the page gets 502 and no cookie.";

/// The endpoints of a column's server.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub refresh: String,
    pub me: String,
}

pub fn endpoints(remedy: Remedy) -> Endpoints {
    match remedy {
        Remedy::Server | Remedy::Together => Endpoints {
            refresh: paths::REFRESH.into(),
            me: paths::ME.into(),
        },
        _ => Endpoints {
            refresh: format!("/race/{}/refresh", remedy.slug()),
            me: format!("/race/{}/me", remedy.slug()),
        },
    }
}

/// The refresh cookie of a column's server.
pub fn cookie_name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Server | Remedy::Together => super::PRODUCT_COOKIE,
        _ => COOKIE,
    }
}

/// Whether to drop the response to this request: the first response of the cell that contains a token.
pub fn loses(run: &Run, cell: Place, path: &str, status: StatusCode) -> bool {
    match cell {
        Place::Race {
            remedy,
            load: Load::LostAnswer,
        } => {
            status == StatusCode::OK
                && path == endpoints(remedy).refresh
                && run.tables(|tables| tables.lost.insert(cell))
        }
        _ => false,
    }
}

/// All tokens that descend from one sign-in.
#[derive(Debug, Default)]
pub struct Family {
    user: String,
    live: HashSet<String>,
    /// Used tokens, with their successor and when it was issued.
    spent: HashMap<String, (String, u64)>,
    access: HashSet<String>,
    has_ended: bool,
}

impl Family {
    fn knows(&self, token: &str) -> Option<Standing> {
        if self.has_ended {
            None
        } else if self.live.contains(token) {
            Some(Standing::Live)
        } else {
            self.spent.contains_key(token).then_some(Standing::Spent)
        }
    }

    /// Marks a token as used and makes `successor` the live one.
    fn rotate(&mut self, token: &str, successor: String, now_ms: u64) -> String {
        self.live.remove(token);
        self.live.insert(successor.clone());
        self.spent.insert(token.to_owned(), (successor.clone(), now_ms));
        successor
    }

    /// The token to respond with; `None` is a refusal. `seen` is what the server read before it waited.
    fn write(
        &mut self,
        remedy: Remedy,
        token: &str,
        seen: Standing,
        successor: String,
        now_ms: u64,
    ) -> Option<String> {
        match remedy {
            // The read value is trusted, however old it is.
            Remedy::None | Remedy::SingleFlight | Remedy::Lock => {
                (seen == Standing::Live).then(|| self.rotate(token, successor, now_ms))
            }
            Remedy::CompareAndSet | Remedy::Grace | Remedy::Server | Remedy::Together => {
                if self.has_ended {
                    return None;
                }
                if self.live.contains(token) {
                    return Some(self.rotate(token, successor, now_ms));
                }
                let (again, at_ms) = self.spent.get(token)?;
                let is_forgiven = now_ms.saturating_sub(*at_ms) < GRACE_MS || self.live.contains(again);
                if remedy != Remedy::CompareAndSet && is_forgiven {
                    return Some(again.clone());
                }
                self.has_ended = true;
                None
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Live,
    Spent,
}

/// The endpoints.
pub fn router() -> Router<Arc<Lab>> {
    Router::new()
        .route("/race/{remedy}/refresh", post(refresh))
        .route("/race/{remedy}/me", get(me))
}

/// Signs the visitor in for one cell, at that cell's server.
///
/// # Errors
/// The product's response if it is not 200.
pub async fn sign_in(lab: &Lab, run: &Run, cell: Place, remedy: Remedy) -> Result<Response, String> {
    let cookies = if matches!(remedy, Remedy::Server | Remedy::Together) {
        victim::log_in(lab, run).await?
    } else {
        let token = lab.tutorial.id();
        let family = Family {
            user: "ada".into(),
            live: HashSet::from([token.clone()]),
            ..Family::default()
        };
        run.tables(|tables| tables.families.insert(cell, family));
        vec![cookie(&token)]
    };
    Ok(tutorial::with_cookies(
        StatusCode::NO_CONTENT.into_response(),
        &cookies,
    ))
}

fn cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict")
}

async fn refresh(
    State(lab): State<Arc<Lab>>,
    Path(remedy): Path<Remedy>,
    Query(of): Query<Of>,
    headers: HeaderMap,
) -> Response {
    let refused = (
        StatusCode::UNAUTHORIZED,
        Json(json!({ "error": "sign in again" })),
    )
        .into_response();
    let (Some(run), Some(cell), Some(token)) = (of.run(&lab), of.cell(), tutorial::cookie(&headers, COOKIE))
    else {
        return refused;
    };
    let seen = run.tables(|tables| tables.families.get(&cell)?.knows(&token));
    let Some(seen) = seen else { return refused };
    tokio::time::sleep(THINKING).await;
    let (successor, access) = (lab.tutorial.id(), lab.tutorial.id());
    let now_ms = lab.runs.now_ms();
    let answer = run.tables(|tables| {
        let family = tables.families.get_mut(&cell)?;
        let token = family.write(remedy, &token, seen, successor, now_ms)?;
        family.access.insert(access.clone());
        Some(token)
    });
    match answer {
        Some(token) => (
            [(SET_COOKIE, cookie(&token))],
            Json(json!({ "access_token": access })),
        )
            .into_response(),
        None => refused,
    }
}

async fn me(State(lab): State<Arc<Lab>>, Query(of): Query<Of>, headers: HeaderMap) -> Response {
    let access = bearer_token(&headers).ok().flatten();
    let user = of
        .run(&lab)
        .zip(of.cell())
        .zip(access)
        .and_then(|((run, cell), access)| {
            run.tables(|tables| {
                let family = tables.families.get(&cell)?;
                (!family.has_ended && family.access.contains(access)).then(|| family.user.clone())
            })
        });
    match user {
        Some(user) => Json(json!({ "email": user })).into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "the access token has ended" })),
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> Family {
        Family {
            live: HashSet::from(["a".into()]),
            ..Family::default()
        }
    }

    /// Two requests with the same token, both of which read before either writes.
    fn race(remedy: Remedy) -> (Family, [Option<String>; 2]) {
        let mut family = family();
        let seen = family.knows("a").expect("it is live");
        let answers = ["b", "c"].map(|next| family.write(remedy, "a", seen, next.into(), 0));
        (family, answers)
    }

    #[test]
    fn without_compare_and_set_one_token_has_two_live_successors() {
        let (family, answers) = race(Remedy::None);
        assert_eq!(answers, [Some("b".into()), Some("c".into())]);
        assert_eq!(family.live.len(), 2);
    }

    #[test]
    fn compare_and_set_alone_takes_a_race_for_a_theft() {
        let (family, answers) = race(Remedy::CompareAndSet);
        assert_eq!(answers, [Some("b".into()), None]);
        assert!(family.has_ended);
        assert_eq!(family.knows("b"), None);
    }

    #[test]
    fn with_a_grace_both_get_the_same_and_later_it_is_a_theft_again() {
        let (mut family, answers) = race(Remedy::Grace);
        assert_eq!(answers, [Some("b".into()), Some("b".into())]);
        // Until the successor is used, its parent may request it again.
        assert_eq!(
            family.write(Remedy::Grace, "a", Standing::Spent, "d".into(), 10 * GRACE_MS),
            Some("b".into())
        );
        family.write(Remedy::Grace, "b", Standing::Live, "e".into(), 10 * GRACE_MS);
        assert_eq!(
            family.write(Remedy::Grace, "a", Standing::Spent, "f".into(), 20 * GRACE_MS),
            None
        );
        assert!(family.has_ended);
    }

    #[test]
    fn a_spent_token_is_refused_where_nothing_follows_from_it() {
        let mut family = family();
        family.rotate("a", "b".into(), 0);
        let seen = family.knows("a").expect("it is known");
        assert_eq!(family.write(Remedy::Lock, "a", seen, "c".into(), 0), None);
        assert_eq!(family.knows("b"), Some(Standing::Live));
    }
}
