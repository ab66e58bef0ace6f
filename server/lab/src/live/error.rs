//! Why an action was not performed.

use lab_types::live::ResponseSummary;
use store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("the simulation has had all its actions")]
    Full,
    #[error("the sign-in failed: {0:?}")]
    NotSignedIn(ResponseSummary),
    #[error("no token of the simulation has this generation")]
    NoSuchToken,
    #[error("the lab's own tables: {0}")]
    Store(#[from] StoreError),
    #[error("the request could not be made: {0}")]
    Request(#[from] axum::http::Error),
}
