//! The security timeline: what happened to an account, written in the transaction in which it happened.

use rotation::{SessionId, Timestamp, UserId};
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use uuid::Uuid;

use crate::{StoreError, entity::security_event};

/// Who made a request, as far as it can be known. Shown to the account's owner, never used to decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    pub user_agent: Option<String>,
    pub ip: Option<String>,
}

/// The id of an event that may come to be written, made by the caller because chance is a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId(Uuid);

impl EventId {
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum EventKind {
    Registered,
    SignedIn,
    SignedOut,
    RefreshReused,
}

impl EventKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::RefreshReused => "refresh_reused",
        }
    }
}

pub(crate) struct Event<'a> {
    pub(crate) id: EventId,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) kind: EventKind,
    pub(crate) at: Timestamp,
    pub(crate) visitor: &'a Visitor,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, event: Event<'_>) -> Result<(), StoreError> {
    let row = security_event::ActiveModel {
        id: Set(event.id.0),
        user_id: Set(event.user.uuid()),
        session_id: Set(Some(event.session.uuid())),
        kind: Set(event.kind.as_str().to_owned()),
        at: Set(event.at.millis()),
        ip: Set(event.visitor.ip.clone()),
        user_agent: Set(event.visitor.user_agent.clone()),
        detail: Set(None),
    };
    security_event::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
