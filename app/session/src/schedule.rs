//! When to refresh and when to try again. Pure arithmetic: time and randomness come in as numbers.

use std::time::Duration;

/// A token is renewed this long before it ends, or a tenth of its lifetime if that is less.
const MARGIN: Duration = Duration::from_mins(1);

/// Two refreshes that nobody asked for are at least this far apart, whatever lifetime the server claims.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// No claim of the server makes us wait longer than this: it keeps the sums far away from overflow, and a page that
/// was told nonsense recovers within the day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A page that is shown again asks whether its session still lives, if it has not heard of the server for so long.
pub(crate) const PROOF_LASTS: Duration = Duration::from_mins(1);

/// A tab waits this long for its turn, and then goes on without. Longer than any honest sign-in takes, and short enough
/// for somebody who waits for a page.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// After that it waits this long for either lock. As long as a request may take, so that a holder that is slow, but not
/// frozen, has its answer by then and the tabs behind it never all go on at the same time.
pub(crate) const OVERFLOW_PATIENCE: Duration = Duration::from_secs(15);

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The lifetime to reckon with, from the server's `expires_in`.
pub(crate) fn lifetime(expires_in: u64) -> Duration {
    Duration::from_secs(expires_in).min(LONGEST_WAIT)
}

/// How long after it was asked for a token should be renewed. `jitter` (0..1) moves that up to a fifth of the margin
/// earlier, so that the tabs of one browser do not all ask in the same instant.
pub fn until_refresh(lifetime: Duration, jitter: f64) -> Duration {
    let margin = MARGIN.min(lifetime / 10);
    let early = margin.mul_f64(0.2 * sane(jitter));
    lifetime.saturating_sub(margin + early).max(SHORTEST_WAIT)
}

/// How long to wait after `failures` attempts in a row went wrong: doubling from 1 s to 30 s, and shortened by up to
/// a half (`jitter`, 0..1), so that clients that fell together do not come back together.
///
/// A `Retry-After` is a lower bound, and then the jitter lengthens instead.
pub(crate) fn until_retry(failures: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let jitter = sane(jitter);
    let doublings = failures.saturating_sub(1).min(5);
    let step = (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY);
    let wait = step.mul_f64(1.0 - 0.5 * jitter);
    match retry_after {
        Some(asked) => wait.max(asked.min(LONGEST_WAIT).mul_f64(1.0 + 0.1 * jitter)),
        None => wait,
    }
}

/// How long to wait when the browser says that the network is back: up to a second, so that the tabs of a browser, and
/// the browsers of a building, do not all come in the same instant.
pub(crate) fn until_hastened(jitter: f64) -> Duration {
    FIRST_RETRY.mul_f64(sane(jitter))
}

/// A broken source of randomness costs the spreading and nothing else.
fn sane(jitter: f64) -> f64 {
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
    fn a_token_is_renewed_a_minute_or_a_tenth_before_its_end() {
        assert_eq!(until_refresh(secs(900), 0.0), secs(840));
        assert_eq!(until_refresh(secs(100), 0.0), secs(90));
        assert_eq!(
            until_refresh(secs(900), 1.0),
            secs(828),
            "jitter only makes it earlier"
        );
    }

    #[test]
    fn nonsense_from_the_server_neither_spins_nor_overflows() {
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
