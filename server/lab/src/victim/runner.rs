//! What the runner's pages ask the lab, and what they report to it.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use lab_types::{
    CellId, CellVerdict, Evidence, NotedEvent, Participant, RequestSource, RunStatus, Strategy, labels,
};
use serde::Deserialize;
use serde_json::{Value, json};
use web::{error::ApiError, extract::Json};

use crate::{
    attacker, csrf_defences,
    plan::describe,
    product::GRACE,
    race_server,
    run::Run,
    scope::{EvidenceScope, Existing},
    state::Lab,
    verdict,
};

/// How long the runner waits for the other tab.
const SECOND_TAB_MS: u64 = 15_000;
/// The thief and the owner wait until the grace period of the lab's product has passed.
const AFTER_GRACE_MS: u64 = 2_600;

const _: () = assert!(AFTER_GRACE_MS as u128 > GRACE.as_millis());

#[derive(Deserialize)]
pub(super) struct PlanQuery {
    at: Option<usize>,
}

/// What a page needs to know about its run. A request for a step also records that the run is at this step.
pub(super) async fn plan(
    State(lab): State<Arc<Lab>>,
    Existing(run): Existing<Run>,
    Query(PlanQuery { at }): Query<PlanQuery>,
) -> Json<Value> {
    if let Some(at) = at {
        run.set_step(at);
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
        "doing": describe(steps.get(at.unwrap_or_default())),
        "steps": steps,
        "strategies": Strategy::ALL,
        "people": by_strategy(&|strategy| json!({ "victim": run.accounts.victim(strategy) })),
        "grace_ms": by_strategy(&|strategy| json!(if strategy == Strategy::Keyturn { AFTER_GRACE_MS } else { 0 })),
        "patience_ms": SECOND_TAB_MS,
        "doors": csrf_defences::control_requests(run.experiment),
        "origins": {
            (RequestSource::OtherSite.slug()): lab.sites.attacker.as_str(),
            (RequestSource::Sibling.slug()): lab.sites.sibling.as_str(),
        },
        "matrix": format!("{}/lab?{}={}", lab.home, labels::run_key(run.experiment), run.id),
    }))
}

/// What a page may report. It need not report its requests: the server saw them.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum PageReport {
    #[serde(rename = "seen")]
    AccountSeen {
        who: Participant,
        when: String,
        user: Option<String>,
    },
    Note {
        who: Participant,
        text: String,
        event: Option<NotedEvent>,
    },
    Blocked {
        directive: String,
        what: String,
    },
}

pub(super) async fn record(
    EvidenceScope { run, cell, .. }: EvidenceScope,
    Json(report): Json<PageReport>,
) -> StatusCode {
    let at_ms = run.now_ms();
    let (who, evidence) = match report {
        PageReport::AccountSeen { who, when, user } => (
            who,
            Evidence::AccountSeen {
                at_ms,
                who,
                when,
                user,
            },
        ),
        PageReport::Note { who, text, event } => (
            who,
            Evidence::Note {
                at_ms,
                who,
                text,
                event,
            },
        ),
        PageReport::Blocked { directive, what } => (
            Participant::Page,
            Evidence::Blocked {
                at_ms,
                directive,
                what,
            },
        ),
    };
    if !matches!(who, Participant::Page | Participant::SecondTab) {
        return StatusCode::BAD_REQUEST;
    }
    run.record(cell, evidence);
    StatusCode::NO_CONTENT
}

/// Signs the visitor in: for one cell of the race experiment, or at all targets of the other experiments.
pub(super) async fn sign_in(
    State(lab): State<Arc<Lab>>,
    Existing(run): Existing<Run>,
    scope: Result<EvidenceScope, ApiError>,
) -> Response {
    let signed_in = match scope {
        Ok(EvidenceScope {
            cell: cell @ CellId::Race { remedy, .. },
            ..
        }) => race_server::sign_in(&lab, &run, cell, remedy).await,
        _ => csrf_defences::sign_in(&lab, &run).await,
    };
    signed_in.unwrap_or_else(|why| (StatusCode::BAD_GATEWAY, why.to_string()).into_response())
}

pub(super) async fn comment(
    State(lab): State<Arc<Lab>>,
    EvidenceScope { run, cell, .. }: EvidenceScope,
) -> Result<Json<Value>, StatusCode> {
    let CellId::Storage { strategy, threat } = cell else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let html = attacker::comment(&lab, &run, strategy, threat);
    Ok(Json(json!({ "html": html })))
}

/// Whether a cell has its verdict, so that its page can stop waiting.
pub(super) async fn is_decided(EvidenceScope { run, cell, .. }: EvidenceScope) -> Json<bool> {
    let (verdict, _) = verdict::judge(cell, &run.evidence(cell));
    Json(verdict != CellVerdict::NotMeasured)
}

pub(super) async fn request_second_tab(Existing(run): Existing<Run>) -> StatusCode {
    run.request_second_tab();
    StatusCode::NO_CONTENT
}

pub(super) async fn second_tab(Existing(run): Existing<Run>) -> Json<Value> {
    run.read(|progress| {
        let wanted = progress.status == RunStatus::WantsSecondTab;
        Json(json!({ "wanted": wanted, "over": progress.second_tab_is_done }))
    })
}

pub(super) async fn end_second_tab(Existing(run): Existing<Run>) -> StatusCode {
    run.end_second_tab();
    StatusCode::NO_CONTENT
}

pub(super) async fn finish(Existing(run): Existing<Run>) -> StatusCode {
    run.finish();
    StatusCode::NO_CONTENT
}
