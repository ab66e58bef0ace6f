//! Lifetimes and the grace period.

use std::time::Duration;

use crate::Timestamp;

/// Lifetimes and the grace period, validated once at startup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Lifetimes of tokens and sessions.
    pub lifetimes: Lifetimes,
    /// Grace period: for how long after a rotation the parent gets the same successor even if it was used, and for how
    /// long after the successor's use an old token gets [`Decision::Stale`](crate::Decision::Stale). Zero is strict.
    pub reuse_grace: Duration,
    /// Whether a token that is newer than its session's row continues the session ([`Decision::Recover`]). Otherwise it
    /// is treated as reuse.
    ///
    /// [`Decision::Recover`]: crate::Decision::Recover
    pub recover_lost_writes: bool,
}

/// Lifetimes of tokens and sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Lifetime of an access token, from issue.
    pub access: Duration,
    /// Lifetime of a session since its last refresh.
    pub refresh_idle: Duration,
    /// Like `refresh_idle`, on a shared computer, where “Keep me signed in” was switched off.
    pub refresh_idle_shared: Duration,
    /// Lifetime of a session since its login; no refresh extends it (RFC 9700 §4.14.2, OWASP ASVS 7.3.2).
    pub refresh_absolute: Duration,
}

/// The lifetimes contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An access token would expire before a browser can use it.
    #[error("access_ttl must be at least 1 s")]
    AccessTooShort,
    /// An access token would outlive the refresh token.
    #[error("access_ttl must be shorter than refresh_idle_ttl: an access token may not outlive its session")]
    AccessOutlivesIdle,
    /// A session would idle for longer than it may live.
    #[error("refresh_idle_ttl must not exceed refresh_absolute_ttl: a session cannot slide past its end")]
    IdleExceedsAbsolute,
    /// The idle lifetime on a shared computer is not between the access token's and the ordinary one.
    #[error("refresh_idle_ttl_shared must be longer than access_ttl and not longer than refresh_idle_ttl")]
    SharedOutsideBounds,
    /// The grace period is not shorter than the access token's lifetime.
    #[error(
        "reuse_grace must be shorter than access_ttl: a longer one hides theft instead of forgiving retries"
    )]
    GraceTooLong,
}

impl Policy {
    /// The defaults.
    pub const KEYTURN: Self = Self {
        lifetimes: Lifetimes {
            access: Duration::from_mins(15),
            refresh_idle: Duration::from_hours(7 * 24),
            refresh_idle_shared: Duration::from_hours(12),
            refresh_absolute: Duration::from_hours(30 * 24),
        },
        reuse_grace: Duration::from_secs(10),
        recover_lost_writes: true,
    };
    /// The defaults without a grace period: every token is valid for one use, and a second use revokes the session (RFC
    /// 9700 §4.14.2, to the letter). A lost response signs an honest client out.
    pub const STRICT: Self = Self {
        reuse_grace: Duration::ZERO,
        ..Self::KEYTURN
    };

    /// Creates a policy that recovers lost writes.
    ///
    /// # Errors
    /// If two lifetimes contradict each other.
    pub fn new(lifetimes: Lifetimes, reuse_grace: Duration) -> Result<Self, PolicyError> {
        if lifetimes.access < Duration::from_secs(1) {
            return Err(PolicyError::AccessTooShort);
        }
        if lifetimes.access >= lifetimes.refresh_idle {
            return Err(PolicyError::AccessOutlivesIdle);
        }
        if lifetimes.refresh_idle > lifetimes.refresh_absolute {
            return Err(PolicyError::IdleExceedsAbsolute);
        }
        if lifetimes.refresh_idle_shared <= lifetimes.access
            || lifetimes.refresh_idle_shared > lifetimes.refresh_idle
        {
            return Err(PolicyError::SharedOutsideBounds);
        }
        if reuse_grace >= lifetimes.access {
            return Err(PolicyError::GraceTooLong);
        }
        Ok(Self {
            lifetimes,
            reuse_grace,
            recover_lost_writes: true,
        })
    }
}

impl Lifetimes {
    /// The latest end of a session that logs in at `now`.
    pub fn absolute_expiry(&self, now: Timestamp) -> Timestamp {
        now.floor_to_secs().saturating_add(self.refresh_absolute)
    }

    /// The expiry of a refresh token that is issued at `now`: sliding, but never past the session's absolute end.
    ///
    /// Rounded down to a second, because `exp` is a `NumericDate`, and the row and the token must agree to the
    /// millisecond.
    pub fn refresh_expiry(&self, now: Timestamp, absolute_end: Timestamp, remember: bool) -> Timestamp {
        let idle = if remember {
            self.refresh_idle
        } else {
            self.refresh_idle_shared
        };
        now.floor_to_secs().saturating_add(idle).min(absolute_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const DAY: Duration = Duration::from_hours(24);

    fn lifetimes() -> Lifetimes {
        Lifetimes {
            access: 15 * MINUTE,
            refresh_idle: 7 * DAY,
            refresh_idle_shared: DAY / 2,
            refresh_absolute: 30 * DAY,
        }
    }

    #[test]
    fn the_built_in_policies_are_valid() {
        for policy in [Policy::KEYTURN, Policy::STRICT] {
            assert_eq!(Policy::new(policy.lifetimes, policy.reuse_grace), Ok(policy));
        }
        assert_eq!(Policy::KEYTURN.lifetimes, lifetimes());
        assert_eq!(Policy::KEYTURN.reuse_grace, Duration::from_secs(10));
        assert!(Policy::STRICT.reuse_grace.is_zero());
    }

    #[test]
    fn lifetimes_that_contradict_each_other_are_refused() {
        let grace = Duration::from_secs(10);
        let check = |change: fn(&mut Lifetimes)| {
            let mut changed = lifetimes();
            change(&mut changed);
            Policy::new(changed, grace).err()
        };
        assert_eq!(check(|_| {}), None);
        assert_eq!(
            check(|l| l.access = Duration::ZERO),
            Some(PolicyError::AccessTooShort)
        );
        assert_eq!(
            check(|l| l.access = 7 * DAY),
            Some(PolicyError::AccessOutlivesIdle)
        );
        assert_eq!(
            check(|l| l.refresh_idle = 31 * DAY),
            Some(PolicyError::IdleExceedsAbsolute)
        );
        assert_eq!(
            check(|l| l.refresh_idle_shared = 10 * MINUTE),
            Some(PolicyError::SharedOutsideBounds)
        );
        assert_eq!(
            check(|l| l.refresh_idle_shared = 8 * DAY),
            Some(PolicyError::SharedOutsideBounds)
        );
        assert_eq!(
            Policy::new(lifetimes(), 15 * MINUTE).err(),
            Some(PolicyError::GraceTooLong)
        );
    }

    #[test]
    fn equal_idle_and_absolute_lifetimes_mean_no_sliding() {
        let fixed = Lifetimes {
            refresh_absolute: 7 * DAY,
            ..lifetimes()
        };
        let login = Timestamp::from_secs(1_000_000);
        let end = fixed.absolute_expiry(login);
        assert_eq!(
            fixed.refresh_expiry(login.saturating_add(3 * DAY), end, true),
            end
        );
    }

    #[test]
    fn no_refresh_outlives_the_absolute_end() {
        let login = Timestamp::from_secs(1_000_000);
        let end = lifetimes().absolute_expiry(login);
        assert_eq!(
            lifetimes().refresh_expiry(login.saturating_add(29 * DAY), end, true),
            end
        );
        assert!(lifetimes().refresh_expiry(login, end, true) < end);
    }
}
