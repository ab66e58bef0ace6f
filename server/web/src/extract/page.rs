//! Which page of a list.

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

/// The query of a list: a cursor and a limit. Lists go by the ids of their entries and not by numbers of
/// pages, so nothing is shown twice or left out when entries come in between.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageOf {
    pub before: Option<String>,
    pub after: Option<String>,
    limit: Option<u64>,
}

impl PageOf {
    /// A page that a body asks for.
    pub fn after(after: Option<String>, limit: Option<u64>) -> Self {
        Self {
            after,
            limit,
            ..Self::default()
        }
    }

    /// The entry to go on from.
    ///
    /// # Errors
    /// 422 if it is not an id.
    pub fn cursor<I: FromStr>(&self, field: &str, text: Option<&str>) -> Result<Option<I>, ApiError> {
        let parsed = text.map(str::parse).transpose();
        parsed.map_err(|_| refused(field, "Take the value of “next” of the page before."))
    }

    /// How many entries are wanted.
    ///
    /// # Errors
    /// 422 if it is none or too many.
    pub fn limit(&self) -> Result<u64, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => Err(refused("limit", "Ask for 1 to 100 entries.")),
        }
    }

    /// Shortens a list that was asked for with one entry too many, and answers the cursor of the next page.
    ///
    /// # Errors
    /// As [`limit`](Self::limit).
    pub fn cut<T>(
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

impl<S: Send + Sync> FromRequestParts<S> for PageOf {
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
