//! The banner that reports a lost connection.

use leptos::prelude::*;
use session_client::SessionView;

use super::erase::maybe;
use crate::session_ctx::use_session;

/// Banner at the lower edge while the server is unreachable. The footer keeps that space free, so nothing moves. The
/// banner disappears when the session is back.
#[component]
pub fn ConnectionBanner() -> impl IntoView {
    let session = use_session();
    let away = Memo::new(move |_| matches!(session.view(), SessionView::Reconnecting { .. }));
    let words = || {
        view! {
            <p class="banner__text">
                <span class="banner__dot" aria-hidden="true"></span>
                "Reconnecting. The server cannot be reached; you stay signed in, and this page tries again by itself."
            </p>
        }
    };
    view! {
        <div class="banner" role="status">
            {move || maybe(away.get().then(words))}
        </div>
    }
    .into_any()
}
