//! Rate limits inside one process: attempts per network, and refreshes per session.
//!
//! The algorithm and the clock come from `governor` (GCRA on monotonic time: setting the wall clock back must not delay
//! anyone). Each node counts separately; limits that must hold across all nodes are in `guesses`.

use std::{
    fmt,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use rotation::SessionId;

use crate::{config::Limits, network::network_of};

/// The number of attempts between two sweeps of idle keys: rare enough to cost nothing, frequent enough to bound the
/// memory.
const ATTEMPTS_BETWEEN_SWEEPS: usize = 10_000;

/// Reports per address and minute. A broken page sends a handful.
const REPORTS_PER_MINUTE: u32 = 30;

/// Rate limiter for sign-in, registration and checks of the current password, per network.
pub struct Limiter<C: Clock = MonotonicClock>(KeyedLimiter<Option<IpAddr>, C>);

/// Rate limiter for refreshes, per session. Only tokens with a valid signature are counted, so strangers cannot fill
/// the memory.
pub struct RefreshLimiter<C: Clock = MonotonicClock>(KeyedLimiter<SessionId, C>);

/// Counts events per key: a number per minute, and the same number as a burst.
pub(crate) struct KeyedLimiter<K: Hash + Eq + Clone, C: Clock> {
    /// `None`: no limit.
    by_key: Option<ByKey<K, C>>,
    clock: C,
    checks: AtomicUsize,
}

type ByKey<K, C> = RateLimiter<K, DefaultKeyedStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<K: Hash + Eq + Clone, C: Clock + Clone> KeyedLimiter<K, C>
where
    C::Instant: Reference,
{
    /// Without a limit if `limits.enabled` is false.
    fn new(limits: &Limits, count: u32, clock: C) -> Self {
        Self::per_minute(if limits.enabled { count } else { 0 }, clock)
    }

    /// Without a limit if `count` is zero.
    pub(crate) fn per_minute(count: u32, clock: C) -> Self {
        let by_key = NonZeroU32::new(count).map(|count| {
            RateLimiter::new(
                Quota::per_minute(count),
                DefaultKeyedStateStore::default(),
                clock.clone(),
            )
        });
        Self {
            by_key,
            clock,
            checks: AtomicUsize::new(0),
        }
    }

    /// # Errors
    /// How long to wait, if there were too many.
    pub(crate) fn check(&self, key: &K) -> Result<(), Duration> {
        let Some(limiter) = &self.by_key else {
            return Ok(());
        };
        if self.checks.fetch_add(1, Ordering::Relaxed) % ATTEMPTS_BETWEEN_SWEEPS
            == ATTEMPTS_BETWEEN_SWEEPS - 1
        {
            limiter.retain_recent();
        }
        limiter
            .check_key(key)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

impl<C: Clock + Clone> Limiter<C>
where
    C::Instant: Reference,
{
    pub fn new(limits: &Limits, clock: C) -> Self {
        Self(KeyedLimiter::new(limits, limits.attempts_per_minute, clock))
    }

    /// One for reports of what the Content-Security-Policy blocked.
    pub fn for_csp_reports(limits: &Limits, clock: C) -> Self {
        Self(KeyedLimiter::new(limits, REPORTS_PER_MINUTE, clock))
    }

    /// Counts an attempt. Attempts without an address share one key, so that an unknown address does not bypass the
    /// limit.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn attempt(&self, ip: Option<IpAddr>) -> Result<(), Duration> {
        self.0.check(&ip.map(network_of))
    }
}

impl<C: Clock + Clone> RefreshLimiter<C>
where
    C::Instant: Reference,
{
    pub fn new(limits: &Limits, clock: C) -> Self {
        Self(KeyedLimiter::new(limits, limits.refreshes_per_minute, clock))
    }

    /// Counts a refresh.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn attempt(&self, session: SessionId) -> Result<(), Duration> {
        self.0.check(&session)
    }
}

impl<C: Clock> fmt::Debug for Limiter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("enabled", &self.0.by_key.is_some())
            .finish_non_exhaustive()
    }
}

impl<C: Clock> fmt::Debug for RefreshLimiter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshLimiter")
            .field("enabled", &self.0.by_key.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(clock: &FakeRelativeClock, enabled: bool) -> Limiter<FakeRelativeClock> {
        let limits = Limits {
            enabled,
            attempts_per_minute: 3,
            ..Limits::default()
        };
        Limiter::new(&limits, clock.clone())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_network_is_limited_and_others_are_not() {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(&clock, true);
        for _ in 0..3 {
            assert_eq!(limiter.attempt(Some(ip("2001:db8:1:2::1"))), Ok(()));
        }
        let wait = limiter
            .attempt(Some(ip("2001:db8:1:2:ffff::9")))
            .expect_err("the same /64");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20));
        assert_eq!(limiter.attempt(Some(ip("2001:db8:1:3::1"))), Ok(()));
        assert_eq!(limiter.attempt(Some(ip("192.0.2.1"))), Ok(()));
        clock.advance(wait);
        assert_eq!(limiter.attempt(Some(ip("2001:db8:1:2::1"))), Ok(()));
    }

    #[test]
    fn requests_without_an_address_share_one_limit() {
        let limiter = limiter(&FakeRelativeClock::default(), true);
        for _ in 0..3 {
            assert_eq!(limiter.attempt(None), Ok(()));
        }
        assert!(limiter.attempt(None).is_err());
    }

    #[test]
    fn a_disabled_limiter_counts_nothing() {
        let limiter = limiter(&FakeRelativeClock::default(), false);
        for _ in 0..100 {
            assert_eq!(limiter.attempt(Some(ip("192.0.2.1"))), Ok(()));
        }
    }

    #[test]
    fn refreshes_of_one_session_are_limited() {
        let clock = FakeRelativeClock::default();
        let limiter = RefreshLimiter::new(&Limits::default(), clock.clone());
        let session =
            |number: u8| SessionId::new(rotation::Timestamp::from_secs(1_795_000_000), [number; 10]);
        for _ in 0..120 {
            assert_eq!(limiter.attempt(session(1)), Ok(()));
        }
        let wait = limiter.attempt(session(1)).expect_err("the burst is used up");
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_millis(500),
            "{wait:?}"
        );
        assert_eq!(limiter.attempt(session(2)), Ok(()));
        clock.advance(Duration::from_mins(1));
        for _ in 0..120 {
            assert_eq!(limiter.attempt(session(1)), Ok(()));
        }
        assert!(limiter.attempt(session(1)).is_err());
    }
}
