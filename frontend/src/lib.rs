//! The composition root of the browser: it builds the ports, puts the session manager behind the pages and lets them
//! take over the HTML that the server rendered.
//!
//! # Layout
//! - [`hydrate`] what the page's script calls once
//! - `browser` the ports, one file each; `document` what became of the server's HTML: `fetch`, `timer`, `clock`, `jitter`, `tab_lock`, `tab_channel`, `marker`,
//!   `wakeups` for the session manager, `platform` for the pages, `lab` for the lab
//!
//! # Invariants
//! - Only this crate touches `web-sys`, `js-sys` and the network. The other rooms of the browser can be tested without
//!   one, and whoever looks for what the page does to the browser need look nowhere else.
//! - The access token passes through `browser::fetch` into one header and is kept nowhere else. Nothing is written to
//!   storage but a chosen colour scheme, and the mark that a sign-out is not finished, which holds nothing; the cookie
//!   that is written for a probe is removed before the next statement.
//! - Other tabs hear what happened and, of a sign-in or a renewal, the user's id; no message carries a token.
//! - It stands under a Content-Security-Policy without `unsafe-inline` and `unsafe-eval`: nothing here makes script or
//!   style out of a text.
//! - It must not know passwords, the database, or the content of any token.

mod browser;

use std::{cell::Cell, rc::Rc, time::Duration};

use app::{App, Platform, SessionCtx, lab_port::provide_lab_port, platform::ProgramEvent};
use leptos::{
    mount::{hydrate_from_async, mount_to},
    prelude::*,
};
use session_client::{SessionManager, Timer as _};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use browser::{BrowserLab, BrowserPlatform, BrowserTimer, document};

/// A part of the program that did not arrive is asked for again after this long.
const ASK_AGAIN_FOR_PARTS: Duration = Duration::from_secs(2);

/// Room for the splitter of the program. It sorts the constants by the parts that need them and aligns each part's anew,
/// and if that takes one byte more than the linker's order, it gives up without a word and leaves the constants of *all*
/// parts in the first one. This is what it may take: nothing refers to it, so it is itself in no part, and in no file.
#[used]
static ROOM_FOR_ALIGNMENT: [u8; 4096] = [b'.'; 4096];

/// Makes the server's HTML alive. The page's script calls this once, when the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        document::report(ProgramEvent::Failed);
    }));

    let platform = Rc::new(BrowserPlatform::new());
    let (session, driver) = SessionManager::new(browser::ports(), platform.peek().first_view());
    spawn_local(driver);
    spawn_local(restore(session.clone()));
    spawn_local(take_over(session, platform));
}

/// Hydrates the page, once the part that it is made of has arrived, however often that has to be asked for: what the
/// program shows at first must be what the server wrote. Only then does it follow the session.
///
/// If something changed the HTML on the way, hydration would panic, or tie the program to the wrong elements. Then the
/// program renders the page itself, in place of what is there.
async fn take_over(session: SessionManager, platform: Rc<BrowserPlatform>) {
    while !app::fetch_part_of(&platform.path()).await {
        BrowserTimer.sleep(ASK_AGAIN_FOR_PARTS).await;
    }
    let context = Rc::new(Cell::new(None));
    let provided = Rc::clone(&context);
    let page = move || {
        provide_context(platform.lab_is_open());
        provide_context(platform.min_password());
        provide_lab_port(Rc::new(BrowserLab));
        provided.set(Some(SessionCtx::provide(session, platform)));
        view! { <App /> }
    };
    if document::is_as_served() {
        hydrate_from_async(leptos::tachys::dom::body(), page)
            .await
            .forget();
    } else {
        mount_to(document::clear(), page).forget();
    }
    if let Some(context) = context.get() {
        context.start_following();
    }
    document::report(ProgramEvent::Ready);
}

/// Starts the silent refresh. It may be answered before the page is hydrated; `take_over` sees to it that the page follows
/// only then. Where the server saw that there is no cookie the view is anonymous already, and the manager leaves
/// it at that: most visitors are strangers, and each would cost a request that can only fail.
async fn restore(session: SessionManager) {
    session.restore().await;
}
