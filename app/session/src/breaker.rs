//! Circuit breaker for refreshes that do not help.

use std::time::Duration;

use crate::{schedule, state::TokenId};

/// Counts refreshes that a 401 caused and whose new token was refused as well.
///
/// One such refresh can happen by coincidence. Without a limit, a page that polls every second an endpoint that always
/// answers 401 would rotate the session every second. So each useless refresh delays the next one, and in the meantime
/// the caller gets the 401 as it is. An accepted token resets the breaker.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    useless: u32,
    last: Option<TokenId>,
    open_until: Duration,
}

impl Breaker {
    /// Whether a 401 may cause a refresh now.
    pub(crate) fn permits(&self, now: Duration) -> bool {
        self.useless == 0 || now >= self.open_until
    }

    /// Records that the repeated request with the new token `id` was refused too. Many requests may report the same
    /// token; it counts once.
    pub(crate) fn refused_again(&mut self, id: TokenId, now: Duration) {
        if self.last == Some(id) {
            return;
        }
        self.last = Some(id);
        self.useless = self.useless.saturating_add(1);
        self.open_until = now.saturating_add(schedule::until_retry(self.useless, 0.0, None));
    }

    /// Records that the repeated request was accepted.
    pub(crate) fn accepted(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_useless_refresh_lengthens_the_next_wait() {
        let mut breaker = Breaker::default();
        assert!(breaker.permits(secs(0)));
        breaker.refused_again(TokenId(1), secs(0));
        assert!(!breaker.permits(Duration::from_millis(999)));
        assert!(breaker.permits(secs(1)));
        breaker.refused_again(TokenId(2), secs(1));
        assert!(!breaker.permits(Duration::from_millis(2_999)));
        assert!(breaker.permits(secs(3)));
    }

    #[test]
    fn one_token_counts_once() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.refused_again(TokenId(1), secs(0));
        }
        assert!(breaker.permits(secs(1)));
    }

    #[test]
    fn an_accepted_token_resets_the_breaker() {
        let mut breaker = Breaker::default();
        breaker.refused_again(TokenId(1), secs(0));
        breaker.accepted();
        assert!(breaker.permits(secs(0)));
    }
}
