//! Error page for a page whose part of the app could not be fetched.

use std::time::Duration;

use leptos::prelude::*;
use session_client::SessionView;

use ui::{
    components::{PageHeading, ReloadButton},
    session_ctx::use_session,
};

/// The part is requested again after this time.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Fetches the part again after a while, immediately when the session manager has reconnected, and on a click. Also
/// offers to reload the whole page: after an update of the app that is the only way.
#[component]
pub fn MissingPart(
    /// Requests the part. The caller replaces this page when the part is there.
    fetch: Callback<()>,
) -> impl IntoView {
    let session = use_session();
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(move || fetch.run(()), RETRY_AFTER) {
            on_cleanup(move || interval.clear());
        }
    });
    let reachable = Memo::new(move |_| !matches!(session.view(), SessionView::Reconnecting { .. }));
    Effect::new(move |before: Option<bool>| {
        let now = reachable.get();
        if now && before == Some(false) {
            fetch.run(());
        }
        now
    });
    view! {
        <div class="page page--task">
            <p class="kicker">"Not loaded"</p>
            <PageHeading title="This page did not arrive" />
            <p class="lead">
                "Its part of the program could not be fetched: your connection may be gone, or Keyturn was updated since "
                "you opened it. If you were signed in, you still are. It is asked for again every few seconds; if it "
                "still does not come when you are online, load the page again."
            </p>
            <p>
                <button class="button" type="button" on:click=move |_| fetch.run(())>
                    "Try again"
                </button>
            </p>
            <ReloadButton />
        </div>
    }
    .into_any()
}
