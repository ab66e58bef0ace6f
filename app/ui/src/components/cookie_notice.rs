//! Warning before sign-in: this browser will not keep the session.

use leptos::prelude::*;

use super::{
    erase::maybe,
    notice::{Notice, Tone},
};
use crate::session_ctx::use_session;

/// Warning on the sign-in and registration pages, if the browser refuses the refresh cookie.
#[component]
pub fn CookieNotice() -> impl IntoView {
    let session = use_session();
    // Only the browser can find this out, so the first render shows nothing.
    let refused = Memo::new(move |_| {
        session.hydrated()
            && session
                .platform()
                .is_some_and(|platform| !platform.keeps_cookies())
    });
    let words = || {
        view! {
            <Notice tone=Tone::Plain title="This browser will not keep you signed in">
                <p>
                    "It refuses this site’s session cookie. You can sign in, but reloading the page will sign you "
                    "out. Allow cookies for this site. Safari also refuses secure cookies over plain http: there, "
                    "open the site over https, or use another browser."
                </p>
            </Notice>
        }
    };
    view! { {move || maybe(refused.get().then(words))} }
}
