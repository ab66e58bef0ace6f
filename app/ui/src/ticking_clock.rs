//! A clock that a page reads while it is shown.

use std::time::Duration;

use leptos::prelude::*;

use crate::session_ctx::SessionCtx;

/// The manager's clock, read once a second while the page is shown.
pub fn use_ticking_clock(session: SessionCtx) -> RwSignal<Duration> {
    let now = RwSignal::new(Duration::ZERO);
    let read = move || {
        if let Some(manager) = session.manager() {
            now.try_set(manager.now());
        }
    };
    Effect::new(move |_| {
        // Also immediately when the view changes, so that a new token is never compared with an old time.
        let _ = session.view();
        read();
    });
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(read, Duration::from_secs(1)) {
            on_cleanup(move || interval.clear());
        }
    });
    now
}
