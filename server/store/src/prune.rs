//! Deletes expired records, in batches so small that no refresh has to wait for one.

use std::{ops::AddAssign, time::Duration};

use rotation::{Jti, SessionId, Timestamp};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::ExprTrait,
};

use crate::{
    EventId, Store, StoreError, alarms,
    entity::{blacklisted_token, security_event, session},
    revocation,
};

/// How many rows one transaction deletes.
const BATCH: u64 = 500;
/// Safety margin for clocks: expired records are kept for this much longer, so setting a clock back cannot revive them.
const MARGIN: Duration = Duration::from_hours(1);

/// The retention cutoffs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionCutoff {
    now: Timestamp,
    refresh_idle: Duration,
    refresh_absolute: Duration,
    access: Duration,
    /// `None`: events are not pruned.
    events: Option<Duration>,
}

/// How many rows were deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Entries of the blacklist.
    pub blacklisted: u64,
    /// Sessions past their absolute end.
    pub sessions: u64,
    /// Published revocations.
    pub revocations: u64,
    /// Counters of wrong passwords.
    pub guesses: u64,
    /// Events of the timeline.
    pub events: u64,
}

impl AddAssign for Pruned {
    fn add_assign(&mut self, other: Self) {
        self.blacklisted += other.blacklisted;
        self.sessions += other.sessions;
        self.revocations += other.revocations;
        self.guesses += other.guesses;
        self.events += other.events;
    }
}

impl Pruned {
    /// Whether nothing was deleted.
    pub const fn is_empty(self) -> bool {
        self.blacklisted == 0
            && self.sessions == 0
            && self.revocations == 0
            && self.guesses == 0
            && self.events == 0
    }
}

impl RetentionCutoff {
    /// The cutoffs at `now` for these lifetimes.
    pub fn new(now: Timestamp, lifetimes: &rotation::Lifetimes) -> Self {
        Self {
            now,
            refresh_idle: lifetimes.refresh_idle,
            refresh_absolute: lifetimes.refresh_absolute,
            access: lifetimes.access,
            events: None,
        }
    }

    /// Also prunes events older than `retention`.
    #[must_use]
    pub const fn and_events(self, retention: Duration) -> Self {
        Self {
            events: Some(retention),
            ..self
        }
    }

    /// Revocations before this moment concern no access token that is still valid.
    pub fn revocations_since(self) -> Timestamp {
        self.now.saturating_sub(self.access).saturating_sub(MARGIN)
    }

    fn expired(self) -> Timestamp {
        self.now.saturating_sub(MARGIN)
    }
}

impl Store {
    /// Deletes one batch of each kind. If it deletes nothing, nothing is left to do for now.
    ///
    /// A blacklisted token is deleted once it has expired, because its `exp` refuses it from then on. A session is
    /// deleted once its absolute lifetime has passed, because it can have no valid token after that.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn prune(&self, cutoff: RetentionCutoff) -> Result<Pruned, StoreError> {
        Ok(Pruned {
            blacklisted: self.prune_blacklist(cutoff).await?,
            sessions: self.prune_sessions(cutoff).await?,
            revocations: revocation::channel::prune(
                self.background_writer(),
                cutoff.revocations_since(),
                BATCH,
            )
            .await?
                + revocation::accounts::prune(self.background_writer(), cutoff.revocations_since()).await?,
            guesses: self.prune_guesses(cutoff.now).await?,
            events: self.prune_events(cutoff).await?,
        })
    }

    async fn prune_blacklist(&self, cutoff: RetentionCutoff) -> Result<u64, StoreError> {
        use blacklisted_token::{Column, Entity};

        // The key begins with the time of issue, so everything old enough to have expired is one range of keys, and no
        // index on the expiry is needed. The expiry itself is checked too, because lifetimes may have been longer in
        // the past.
        let issued_before = Jti::new(cutoff.expired().saturating_sub(cutoff.refresh_idle), [0; 10]);
        let old = Entity::find()
            .select_only()
            .column(Column::Jti)
            .filter(Column::Jti.lt(issued_before.uuid()))
            .filter(Column::ExpiresAt.lt(cutoff.expired().millis()))
            .order_by_asc(Column::Jti)
            .limit(BATCH);
        let deleted = Entity::delete_many()
            .filter(Column::Jti.in_subquery(old.into_query()))
            .exec(self.background_writer())
            .await?;
        Ok(deleted.rows_affected)
    }

    async fn prune_sessions(&self, cutoff: RetentionCutoff) -> Result<u64, StoreError> {
        use session::{Column, Entity};

        let begun_before = SessionId::new(cutoff.expired().saturating_sub(cutoff.refresh_absolute), [0; 10]);
        let old = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.lt(begun_before.uuid()))
            .filter(Column::AbsoluteExpiresAt.lt(cutoff.expired().millis()))
            .order_by_asc(Column::Id)
            .limit(BATCH);
        let deleted = Entity::delete_many()
            .filter(Column::Id.in_subquery(old.into_query()))
            .exec(self.background_writer())
            .await?;
        Ok(deleted.rows_affected)
    }

    /// Deletes events beyond their retention. The newest alarm of each account stays until the owner marks it as seen,
    /// because the next sign-in may be a year later.
    async fn prune_events(&self, cutoff: RetentionCutoff) -> Result<u64, StoreError> {
        use security_event::{Column, Entity};

        let Some(retention) = cutoff.events else {
            return Ok(0);
        };
        let before = cutoff.now.saturating_sub(retention);
        let first_kept = EventId::new(before, [0; 10]);
        let old = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.lt(first_kept.0))
            .filter(Column::At.lt(before.millis()))
            .filter(alarms::is_open_alarm().not())
            .order_by_asc(Column::Id)
            .limit(BATCH);
        let deleted = Entity::delete_many()
            .filter(Column::Id.in_subquery(old.into_query()))
            .exec(self.background_writer())
            .await?;
        Ok(deleted.rows_affected)
    }
}
