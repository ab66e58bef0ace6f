//! Jitter: `Math.random()`.

use session_client::Jitter;

/// Good enough to spread retries, its only use. It must not produce secrets.
#[derive(Debug)]
pub(crate) struct MathRandom;

impl Jitter for MathRandom {
    fn next(&self) -> f64 {
        js_sys::Math::random()
    }
}
