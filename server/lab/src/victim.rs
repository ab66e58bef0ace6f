//! The victim's host: the runner's pages, and the two servers that they use.

use std::sync::Arc;

use api_types::{auth::RegisterRequest, paths};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Query, State},
    http::{
        Request, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE},
        request::Parts,
    },
    middleware::from_fn_with_state,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use lab_types::labels;
use lab_types::{Evidence, Place, Source, Strategy, Verdict, Who};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use web::{
    AppState,
    config::LabSites,
    extract::{AuthUser, Json},
};

use super::{
    GRACE, Lab,
    attacker::{self, Copies, Thief},
    guarded, plan, race,
    recorder::{self, Of},
    runs::{Person, Run},
    tutorial, verdict, vulnerable,
};

/// The change that the attacks on our own strategy try to make, behind the product's own guards.
pub const TRANSFER: &str = "/api/transfer";

/// How long the runner waits for the other tab.
const SECOND_TAB_MS: u64 = 15_000;
/// The thief and the owner wait until the grace period of the lab's product has passed.
const AFTER_GRACE_MS: u64 = 2_600;

const _: () = assert!(AFTER_GRACE_MS as u128 > GRACE.as_millis());

const PLAY: &str = include_str!("assets/play.html");

/// The files that browsers load, by path.
const ASSETS: [(&str, &str); 18] = [
    ("api.js", include_str!("assets/api.js")),
    ("play.js", include_str!("assets/play.js")),
    ("second-tab.js", include_str!("assets/second-tab.js")),
    ("restart.js", include_str!("assets/restart.js")),
    ("visitor.js", include_str!("assets/visitor.js")),
    ("race.js", include_str!("assets/race.js")),
    ("tab.js", include_str!("assets/tab.js")),
    ("tab-client.js", include_str!("assets/tab-client.js")),
    ("watch.js", include_str!("assets/watch.js")),
    ("vulnerable.js", include_str!("assets/vulnerable.js")),
    (
        "clients/token-client.js",
        include_str!("assets/clients/token-client.js"),
    ),
    (
        "clients/cookie-client.js",
        include_str!("assets/clients/cookie-client.js"),
    ),
    (
        "clients/local-storage.js",
        include_str!("assets/clients/local-storage.js"),
    ),
    (
        "clients/session-storage.js",
        include_str!("assets/clients/session-storage.js"),
    ),
    (
        "clients/readable-cookie.js",
        include_str!("assets/clients/readable-cookie.js"),
    ),
    (
        "clients/session-cookie.js",
        include_str!("assets/clients/session-cookie.js"),
    ),
    ("clients/memory.js", include_str!("assets/clients/memory.js")),
    (
        "clients/memory-and-refresh-cookie.js",
        include_str!("assets/clients/memory-and-refresh-cookie.js"),
    ),
];

/// The router of the victim's host.
pub fn router(lab: &Arc<Lab>) -> Router {
    let servers = tutorial::router()
        .merge(guarded::router())
        .merge(race::router())
        .merge(vulnerable::router())
        .with_state(Arc::clone(lab))
        .fallback_service(lab.product.clone())
        .layer(from_fn_with_state(Arc::clone(lab), recorder::record));
    let host = Router::new()
        .route("/play", get(async || page("play.js")))
        .route("/second-tab", get(async || page("second-tab.js")))
        .route("/restart", get(async || page("restart.js")))
        .route("/tab", get(async || page("tab.js")))
        .route("/assets/{*file}", get(asset))
        .route("/gadget.js", get(vulnerable::gadget))
        .route("/runs/{run}/plan", get(plan_of))
        .route("/runs/{run}/evidence", post(tell))
        .route("/runs/{run}/sign-in", post(sign_in))
        .route("/runs/{run}/comment", get(comment))
        .route("/runs/{run}/second-tab-wanted", post(want_second_tab))
        .route("/runs/{run}/second-tab", get(second_tab))
        .route("/runs/{run}/second-tab-over", post(end_second_tab))
        .route("/runs/{run}/steal", post(steal))
        .route("/runs/{run}/replay", post(replay))
        .route("/runs/{run}/is-decided", get(is_decided))
        .route("/runs/{run}/finish", post(finish))
        .with_state(Arc::clone(lab))
        .fallback_service(servers);
    lab.behind_its_door(host, &[&lab.sites.victim])
}

/// The lab's additional route of the product: something that can be changed.
pub fn transfer() -> Router<AppState> {
    Router::new().route(TRANSFER, post(pay))
}

async fn pay(AuthUser(claims): AuthUser) -> Json<Value> {
    Json(json!({ "transferred": 100, "from": claims.sub.to_string() }))
}

