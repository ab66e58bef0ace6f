//! Timer: `setTimeout`.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use session_client::Timer;

/// `setTimeout` takes a signed 32-bit number; a larger one wraps around and fires immediately.
const MAX_TIMEOUT_MS: u32 = i32::MAX.cast_unsigned();

/// The browser's timer. A wait longer than [`MAX_TIMEOUT_MS`] ends early, as the port allows.
#[derive(Debug)]
pub(crate) struct BrowserTimer;

impl Timer for BrowserTimer {
    fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(TimeoutFuture::new(millis(duration)))
    }
}

/// Rounds up, so that a deadline has passed when the timer fires.
fn millis(duration: Duration) -> u32 {
    let millis = duration.as_micros().div_ceil(1000);
    u32::try_from(millis)
        .unwrap_or(MAX_TIMEOUT_MS)
        .min(MAX_TIMEOUT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up() {
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::from_mins(14)), 840_000);
    }

    #[test]
    fn too_long_waits_are_capped_not_wrapped() {
        assert_eq!(millis(Duration::from_hours(24 * 25)), MAX_TIMEOUT_MS);
        assert_eq!(millis(Duration::MAX), MAX_TIMEOUT_MS);
    }
}
