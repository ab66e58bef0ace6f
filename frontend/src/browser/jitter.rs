//! Randomness by `Math.random()`.

use session_client::Jitter;

/// Good enough for spreading retries, which is all that it is for. Nothing secret may be made from it.
#[derive(Debug)]
pub(crate) struct MathRandom;

impl Jitter for MathRandom {
    fn next(&self) -> f64 {
        js_sys::Math::random()
    }
}
