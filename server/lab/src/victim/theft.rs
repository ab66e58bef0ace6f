//! The thief gets copies of the visitor's tokens, and uses them.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
};
use lab_types::{CellId, Participant, live::TokenKind};
use serde::Deserialize;

use crate::{
    attacker::replay::{Thief, tokens_of},
    scope::EvidenceScope,
    state::Lab,
};

/// Gives the thief copies of the visitor's latest tokens. How a thief gets them is not part of this attack: from a
/// backup, a log, a borrowed laptop.
pub(super) async fn steal(EvidenceScope { run, cell, .. }: EvidenceScope) -> Result<StatusCode, StatusCode> {
    let CellId::Storage { strategy, .. } = cell else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let tokens = tokens_of(strategy, &run.evidence(cell), Participant::Page);
    run.with_state(|state| state.stolen.insert(cell, tokens));
    let text = "The thief has copies of everything that the visitor holds now.";
    run.note(cell, Participant::Lab, None, text);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct ReplayQuery {
    what: TokenKind,
}

/// Lets the thief use a copy, or what the thief got in exchange for it before.
pub(super) async fn replay(
    State(lab): State<Arc<Lab>>,
    EvidenceScope { run, cell, .. }: EvidenceScope,
    Query(ReplayQuery { what }): Query<ReplayQuery>,
) -> Result<StatusCode, StatusCode> {
    let CellId::Storage { strategy, .. } = cell else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let thief = Thief::new(&lab, &run, strategy, cell);
    let stolen = run.with_state(|state| state.stolen.get(&cell).cloned());
    let stolen = stolen.unwrap_or_default();
    match what {
        TokenKind::Access => {
            let token = stolen.access.ok_or(StatusCode::CONFLICT)?;
            thief.use_access(&token).await;
        }
        TokenKind::Refresh => {
            let token = thief.own_tokens().refresh.or(stolen.refresh);
            thief.use_refresh(&token.ok_or(StatusCode::CONFLICT)?).await;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
