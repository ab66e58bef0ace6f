//! The ports, made of the browser.

mod clock;
mod fetch;
mod jitter;
mod platform;
mod timer;

use std::rc::Rc;

use session_client::Ports;

pub(crate) use platform::BrowserPlatform;

/// Everything that the session manager needs.
pub(crate) fn ports() -> Ports {
    Ports {
        transport: Rc::new(fetch::Fetch),
        timer: Rc::new(timer::BrowserTimer),
        clock: Rc::new(clock::PerformanceClock::new()),
        jitter: Rc::new(jitter::MathRandom),
    }
}
