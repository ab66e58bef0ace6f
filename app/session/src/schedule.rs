//! Schedule of refreshes and retries. Pure arithmetic: time and randomness are parameters.

use std::time::Duration;

/// A token is renewed this long before it expires, or a tenth of its lifetime if that is less.
const MARGIN: Duration = Duration::from_mins(1);

/// Minimum time between two scheduled refreshes, whatever lifetime the server sends.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Maximum wait, whatever the server sends. It keeps the sums far from overflow, and limits the effect of a wrong value
/// to a day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A page that becomes visible checks whether its session is still active, if the last confirmation by the server is
/// older than this.
pub(crate) const RECHECK_AFTER: Duration = Duration::from_mins(1);

/// Timeout of the wait for the first lock, after which the tab continues without it. Longer than any normal sign-in
/// takes, and short enough for a user who waits for the page.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of the following wait for either lock. It is as long as the timeout of a request. So a slow holder has its
/// response by then, and the tabs behind it never all continue at the same time.
pub(crate) const OVERFLOW_LOCK_TIMEOUT: Duration = Duration::from_secs(15);

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The token's lifetime from the server's `expires_in`, limited to [`LONGEST_WAIT`].
pub(crate) fn lifetime(expires_in: u64) -> Duration {
    Duration::from_secs(expires_in).min(LONGEST_WAIT)
}

/// The time between the request for a token and its renewal. `jitter` (0..1) makes it up to a fifth of the margin
/// shorter, so that the tabs of one browser do not all refresh at the same time.
pub fn until_refresh(lifetime: Duration, jitter: f64) -> Duration {
    let margin = MARGIN.min(lifetime / 10);
    let early = margin.mul_f64(0.2 * valid_jitter(jitter));
    lifetime.saturating_sub(margin + early).max(SHORTEST_WAIT)
}

/// The wait after `failures` failed attempts in a row. It doubles from 1 s to 30 s. `jitter` (0..1) makes it up to half
/// shorter, so that clients that failed together do not retry together.
///
/// A `Retry-After` is a lower bound; in that case the jitter makes the wait longer.
pub(crate) fn until_retry(failures: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let jitter = valid_jitter(jitter);
    let doublings = failures.saturating_sub(1).min(5);
    let step = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    let wait = step.mul_f64(1.0 - 0.5 * jitter);
    match retry_after {
        Some(requested) => wait.max(requested.min(LONGEST_WAIT).mul_f64(1.0 + 0.1 * jitter)),
        None => wait,
    }
}

/// The wait after the browser reports a network connection: up to a second. So the tabs of a browser, and the browsers
/// of a building, do not all retry at the same time.
pub(crate) fn until_early_retry(jitter: f64) -> Duration {
    FIRST_RETRY.mul_f64(valid_jitter(jitter))
}

/// Replaces an invalid jitter by 0. A broken source of randomness only loses the spreading.
fn valid_jitter(jitter: f64) -> f64 {
    if (0.0..=1.0).contains(&jitter) {
        jitter
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn refresh_is_scheduled_before_the_token_expires() {
        assert_eq!(until_refresh(secs(900), 0.0), secs(840));
        assert_eq!(until_refresh(secs(100), 0.0), secs(90));
        assert_eq!(
            until_refresh(secs(900), 1.0),
            secs(828),
            "jitter only makes it earlier"
        );
    }

    #[test]
    fn extreme_lifetimes_neither_spin_nor_overflow() {
        assert_eq!(until_refresh(lifetime(0), 0.5), secs(1));
        assert_eq!(until_refresh(lifetime(1), 0.5), secs(1));
        assert!(until_refresh(lifetime(u64::MAX), 0.0) <= LONGEST_WAIT);
        assert!(until_retry(u32::MAX, 0.0, Some(Duration::MAX)) <= LONGEST_WAIT);
        assert!(
            until_refresh(secs(900), f64::NAN) <= secs(840),
            "a broken jitter cannot make it late"
        );
    }

    #[test]
    fn retries_double_up_to_half_a_minute() {
        let waits: Vec<_> = (1..=8)
            .map(|failures| until_retry(failures, 0.0, None).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(
            until_retry(2, 1.0, None),
            secs(1),
            "jitter takes away at most half"
        );
    }

    #[test]
    fn retry_after_is_a_lower_bound() {
        assert_eq!(until_retry(1, 0.0, Some(secs(7))), secs(7));
        assert_eq!(until_retry(1, 1.0, Some(secs(10))), secs(11));
        assert_eq!(until_retry(6, 0.0, Some(secs(7))), secs(30));
    }
}