/// Creates an account at the lab's product through its API, as any client would.
///
/// # Errors
/// The API's response if it is not 201.
pub async fn register(product: &Router, sites: &LabSites, person: &Person) -> Result<(), String> {
    let body = RegisterRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        display_name: None,
    };
    let request = Request::post(paths::REGISTER)
        .header(HOST, sites.victim.authority())
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(
            serde_json::to_vec(&body).map_err(|error| error.to_string())?,
        ))
        .map_err(|error| error.to_string())?;
    let Ok(answer) = product.clone().oneshot(request).await;
    if answer.status() == StatusCode::CREATED {
        return Ok(());
    }
    let body = to_bytes(answer.into_body(), 4096).await.unwrap_or_default();
    Err(String::from_utf8_lossy(&body).into_owned())
}

/// The maximum number of sign-ins at the product per run. None of our runs needs more.
const LOG_INS: u32 = 20;

/// Signs the run's visitor in at the lab's product, as the runner's page would, and returns the cookies that it sets.
///
/// # Errors
/// The product's response if it is not 200, or that this run has signed in too often.
pub async fn log_in(lab: &Lab, run: &Run) -> Result<Vec<String>, String> {
    let log_ins = run.tables(|tables| {
        tables.log_ins += 1;
        tables.log_ins
    });
    if log_ins > LOG_INS {
        return Err("This run has signed in too often.".into());
    }
    let visitor = run.people.victim(Strategy::Keyturn);
    let request = Request::post(paths::LOGIN)
        .header(HOST, lab.sites.victim.authority())
        .header(ORIGIN, lab.sites.victim.as_str())
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(json!(visitor).to_string()))
        .map_err(|error| error.to_string())?;
    let Ok(answer) = lab.product.clone().oneshot(request).await;
    if answer.status() != StatusCode::OK {
        return Err(format!(
            "The product answered the sign-in with {}.",
            answer.status()
        ));
    }
    let cookies = answer.headers().get_all(SET_COOKIE).into_iter();
    Ok(cookies
        .filter_map(|cookie| Some(cookie.to_str().ok()?.to_owned()))
        .collect())
}

fn page(script: &str) -> Response {
    (
        [(CACHE_CONTROL, "no-store")],
        Html(PLAY.replace("SCRIPT", script)),
    )
        .into_response()
}

