//! Not too many sign-ins and registrations from one place.
//!
//! The algorithm and the clock are `governor`'s (GCRA on monotonic time: a wall clock that is set back must not hold
//! anybody back). An IPv6 network of /64 counts as one place, because one subscriber owns all of it.

use std::{
    fmt,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use crate::{config::Limits, error::ApiError, extract::client_ip, state::AppState};

/// After how many attempts places that have been quiet are forgotten: seldom enough to cost nothing, often enough to
/// bound the memory.
const ATTEMPTS_BETWEEN_SWEEPS: usize = 10_000;

/// Counts attempts by place.
pub struct Limiter<C: Clock = MonotonicClock> {
    by_place: Option<ByPlace<C>>,
    clock: C,
    attempts: AtomicUsize,
}

type ByPlace<C> = RateLimiter<u128, DefaultKeyedStateStore<u128>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<C: Clock + Clone> Limiter<C>
where
    C::Instant: Reference,
{
    pub fn new(limits: &Limits, clock: C) -> Self {
        let per_minute = NonZeroU32::new(limits.attempts_per_minute).filter(|_| limits.enabled);
        let by_place = per_minute.map(|attempts| {
            RateLimiter::new(
                Quota::per_minute(attempts),
                DefaultKeyedStateStore::default(),
                clock.clone(),
            )
        });
        Self {
            by_place,
            clock,
            attempts: AtomicUsize::new(0),
        }
    }

    /// Counts an attempt. Attempts from nowhere share one place: an unknown address is no way around the limit.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn attempt(&self, ip: Option<IpAddr>) -> Result<(), Duration> {
        let Some(limiter) = &self.by_place else {
            return Ok(());
        };
        if self.attempts.fetch_add(1, Ordering::Relaxed) % ATTEMPTS_BETWEEN_SWEEPS
            == ATTEMPTS_BETWEEN_SWEEPS - 1
        {
            limiter.retain_recent();
        }
        limiter
            .check_key(&place_of(ip))
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

/// Refuses an attempt from a place that has made too many.
pub async fn limit_attempts(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let ip = client_ip(&parts);
    match state.limiter.attempt(ip) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        // Rounded up: a client that comes back on the second must not be too early.
        Err(wait) => ApiError::rate_limited(wait + Duration::from_secs(1)).into_response(),
    }
}

fn place_of(ip: Option<IpAddr>) -> u128 {
    match ip {
        Some(IpAddr::V4(ip)) => u128::from(ip.to_bits()),
        Some(IpAddr::V6(ip)) => ip.to_bits() & !u128::from(u64::MAX),
        None => u128::MAX,
    }
}

impl<C: Clock> fmt::Debug for Limiter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("enabled", &self.by_place.is_some())
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
    fn one_place_is_held_back_and_others_are_not() {
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
    fn an_unknown_address_is_no_way_around_it() {
        let limiter = limiter(&FakeRelativeClock::default(), true);
        for _ in 0..3 {
            assert_eq!(limiter.attempt(None), Ok(()));
        }
        assert!(limiter.attempt(None).is_err());
    }

    #[test]
    fn switched_off_it_counts_nothing() {
        let limiter = limiter(&FakeRelativeClock::default(), false);
        for _ in 0..100 {
            assert_eq!(limiter.attempt(Some(ip("192.0.2.1"))), Ok(()));
        }
    }
}
