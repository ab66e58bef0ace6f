//! The security timeline of an account. Each event is written in the transaction that caused it.

use rotation::{SessionId, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use std::{fmt, str::FromStr};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    entity::security_event::{self, Column, Entity},
    page,
};

/// The client that made a request, as far as known. Shown to the account's owner, never used for decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's address, as resolved behind trusted proxies.
    pub ip: Option<String>,
}

/// The id of an event that may be written. The caller creates it, because randomness is a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId(pub(crate) Uuid);

impl EventId {
    /// A new id, which sorts by time.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An action on an account: its time, its actor, the client, and the id of the event that records it.
#[derive(Debug, Clone)]
pub struct AuditContext {
    /// When.
    pub now: Timestamp,
    /// Stored only for actions by the account itself. An administrator's location is not disclosed to the account's
    /// owner.
    pub client: ClientInfo,
    /// The id of the event.
    pub event: EventId,
    /// Who acts.
    pub actor: Actor,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Authenticated by the account's password or one of its sessions: its owner, or an attacker.
    Account,
    /// An administrator, on someone else's account.
    Administrator(UserId),
    /// From the command line.
    Operator,
    /// An automatic action of the server.
    System,
}

impl Actor {
    /// The stored form; empty for an action by the account itself.
    fn column(self) -> Option<String> {
        match self {
            Self::Account => None,
            Self::Administrator(id) => Some(format!("administrator:{id}")),
            Self::Operator => Some("operator".to_owned()),
            Self::System => Some("system".to_owned()),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The account was created.
    Registered,
    /// A session was opened with the password.
    SignedIn,
    /// A session was ended by its owner.
    SignedOut,
    /// The owner revoked all sessions.
    SignedOutEverywhere,
    /// A session was revoked from another one, or by an operator.
    SessionRevoked,
    /// A consumed refresh token was presented again, and its session was revoked.
    RefreshReused,
    /// The owner acknowledged a warning.
    AlarmSeen,
    /// The password was changed.
    PasswordChanged,
    /// The role was changed.
    RoleChanged,
    /// An administrator disabled the account.
    AccountDisabled,
    /// An administrator enabled the account again.
    AccountEnabled,
    /// Failed sign-ins, counted over one hour.
    SignInFailed,
    /// A sign-in that followed many failed ones.
    ManyFailedSignIns,
    /// Sessions revoked because the account exceeded its session limit.
    SessionLimit,
    /// A committed rotation was lost, and the session continued with its newest token. For operators.
    LostWriteRecovered,
}

impl EventKind {
    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::SessionRevoked => "session_revoked",
            Self::RefreshReused => "refresh_reused",
            Self::AlarmSeen => "alarm_seen",
            Self::PasswordChanged => "password_changed",
            Self::RoleChanged => "role_changed",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::SignInFailed => "sign_in_failed",
            Self::ManyFailedSignIns => "many_failed_sign_ins",
            Self::SessionLimit => "session_limit",
            Self::LostWriteRecovered => "lost_write_recovered",
        }
    }
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// Its id; newer events have greater ids.
    pub id: EventId,
    /// As stored: the name of an [`EventKind`], or a kind that a newer version wrote.
    pub kind: String,
    /// The session that it concerns, if one.
    pub session: Option<SessionId>,
    /// When it happened.
    pub at: Timestamp,
    /// The client; empty unless the account itself acted.
    pub client: ClientInfo,
    /// The number of occurrences, if one entry covers several.
    pub count: Option<u32>,
    /// The kind of actor, if it was not the account itself: `administrator`, `operator`, `system`, or a kind that a
    /// newer version wrote. Which administrator it was is in the table only.
    pub actor: Option<String>,
}

/// A page of an account's events.
#[derive(Debug, Default)]
pub struct EventList {
    /// The events, newest first.
    pub events: Vec<SecurityEvent>,
    /// The event before which the next page begins; `None` on the last one.
    pub next: Option<EventId>,
}

impl Store {
    /// An account's events, newest first, at most `limit` of those before `before`.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn events_of(
        &self,
        user: UserId,
        before: Option<EventId>,
        limit: u64,
    ) -> Result<EventList, StoreError> {
        let mut query = Entity::find().filter(Column::UserId.eq(user.uuid()));
        if let Some(before) = before {
            query = query.filter(Column::Id.lt(before.0));
        }
        let query = query
            .order_by_desc(Column::Id)
            .limit(page::rows_for(limit))
            .into_query();
        let rows = self.reader().query_all(&query).await?;
        let (events, next) =
            page::split::<security_event::Model, _, _>("security_events", rows, limit, |row| {
                row.try_get("", "id").ok().map(EventId)
            });
        Ok(EventList { events, next })
    }
}

impl TryFrom<security_event::Model> for SecurityEvent {
    type Error = StoreError;

    fn try_from(row: security_event::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: EventId(row.id),
            kind: row.kind,
            session: row.session_id.map(SessionId::from_uuid),
            at: Timestamp::from_millis(row.at),
            client: match row.actor {
                None => ClientInfo {
                    user_agent: row.user_agent,
                    ip: row.ip,
                },
                Some(_) => ClientInfo::default(),
            },
            count: count_in(row.detail.as_deref()),
            actor: row
                .actor
                .map(|actor| actor.split(':').next().unwrap_or_default().to_owned()),
        })
    }
}

/// The number at the start of an event's details.
pub(crate) fn count_in(detail: Option<&str>) -> Option<u32> {
    detail?.split(' ').next()?.parse().ok()
}

/// Records an action on the account's timeline.
pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    kind: EventKind,
    user: UserId,
    session: Option<SessionId>,
    context: &AuditContext,
) -> Result<(), StoreError> {
    insert_with(db, kind, user, session, context, None).await
}

/// Like [`insert`], with details.
pub(crate) async fn insert_with(
    db: &impl ConnectionTrait,
    kind: EventKind,
    user: UserId,
    session: Option<SessionId>,
    context: &AuditContext,
    detail: Option<String>,
) -> Result<(), StoreError> {
    let client = match context.actor {
        Actor::Account => context.client.clone(),
        Actor::Administrator(_) | Actor::Operator | Actor::System => ClientInfo::default(),
    };
    let row = security_event::ActiveModel {
        id: Set(context.event.0),
        user_id: Set(user.uuid()),
        session_id: Set(session.map(SessionId::uuid)),
        kind: Set(kind.as_str().to_owned()),
        at: Set(context.now.millis()),
        ip: Set(client.ip),
        user_agent: Set(client.user_agent),
        detail: Set(detail),
        actor: Set(context.actor.column()),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}
