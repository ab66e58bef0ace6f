//! What an account's owner must be told until they say that they know: the newest reuse of a refresh token, and many
//! failed sign-ins.
//!
//! Whether it was seen is written at the event itself and not at a session or in a browser: the account was attacked,
//! so it is told wherever its owner signs in next, and once they have seen it nowhere else.

use rotation::UserId;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use crate::{
    Act, EventId, SecurityEvent, Store, StoreError,
    entity::security_event::{Column, Entity, Model},
    events::{self, EventKind},
};

/// The last word of the event's `detail` once it was seen.
const SEEN: &str = "seen";
/// What is told, the more urgent first.
const ALARMS: [EventKind; 2] = [EventKind::RefreshReused, EventKind::ManyFailedSignIns];

impl Store {
    /// The newest reuse, unless it was seen; otherwise the newest warning about failed sign-ins, unless it was seen.
    /// Older ones are not asked for: what has to be done is the same, and the timeline has them all.
    ///
    /// # Errors
    /// If the database is unavailable or the row makes no sense.
    pub async fn alarm_of(&self, user: UserId) -> Result<Option<SecurityEvent>, StoreError> {
        for kind in ALARMS {
            let newest = newest(self.reader(), user, kind).await?;
            if let Some(unseen) = newest.filter(|event| !is_seen(event)) {
                return SecurityEvent::try_from(unseen).map(Some);
            }
        }
        Ok(None)
    }

    /// Marks an alarm as seen; `false` if the account has none of that id. Who did it is written down, once: should it
    /// have been somebody else, the owner can tell.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn mark_alarm_seen(&self, user: UserId, alarm: EventId, act: &Act) -> Result<bool, StoreError> {
        let kinds = ALARMS.map(EventKind::as_str);
        let this = Condition::all()
            .add(Column::UserId.eq(user.uuid()))
            .add(Column::Kind.is_in(kinds))
            .add(Column::Id.eq(alarm.0));
        let tx = self.begin().await?;
        let Some(event) = Entity::find().filter(this.clone()).one(&*tx).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        if is_seen(&event) {
            tx.rollback().await?;
            return Ok(true);
        }
        let unchanged = match &event.detail {
            Some(detail) => Column::Detail.eq(detail),
            None => Column::Detail.is_null(),
        };
        let seen = match event.detail {
            Some(detail) => format!("{detail} {SEEN}"),
            None => SEEN.to_owned(),
        };
        let marked = Entity::update_many()
            .col_expr(Column::Detail, Expr::value(seen))
            .filter(this)
            .filter(unchanged)
            .exec(&*tx)
            .await?;
        if marked.rows_affected == 0 {
            // Another request was faster.
            tx.rollback().await?;
            return Ok(true);
        }
        events::insert(&*tx, EventKind::AlarmSeen, user, None, act).await?;
        tx.commit(act.now).await?;
        Ok(true)
    }
}

async fn newest(
    db: &impl ConnectionTrait,
    user: UserId,
    kind: EventKind,
) -> Result<Option<Model>, StoreError> {
    let newest = Entity::find()
        .filter(Column::UserId.eq(user.uuid()))
        .filter(Column::Kind.eq(kind.as_str()))
        .order_by_desc(Column::Id)
        .one(db)
        .await?;
    Ok(newest)
}

fn is_seen(event: &Model) -> bool {
    let detail = event.detail.as_deref().unwrap_or_default();
    detail.split(' ').next_back() == Some(SEEN)
}

/// That an event is an alarm that its account is still told of: the newest of its kind, and not seen.
pub(crate) fn is_open_alarm() -> Expr {
    let newer = Alias::new("newer");
    let of_newer = |column| Expr::col((newer.clone(), column));
    let has_newer = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, newer.clone())
        .and_where(of_newer(Column::UserId).equals((Entity, Column::UserId)))
        .and_where(of_newer(Column::Kind).equals((Entity, Column::Kind)))
        .and_where(of_newer(Column::Id).gt(Expr::col((Entity, Column::Id))))
        .take();
    let is_unseen = Column::Detail
        .is_null()
        .or(Column::Detail.not_like(format!("%{SEEN}")));
    Column::Kind
        .is_in(ALARMS.map(EventKind::as_str))
        .and(is_unseen)
        .and(Expr::exists(has_newer).not())
}
