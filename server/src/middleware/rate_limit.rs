//! Not too many sign-ins and registrations from one place.
//!
//! The algorithm is `governor`'s (GCRA); ours are the key and the clock. An IPv6 network of /64 counts as one place,
//! because one subscriber owns all of it.

use std::{fmt, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::keyed::DefaultKeyedStateStore,
};
use rotation::Clock;

use crate::{config::Limits, error::ApiError, extract::client_ip, state::AppState};

/// From how many places on the limiter forgets those that have been quiet.
const PLACES_BEFORE_SWEEP: usize = 10_000;

/// Counts attempts by place.
pub struct Limiter {
    by_place: Option<ByPlace>,
    clock: OurClock,
}

type ByPlace = RateLimiter<u128, DefaultKeyedStateStore<u128>, OurClock, NoOpMiddleware<Moment>>;

/// Our clock in the shape that governor asks for.
#[derive(Clone)]
struct OurClock(Arc<dyn Clock>);

/// Milliseconds of our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(i64);

impl governor::clock::Clock for OurClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(self.0.now().millis())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        let millis = u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0);
        Nanos::from(Duration::from_millis(millis))
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(millis_of(duration)))
    }
}

impl std::ops::Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        Self(self.0.saturating_add(millis_of(duration)))
    }
}

impl Limiter {
    pub fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        let clock = OurClock(clock);
        let per_minute = NonZeroU32::new(limits.attempts_per_minute).filter(|_| limits.enabled);
        let by_place = per_minute.map(|attempts| {
            RateLimiter::new(
                Quota::per_minute(attempts),
                DefaultKeyedStateStore::default(),
                clock.clone(),
            )
        });
        Self { by_place, clock }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub fn attempt(&self, ip: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.by_place else {
            return Ok(());
        };
        if limiter.len() > PLACES_BEFORE_SWEEP {
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
    let ip = client_ip(&parts, &state.config.http.trusted_proxies);
    match ip.map_or(Ok(()), |ip| state.limiter.attempt(ip)) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        // Rounded up: a client that comes back on the second must not be too early.
        Err(wait) => ApiError::rate_limited(wait + Duration::from_secs(1)).into_response(),
    }
}

fn millis_of(duration: Nanos) -> i64 {
    i64::try_from(Duration::from(duration).as_millis()).unwrap_or(i64::MAX)
}

fn place_of(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits() & !u128::from(u64::MAX),
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("enabled", &self.by_place.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rotation::{ManualClock, Timestamp};

    fn limiter(clock: &Arc<ManualClock>, enabled: bool) -> Limiter {
        let limits = Limits {
            enabled,
            attempts_per_minute: 3,
            ..Limits::default()
        };
        Limiter::new(&limits, Arc::clone(clock) as Arc<dyn Clock>)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_place_is_held_back_and_others_are_not() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
        let limiter = limiter(&clock, true);
        for _ in 0..3 {
            assert_eq!(limiter.attempt(ip("2001:db8:1:2::1")), Ok(()));
        }
        let wait = limiter
            .attempt(ip("2001:db8:1:2:ffff::9"))
            .expect_err("the same /64");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(20));
        assert_eq!(limiter.attempt(ip("2001:db8:1:3::1")), Ok(()));
        assert_eq!(limiter.attempt(ip("192.0.2.1")), Ok(()));
        clock.advance(wait);
        assert_eq!(limiter.attempt(ip("2001:db8:1:2::1")), Ok(()));
    }

    #[test]
    fn switched_off_it_counts_nothing() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
        let limiter = limiter(&clock, false);
        for _ in 0..100 {
            assert_eq!(limiter.attempt(ip("192.0.2.1")), Ok(()));
        }
    }
}
