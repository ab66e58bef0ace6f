//! What an account's owner must be told: the newest reuse of a refresh token, until they say that they know.
//!
//! Whether it was seen is written at the event itself and not at a session or in a browser: the account was attacked,
//! so it is told wherever its owner signs in next, and once they have seen it nowhere else.

use rotation::UserId;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::Expr,
};

use crate::{
    Act, EventId, SecurityEvent, Store, StoreError,
    entity::security_event::{Column, Entity},
    events::{self, EventKind},
};

/// In the event's `detail`, which is empty until then.
const SEEN: &str = "seen";

impl Store {
    /// The newest reuse, unless it was seen. An older one is not asked for: what has to be done is the same, and the
    /// timeline has them all.
    ///
    /// # Errors
    /// If the database is unavailable or the row makes no sense.
    pub async fn alarm_of(&self, user: UserId) -> Result<Option<SecurityEvent>, StoreError> {
        let newest = Entity::find()
            .filter(reuse_of(user))
            .order_by_desc(Column::Id)
            .one(self.reader())
            .await?;
        newest
            .filter(|event| event.detail.is_none())
            .map(SecurityEvent::try_from)
            .transpose()
    }

    /// Marks a reuse as seen; `false` if the account has none of that id. Who did it is written down, once: should it
    /// have been somebody else, the owner can tell.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn mark_alarm_seen(&self, user: UserId, alarm: EventId, act: &Act) -> Result<bool, StoreError> {
        let this = reuse_of(user).add(Column::Id.eq(alarm.0));
        let tx = self.begin().await?;
        let marked = Entity::update_many()
            .col_expr(Column::Detail, Expr::value(SEEN))
            .filter(this.clone())
            .filter(Column::Detail.is_null())
            .exec(&*tx)
            .await?;
        if marked.rows_affected == 0 {
            let exists = Entity::find().filter(this).count(&*tx).await? > 0;
            tx.rollback().await?;
            return Ok(exists);
        }
        events::insert(&*tx, EventKind::AlarmSeen, user, None, act).await?;
        tx.commit(act.now).await?;
        Ok(true)
    }
}

fn reuse_of(user: UserId) -> Condition {
    Condition::all()
        .add(Column::UserId.eq(user.uuid()))
        .add(Column::Kind.eq(EventKind::RefreshReused.as_str()))
}