async fn asset(Path(file): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, _)| *name == file) {
        Some((_, text)) => (
            [
                (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                (CACHE_CONTROL, "no-store"),
            ],
            *text,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The run that a URL names.
struct This(Arc<Run>);

impl FromRequestParts<Arc<Lab>> for This {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, lab: &Arc<Lab>) -> Result<Self, Self::Rejection> {
        let unknown = (
            StatusCode::NOT_FOUND,
            "This run no longer exists. Start a new one in the lab.",
        );
        let Path(id) = Path::<String>::from_request_parts(parts, lab)
            .await
            .map_err(|_| unknown)?;
        lab.runs.find(&id).map(This).ok_or(unknown)
    }
}

#[derive(Deserialize)]
struct At {
    at: Option<usize>,
}

/// What a page needs to know about its run. A request for a step also records that the run is at this step.
async fn plan_of(State(lab): State<Arc<Lab>>, This(run): This, Query(At { at }): Query<At>) -> Json<Value> {
    if let Some(at) = at {
        run.go_to(at);
    }
    let by_strategy = |value: &dyn Fn(Strategy) -> Value| -> Value {
        Strategy::ALL
            .iter()
            .map(|strategy| (strategy.slug().to_owned(), value(*strategy)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let steps = run.steps();
    Json(json!({
        "doing": plan::doing(steps.get(at.unwrap_or_default())),
        "steps": steps,
        "strategies": Strategy::ALL,
        "people": by_strategy(&|strategy| json!({ "victim": run.people.victim(strategy) })),
        "grace_ms": by_strategy(&|strategy| json!(if strategy == Strategy::Keyturn { AFTER_GRACE_MS } else { 0 })),
        "patience_ms": SECOND_TAB_MS,
        "doors": guarded::knocks(run.bench),
        "origins": {
            (Source::OtherSite.slug()): lab.sites.attacker.as_str(),
            (Source::Sibling.slug()): lab.sites.sibling.as_str(),
        },
        "matrix": format!("{}/lab?{}={}", lab.home, labels::run_key(run.bench), run.id),
    }))
}

/// What a page may report. It need not report its requests: the server saw them.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Told {
    Seen {
        who: Who,
        when: String,
        user: Option<String>,
    },
    Note {
        who: Who,
        text: String,
    },
    Blocked {
        directive: String,
        what: String,
    },
}

async fn tell(
    State(lab): State<Arc<Lab>>,
    This(run): This,
    Query(of): Query<Of>,
    Json(told): Json<Told>,
) -> StatusCode {
    let Some(cell) = of.cell() else {
        return StatusCode::BAD_REQUEST;
    };
    if let Told::Seen { who, .. } | Told::Note { who, .. } = &told
        && !matches!(who, Who::Page | Who::SecondTab)
    {
        return StatusCode::BAD_REQUEST;
    }
    let at_ms = lab.runs.now_ms();
    run.note(
        cell,
        match told {
            Told::Seen { who, when, user } => Evidence::Seen {
                at_ms,
                who,
                when,
                user,
            },
            Told::Note { who, text } => Evidence::Note { at_ms, who, text },
            Told::Blocked { directive, what } => Evidence::Blocked {
                at_ms,
                directive,
                what,
            },
        },
    );
    StatusCode::NO_CONTENT
}

/// Signs the visitor in at all targets of the other experiments.
async fn sign_in(State(lab): State<Arc<Lab>>, This(run): This, Query(of): Query<Of>) -> Response {
    let signed_in = match of.cell() {
        Some(cell @ Place::Race { remedy, .. }) => race::sign_in(&lab, &run, cell, remedy).await,
        _ => guarded::sign_in(&lab, &run).await,
    };
    match signed_in {
        Ok(signed_in) => signed_in,
        Err(why) => (StatusCode::BAD_GATEWAY, why).into_response(),
    }
}

async fn comment(
    State(lab): State<Arc<Lab>>,
    This(run): This,
    Query(of): Query<Of>,
) -> Result<Json<Value>, StatusCode> {
    let Some(Place::Storage { strategy, threat }) = of.cell() else {
        return Err(StatusCode::BAD_REQUEST);
    };
    Ok(Json(
        json!({ "html": attacker::comment(&lab, &run, strategy, threat) }),
    ))
}

/// Whether a cell has its verdict, so that its page can stop waiting.
async fn is_decided(This(run): This, Query(of): Query<Of>) -> Result<Json<bool>, StatusCode> {
    let cell = of.cell().ok_or(StatusCode::BAD_REQUEST)?;
    let (verdict, _) = verdict::judge(cell, &run.evidence(cell));
    Ok(Json(verdict != Verdict::NotMeasured))
}

async fn want_second_tab(This(run): This) -> StatusCode {
    run.ask_for_second_tab();
    StatusCode::NO_CONTENT
}

async fn second_tab(This(run): This) -> Json<Value> {
    Json(json!({ "wanted": run.wants_second_tab(), "over": run.second_tab_is_over() }))
}

async fn end_second_tab(This(run): This) -> StatusCode {
    run.end_second_tab();
    StatusCode::NO_CONTENT
}

/// Gives the thief copies of the visitor's latest tokens. How a thief gets them is not part of this attack: from a
/// backup, a log, a borrowed laptop.
async fn steal(
    State(lab): State<Arc<Lab>>,
    This(run): This,
    Query(of): Query<Of>,
) -> Result<StatusCode, StatusCode> {
    let Some(cell @ Place::Storage { strategy, .. }) = of.cell() else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let copies = Copies::of(&lab, strategy, &run.evidence(cell), Who::Page);
    run.tables(|tables| tables.stolen.insert(cell, copies));
    let text = "The thief has copies of everything that the visitor holds now.".to_owned();
    let at_ms = lab.runs.now_ms();
    run.note(
        cell,
        Evidence::Note {
            at_ms,
            who: Who::Lab,
            text,
        },
    );
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct What {
    what: Copy,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Copy {
    Access,
    Refresh,
}

/// Lets the thief use a copy, or what the thief got in exchange for it before.
async fn replay(
    State(lab): State<Arc<Lab>>,
    This(run): This,
    Query(of): Query<Of>,
    Query(What { what }): Query<What>,
) -> Result<StatusCode, StatusCode> {
    let Some(cell @ Place::Storage { strategy, .. }) = of.cell() else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let thief = Thief::new(&lab, &run, strategy, cell);
    let stolen = run
        .tables(|tables| tables.stolen.get(&cell).cloned())
        .unwrap_or_default();
    match what {
        Copy::Access => {
            let token = stolen.access.ok_or(StatusCode::CONFLICT)?;
            thief.use_access(&token).await;
        }
        Copy::Refresh => {
            let token = thief
                .own()
                .refresh
                .or(stolen.refresh)
                .ok_or(StatusCode::CONFLICT)?;
            thief.use_refresh(&token).await;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn finish(This(run): This) -> StatusCode {
    run.finish();
    StatusCode::NO_CONTENT
}
