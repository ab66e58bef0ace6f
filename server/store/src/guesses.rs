//! Counters of wrong passwords, durable and shared by all nodes.
//!
//! An attempt is *reserved* before its password is checked. One conditional statement counts it as a failure in
//! advance, so a hundred parallel attempts cannot exceed a limit of ten. A successful sign-in deletes the counter.

use std::time::Duration;

use rotation::{Timestamp, UserId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{CaseStatement, Expr, ExprTrait, OnConflict, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    AuditContext, Store, StoreError,
    entity::{
        security_event,
        sign_in_failure::{ActiveModel, Column, Entity, Model},
        user,
    },
    events::{self, EventKind},
    users,
};

/// How many rows one transaction deletes.
const BATCH: u64 = 500;
/// Counters for addresses without an account are deleted after this long without an attempt, …
const FORGET_AFTER: Duration = Duration::from_hours(30 * 24);
/// … and after this long if there were too few attempts to cause a delay.
const FORGET_FEW_AFTER: Duration = Duration::from_hours(24);
/// Failed sign-ins within this time of the first share one entry on the timeline.
const TIMELINE_WINDOW: Duration = Duration::from_hours(1);
/// How often a reservation is retried when it neither took effect nor was refused.
const TRIES: u32 = 3;

/// How many attempts may fail in a row, and the delay after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessPolicy {
    /// After this many failures the next attempt has to wait.
    pub free: u32,
    /// The first delay; each further failure doubles it.
    pub first_delay: Duration,
    /// The longest delay after a wrong password.
    pub longest_delay: Duration,
    /// After this many failures no further attempt is allowed.
    pub most: u32,
    /// From this many failures on, the owner sees a warning at the next sign-in.
    pub tell_owner_from: u32,
}

impl GuessPolicy {
    /// NIST SP 800-63B §5.2.2: no more than 100 consecutive failures.
    pub const DEFAULT: Self = Self {
        free: 10,
        first_delay: Duration::from_secs(30),
        longest_delay: Duration::from_hours(1),
        most: 100,
        tell_owner_from: 10,
    };

    /// How long the next attempt has to wait after this many failures in a row.
    #[must_use]
    pub fn delay_after(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        let factor = 2_u32.checked_pow(doublings);
        factor
            .and_then(|factor| self.first_delay.checked_mul(factor))
            .map_or(self.longest_delay, |delay| delay.min(self.longest_delay))
    }

    /// The time of the next attempt, given the number of failures in the row before this one.
    fn next_attempt(&self, now: Timestamp) -> SimpleExpr {
        let moment = |delay| Expr::value(now.saturating_add(delay).millis());
        let mut case = CaseStatement::new();
        // Beyond the last branch the delay stays constant.
        for before in self.free.saturating_sub(1)..self.most {
            let delay = self.delay_after(before + 1);
            if delay >= self.longest_delay {
                break;
            }
            case = case.case(failures().eq(to_i32(before)), moment(delay));
        }
        case.case(
            failures().lt(to_i32(self.free.saturating_sub(1))),
            moment(Duration::ZERO),
        )
        .finally(moment(self.longest_delay))
        .into()
    }
}

/// The subject of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessCounter {
    key: Uuid,
    user: Option<UserId>,
}

impl GuessCounter {
    /// Attempts at an account from browsers that the account has not used before.
    #[must_use]
    pub const fn of_account(user: UserId) -> Self {
        Self {
            key: user.uuid(),
            user: Some(user),
        }
    }

    /// Attempts at an address without an account, identified by a keyed hash of it.
    #[must_use]
    pub const fn of_address(hash: [u8; 16]) -> Self {
        Self {
            key: Uuid::from_bytes(hash),
            user: None,
        }
    }

    /// Attempts at an account that are counted separately, by a keyed hash: for one browser, or for the
    /// current-password check.
    #[must_use]
    pub const fn of_account_apart(user: UserId, hash: [u8; 16]) -> Self {
        Self {
            key: Uuid::from_bytes(hash),
            user: Some(user),
        }
    }
}

/// Whether an attempt is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// Allowed, and already counted as a failure.
    Reserved,
    /// Not allowed until `retry_after` has passed.
    TooEarly {
        /// How long until an attempt is allowed.
        retry_after: Duration,
    },
    /// The limit of failures in a row is reached.
    Exhausted,
}

