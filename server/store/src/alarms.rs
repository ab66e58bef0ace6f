//! Security warnings that an account's owner sees until they acknowledge them: the newest refresh token reuse, and many
//! failed sign-ins.
//!
//! The acknowledgement is stored with the event, not with a session or in a browser. The attack concerns the account,
//! so the warning appears on every device until the owner has acknowledged it on one of them.

use rotation::UserId;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use crate::{
    AuditContext, EventId, SecurityEvent, Store, StoreError,
    entity::security_event::{Column, Entity, Model},
    events::{self, EventKind},
};

/// The last word of the event's `detail` once the owner has seen it.
const SEEN: &str = "seen";
/// The kinds of alarm, the most urgent first.
const ALARMS: [EventKind; 2] = [EventKind::RefreshReused, EventKind::ManyFailedSignIns];

impl Store {
    /// Returns the newest unseen reuse, or else the newest unseen warning about failed sign-ins.
    ///
    /// Older alarms are ignored: they call for the same action, and the timeline lists them all.
    ///
    /// # Errors
    /// If the database is unavailable or the row is invalid.
    pub async fn alarm_of(&self, user: UserId) -> Result<Option<SecurityEvent>, StoreError> {
        for kind in ALARMS {
            let newest = newest(self.reader(), user, kind).await?;
            if let Some(unseen) = newest.filter(|event| !is_seen(event)) {
                return SecurityEvent::try_from(unseen).map(Some);
            }
        }
        Ok(None)
    }

    /// Marks an alarm as seen; `false` if the account has no alarm with that id.
    ///
    /// An event records once who did this, so the owner can notice if it was someone else.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn mark_alarm_seen(
        &self,
        user: UserId,
        alarm: EventId,
        context: &AuditContext,
    ) -> Result<bool, StoreError> {
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
        events::insert(&*tx, EventKind::AlarmSeen, user, None, context).await?;
        tx.commit(context.now).await?;
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

/// Condition: the event is an alarm that the account still shows, that is, the newest of its kind and unseen.
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
