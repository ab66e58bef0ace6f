//! What the verdicts of all experiments have in common.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a verdict is the result of the function that reaches it"
)]

use std::borrow::Cow;

use lab_types::{CellVerdict, Evidence, RecordedExchange};

use crate::evidence::account_seen;

/// A verdict and its reason, or why there is none.
pub(super) type Judgement = Result<(CellVerdict, String), Unmeasured>;

/// Why the evidence supports no verdict, in a sentence for the visitor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unmeasured {
    #[error("Not run yet.")]
    NotRun,
    #[error("{0}")]
    Because(Cow<'static, str>),
}

impl From<&'static str> for Unmeasured {
    fn from(why: &'static str) -> Self {
        Self::Because(why.into())
    }
}

impl From<String> for Unmeasured {
    fn from(why: String) -> Self {
        Self::Because(why.into())
    }
}

pub(super) fn exposed(why: impl Into<String>) -> Judgement {
    Ok((CellVerdict::Exposed, why.into()))
}

pub(super) fn safe(why: impl Into<String>) -> Judgement {
    Ok((CellVerdict::Safe, why.into()))
}

pub(super) fn lost(why: impl Into<String>) -> Judgement {
    Ok((CellVerdict::Lost, why.into()))
}

pub(super) fn survives(why: impl Into<String>) -> Judgement {
    Ok((CellVerdict::Survives, why.into()))
}

/// Whether the server executed the request. A server error says nothing about an attack.
pub(super) fn was_executed(exchange: &RecordedExchange) -> Result<bool, Unmeasured> {
    match exchange.status {
        200..=399 => Ok(true),
        400 | 401 | 403 | 404 | 405 | 409 | 415 | 422 => Ok(false),
        status => Err(format!("The server answered {status}, which says nothing about the attack.").into()),
    }
}

/// The account that was signed in before the attack.
pub(super) fn signed_in_before(evidence: &[Evidence]) -> Result<&str, Unmeasured> {
    let user = account_seen(evidence, "before").flatten();
    user.ok_or_else(|| "There is no evidence that the visitor was signed in before.".into())
}