impl Store {
    /// Reserves an attempt, if one is allowed at `now`.
    ///
    /// # Errors
    /// If the database is unavailable: then no attempt is allowed.
    pub async fn reserve_attempt(
        &self,
        counter: GuessCounter,
        policy: &GuessPolicy,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        for _ in 0..TRIES {
            // An attack produces mostly refusals, so a refusal costs one read and no lock.
            let row = Entity::find_by_id(counter.key).one(self.reader()).await?;
            if let Some(refusal) = row.and_then(|row| refusal(&row, policy, now)) {
                return Ok(refusal);
            }
            if self.reserve(counter, policy, now).await? {
                return Ok(Reservation::Reserved);
            }
        }
        // Other requests won the race each time.
        Ok(Reservation::TooEarly {
            retry_after: policy.first_delay,
        })
    }

    async fn reserve(
        &self,
        counter: GuessCounter,
        policy: &GuessPolicy,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = ActiveModel {
            key: Set(counter.key),
            user_id: Set(counter.user.map(UserId::uuid)),
            failures: Set(1),
            next_attempt_at: Set(now.saturating_add(policy.delay_after(1)).millis()),
            last_attempt_at: Set(now.millis()),
        };
        let next_attempt = Expr::col((Entity, Column::NextAttemptAt));
        let unless_refused = OnConflict::column(Column::Key)
            .value(Column::Failures, failures().add(1))
            .value(Column::NextAttemptAt, policy.next_attempt(now))
            .value(Column::LastAttemptAt, Expr::value(now.millis()))
            .action_and_where(failures().lt(to_i32(policy.most)))
            .action_and_where(
                next_attempt
                    .clone()
                    .lte(now.millis())
                    // A clock that was set back never makes anyone wait longer than the longest delay.
                    .or(next_attempt.gt(now.saturating_add(policy.longest_delay).millis())),
            )
            .to_owned();
        let reserved = Entity::insert(row)
            .on_conflict(unless_refused)
            .exec_without_returning(self.writer())
            .await?;
        Ok(reserved == 1)
    }

