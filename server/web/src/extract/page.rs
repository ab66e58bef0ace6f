//! Pagination: which page of a list to return.

use std::str::FromStr;

use api_types::problem::FieldError;
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::Deserialize;

use crate::error::ApiError;

const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;

/// The query of a list: a cursor and a limit. The cursor is the id of an entry, not a page number, so nothing is
/// repeated or skipped when entries are added in between.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    pub before: Option<String>,
    pub after: Option<String>,
    limit: Option<u64>,
}

impl PageQuery {
    /// A page that a request body asks for.
    pub fn after(after: Option<String>, limit: Option<u64>) -> Self {
        Self {
            after,
            limit,
            ..Self::default()
        }
    }

    /// The entry after which the page begins.
    ///
    /// # Errors
    /// 422 if it is not a valid id.
    pub fn cursor<I: FromStr>(&self, field: &str, text: Option<&str>) -> Result<Option<I>, ApiError> {
        let parsed = text.map(str::parse).transpose();
        parsed.map_err(|_| refused(field, "Take the value of “next” of the page before."))
    }

    /// The number of entries to return.
    ///
    /// # Errors
    /// 422 if it is zero or too large.
    pub fn limit(&self) -> Result<u64, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => Err(refused("limit", "Ask for 1 to 100 entries.")),
        }
    }

    /// Truncates a list that was queried with one extra entry, and returns the cursor of the next page.
    ///
    /// # Errors
    /// As [`limit`](Self::limit).
    pub fn truncate<T>(
        &self,
        entries: &mut Vec<T>,
        id: impl Fn(&T) -> String,
    ) -> Result<Option<String>, ApiError> {
        let limit = usize::try_from(self.limit()?).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(entries.last().filter(|_| more).map(id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(page)| page)
            .map_err(|_| refused("query", "Only before, after and limit are known here, each once."))
    }
}

fn refused(field: &str, message: &str) -> ApiError {
    ApiError::validation(vec![FieldError {
        field: field.to_owned(),
        code: "wrong_shape".into(),
        message: message.to_owned(),
    }])
}
