//! Browser implementations of the ports.

mod clock;
pub(crate) mod document;
mod fetch;
mod jitter;
mod lab;
mod marker;
mod page_events;
mod platform;
mod tab_channel;
mod tab_lock;
mod timer;

use std::rc::Rc;

use session_client::Ports;

pub(crate) use lab::BrowserLab;
pub(crate) use platform::BrowserPlatform;
pub(crate) use timer::BrowserTimer;

/// All ports that the session manager needs.
pub(crate) fn ports() -> Ports {
    Ports {
        transport: Rc::new(fetch::Fetch),
        timer: Rc::new(timer::BrowserTimer),
        clock: Rc::new(clock::PerformanceClock::new()),
        jitter: Rc::new(jitter::MathRandom),
        lock: Rc::new(tab_lock::WebLocks),
        channel: Rc::new(tab_channel::TabBroadcast::new()),
        marker: Rc::new(marker::StoredMarker::default()),
        browser_events: Rc::new(page_events::PageEvents),
    }
}