    /// Releases a reservation whose password was never checked.
    ///
    /// # Errors
    /// If the database is unavailable; then the attempt stays counted.
    pub async fn release_attempt(&self, counter: GuessCounter, now: Timestamp) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::Failures, failures().sub(1))
            .col_expr(Column::NextAttemptAt, Expr::value(now.millis()))
            .filter(Column::Key.eq(counter.key))
            .filter(Column::Failures.gt(0))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// Deletes an account's failure counter after a successful sign-in, and the counters in `also`. If others failed
    /// often since the last sign-in, this writes an event to the timeline, which the owner sees until they acknowledge
    /// it.
    ///
    /// `own` is how many of the account's failures belong to this sign-in.
    ///
    /// # Errors
    /// If the database is unavailable; then the failures stay counted.
    pub async fn forget_failures(
        &self,
        user: UserId,
        also: &[GuessCounter],
        own: u32,
        policy: &GuessPolicy,
        context: &AuditContext,
    ) -> Result<(), StoreError> {
        let account = GuessCounter::of_account(user);
        let tx = self.begin().await?;
        let query = Entity::find_by_id(account.key);
        let query = if self.is_sqlite() {
            query
        } else {
            query.lock_exclusive()
        };
        let row = query.one(&*tx).await?;
        let before = row.map_or(0, |row| u32::try_from(row.failures).unwrap_or(0));
        let failed = before.saturating_sub(own);
        let keys = also.iter().chain([&account]).map(|counter| counter.key);
        Entity::delete_many()
            .filter(Column::Key.is_in(keys))
            .exec(&*tx)
            .await?;
        if failed >= policy.tell_owner_from {
            let detail = Some(failed.to_string());
            events::insert_with(&*tx, EventKind::ManyFailedSignIns, user, None, context, detail).await?;
        }
        tx.commit(context.now).await
    }

    /// Deletes one counter.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn forget_counter(&self, counter: GuessCounter) -> Result<(), StoreError> {
        Entity::delete_by_id(counter.key).exec(self.writer()).await?;
        Ok(())
    }

    /// Deletes all counters of an account for an operator, and returns how many failures the account's main counter
    /// had.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn unlock(&self, user: UserId) -> Result<u32, StoreError> {
        let row = Entity::find_by_id(user.uuid()).one(self.writer()).await?;
        Entity::delete_many()
            .filter(Column::UserId.eq(user.uuid()))
            .exec(self.writer())
            .await?;
        Ok(row.map_or(0, |row| u32::try_from(row.failures).unwrap_or(0)))
    }

    /// Records failed sign-ins on an account's timeline: one entry per hour, with their number and the origin of the
    /// last one. A deleted account has no timeline.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn add_failed_sign_ins(
        &self,
        user: UserId,
        count: u32,
        first: &AuditContext,
    ) -> Result<(), StoreError> {
        use security_event::{Column as EventColumn, Entity as Event};

        let tx = self.begin().await?;
        // Prevents two nodes from each starting an entry.
        if !users::lock_row(&*tx, user::Column::Id.eq(user.uuid())).await? {
            return tx.rollback().await;
        }
        let window = crate::EventId::new(first.now.saturating_sub(TIMELINE_WINDOW), [0; 10]);
        let open = Event::find()
            .filter(EventColumn::UserId.eq(user.uuid()))
            .filter(EventColumn::Kind.eq(EventKind::SignInFailed.as_str()))
            .filter(EventColumn::Id.gte(window.0))
            .order_by_desc(EventColumn::Id)
            .one(&*tx)
            .await?;
        if let Some(row) = open {
            let sum = events::count_in(row.detail.as_deref())
                .unwrap_or(0)
                .saturating_add(count);
            Event::update_many()
                .col_expr(EventColumn::Detail, Expr::value(sum.to_string()))
                .col_expr(EventColumn::Ip, Expr::value(first.client.ip.clone()))
                .col_expr(
                    EventColumn::UserAgent,
                    Expr::value(first.client.user_agent.clone()),
                )
                .filter(EventColumn::Id.eq(row.id))
                .exec(&*tx)
                .await?;
        } else {
            let detail = Some(count.to_string());
            events::insert_with(&*tx, EventKind::SignInFailed, user, None, first, detail).await?;
        }
        tx.commit(first.now).await
    }

    /// Deletes one batch of counters of addresses without an account that had no attempt for a long time. Counters of
    /// accounts stay until a sign-in succeeds: there is one for each account and browser, and NIST's limit does not
    /// expire.
    pub(crate) async fn prune_guesses(&self, now: Timestamp) -> Result<u64, StoreError> {
        let free = to_i32(GuessPolicy::DEFAULT.free);
        let few = Column::Failures
            .lt(free)
            .and(Column::LastAttemptAt.lt(now.saturating_sub(FORGET_FEW_AFTER).millis()));
        let old = Entity::find()
            .select_only()
            .column(Column::Key)
            .filter(Column::UserId.is_null())
            .filter(
                Condition::any()
                    .add(few)
                    .add(Column::LastAttemptAt.lt(now.saturating_sub(FORGET_AFTER).millis())),
            )
            .order_by_asc(Column::LastAttemptAt)
            .limit(BATCH);
        let deleted = Entity::delete_many()
            .filter(Column::Key.in_subquery(old.into_query()))
            .exec(self.writer())
            .await?;
        Ok(deleted.rows_affected)
    }
}

fn refusal(row: &Model, policy: &GuessPolicy, now: Timestamp) -> Option<Reservation> {
    if row.failures >= to_i32(policy.most) {
        return Some(Reservation::Exhausted);
    }
    let next = Timestamp::from_millis(row.next_attempt_at);
    let retry_after = now.until(next);
    (next > now && retry_after <= policy.longest_delay).then_some(Reservation::TooEarly { retry_after })
}

fn failures() -> Expr {
    Expr::col((Entity, Column::Failures))
}

fn to_i32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_after_ten_failures_up_to_an_hour() {
        let policy = GuessPolicy::DEFAULT;
        let seconds: Vec<_> = (1..=20)
            .map(|failures| policy.delay_after(failures).as_secs())
            .collect();
        assert_eq!(seconds[..9], [0; 9]);
        assert_eq!(seconds[9..17], [30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert!(seconds[17..].iter().all(|seconds| *seconds == 3600));
        assert_eq!(policy.delay_after(u32::MAX), policy.longest_delay);
        assert!(policy.most <= 100, "NIST SP 800-63B §5.2.2");
    }
}
