//! The HTML document around the application. Rendered on the server only.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags};

use ui::{
    hints::MinPassword,
    lab_open::{LabIsOpen, lab_is_open},
    session_hint::SessionHint,
};

use crate::App;

/// Applies a remembered colour scheme before the first paint; later, the other scheme would flash. If storage is
/// refused, the system's scheme is right. The key is `platform::COLOR_SCHEME_KEY`.
const APPLY_COLOR_SCHEME: &str = concat!(
    "try{let s=localStorage.getItem('keyturn.color_scheme');",
    "if(s==='light'||s==='dark')document.documentElement.dataset.theme=s}catch(e){}"
);

/// Monitors the app. It shows an error if the app does not report within a few seconds that it is ready, cannot be
/// downloaded, is not supported, or crashes. It keeps what was typed while the page is rendered again.
/// `frontend::browser` reports to it by events of [`platform::ProgramEvent`](ui::platform::ProgramEvent). It also
/// silences view transitions that are skipped because another navigation overtook them: the router does not handle the
/// promises that then fail.
const WATCH: &str = include_str!("shell/watch.js");

/// Keeps the keyboard focus. When the focused element disappears or is disabled, browsers move the focus to `<body>`,
/// and the next press of Tab starts at the top of the page. This script moves it to the nearest heading around the
/// place where the element was, unless the page itself has moved it to a better place by then.
const KEEP_FOCUS: &str = include_str!("shell/focus.js");

/// The document. The server must have provided a [`SessionHint`] as context, and [`LabIsOpen`]; without them nothing is
/// assumed, and the lab is closed.
///
/// It needs no inline style, and the inline scripts carry the nonce, so it works under a strict
/// Content-Security-Policy.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let session_hint = use_context::<SessionHint>().unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-session=session_hint.marker()
            data-lab=lab_is_open().then_some(LabIsOpen::MARKER)
            data-min-password=MinPassword::get().to_string()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f7f4ec" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#161512" media="(prefers-color-scheme: dark)" />
                <script nonce=use_nonce()>{APPLY_COLOR_SCHEME}</script>
                <script nonce=use_nonce()>{WATCH}</script>
                <script nonce=use_nonce()>{KEEP_FOCUS}</script>
                <HashedStylesheet id="keyturn" options=options.clone() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
                <noscript>
                    <p class="no-script">
                        "This page needs JavaScript. Keyturn keeps the access token in the memory of the page, and "
                        "without a program running there is no such memory. You can read this page; to sign in, "
                        "allow JavaScript for this site and reload."
                    </p>
                </noscript>
            </body>
        </html>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ui::platform::{COLOR_SCHEME_KEY, ProgramEvent};

    #[test]
    fn the_script_reads_the_key_that_the_platform_writes() {
        assert!(APPLY_COLOR_SCHEME.contains(&format!("'{COLOR_SCHEME_KEY}'")));
    }

    #[test]
    fn the_watch_listens_to_what_the_program_reports() {
        for event in [ProgramEvent::Render, ProgramEvent::Ready, ProgramEvent::Failed] {
            assert!(WATCH.contains(&format!(r#"on("{}""#, event.name())));
        }
        assert!(WATCH.contains(&format!(r#""{}""#, ProgramEvent::RENDER_NEXT_TIME)));
    }

    #[test]
    fn the_watch_is_small_and_stays_inside_its_tag() {
        assert!(WATCH.len() <= 3_072, "{}", WATCH.len());
        assert!(!WATCH.contains("</") && !KEEP_FOCUS.contains("</"));
    }
}
