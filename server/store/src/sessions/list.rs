//! The list of an account's live sessions, page by page.

use std::{fmt, str::FromStr};

use rotation::{SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::ExprTrait,
};

use super::row::is_not_revoked;
use crate::{
    ClientInfo, Store, StoreError,
    entity::session::{self, Column, Entity},
    page,
};

/// A page of an account's live sessions.
#[derive(Debug, Default)]
pub struct SessionList {
    /// The sessions, the most recently used first.
    pub sessions: Vec<LiveSession>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<SessionCursor>,
}

/// A position in a list of sessions, which is ordered by last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCursor {
    last_used_at: Timestamp,
    id: SessionId,
}

impl fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.last_used_at.millis(), self.id)
    }
}

/// The text is not a valid session cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list of sessions")]
pub struct InvalidCursor;

impl FromStr for SessionCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (last_used_at, id) = text.rsplit_once('-').ok_or(InvalidCursor)?;
        Ok(Self {
            last_used_at: Timestamp::from_millis(last_used_at.parse().map_err(|_| InvalidCursor)?),
            id: id.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

/// A session that is neither expired nor revoked, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The id.
    pub id: SessionId,
    /// When the owner signed in.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
    /// When it expires if it is not used again.
    pub expires_at: Timestamp,
    /// The client that signed in.
    pub client: ClientInfo,
}

impl Store {
    /// A user's live sessions, most recently used first: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn live_sessions(
        &self,
        user: UserId,
        after: Option<SessionCursor>,
        limit: u64,
        now: Timestamp,
    ) -> Result<SessionList, StoreError> {
        let mut query = Entity::find()
            .filter(is_not_revoked(user))
            .filter(Column::RefreshExpiresAt.gt(now.millis()));
        if let Some(SessionCursor { last_used_at, id }) = after {
            let earlier = Column::LastUsedAt.lt(last_used_at.millis());
            let as_early = Column::LastUsedAt
                .eq(last_used_at.millis())
                .and(Column::Id.lt(id.uuid()));
            query = query.filter(earlier.or(as_early));
        }
        let query = query
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .limit(page::rows_for(limit))
            .into_query();
        let rows = self.reader().query_all(&query).await?;
        let (sessions, next) = page::split::<session::Model, _, _>("sessions", rows, limit, |row| {
            Some(SessionCursor {
                last_used_at: Timestamp::from_millis(row.try_get("", "last_used_at").ok()?),
                id: SessionId::from_uuid(row.try_get("", "id").ok()?),
            })
        });
        Ok(SessionList { sessions, next })
    }
}

impl TryFrom<session::Model> for LiveSession {
    type Error = StoreError;

    fn try_from(row: session::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: Timestamp::from_millis(row.last_used_at),
            expires_at: Timestamp::from_millis(row.refresh_expires_at),
            client: ClientInfo {
                user_agent: row.user_agent,
                ip: row.ip,
            },
        })
    }
}
